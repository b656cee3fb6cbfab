/// What is asked of a model, in no provider's words: what every dialect is read into and written from.
///
/// Numbers and JSON within it are kept as they were written, so that passing them on changes nothing.
public struct Conversation: Sendable, Equatable {
  public var model = ""
  /// Instructions that stand before all messages.
  public var system: [String] = []
  public var messages: [Message] = []
  public var tools: [Tool] = []
  public var toolChoice: ToolChoice?
  /// Whether the model may call several tools at once.
  public var parallelTools: Bool?
  public var format: ResponseFormat?
  public var sampling = Sampling()
  public var reasoning: Reasoning?
  /// Whether the caller wants to see what the model thinks, where it can be seen.
  public var showsThoughts = false
  /// Whom the caller acts for, as the provider is told.
  public var user: String?
  /// What the client calls that.
  public var userField = Feature.user
  /// Whether the answer is a stream of events.
  public var streams = false
  /// Up to where the provider is asked to keep the prompt, which costs less the next time.
  public var cachePoints: Set<CachePoint> = []
  /// Whether the stream's end says what was used; only a few dialects ask.
  public var wantsUsage = false
  /// How the provider's Chat Completions are not OpenAI's, if it speaks that.
  public var variant = ChatVariant()
  /// What only servers of Chat Completions know: members of the request, each with its JSON.
  public var chatMembers: [ChatMember] = []

  public init() {}

  /// Whether it is said in how many tokens the model may think, which says too whether that is shown.
  var hasBudget: Bool { if case .budget? = reasoning { true } else { false } }

  /// Notes how closely images shall be looked at, which only OpenAI's models are told.
  func noteDetails(_ lost: inout Inexpressible) {
    for message in messages {
      for case .image(_, let detail?) in message.parts where detail != "auto" {
        lost.add(.message(message.place, "image detail"))
      }
    }
  }

  /// The schema that the answer must have, with what it is for where it does not say that itself; nil where none is asked for.
  var answerSchema: String? {
    guard case .schema(_, let description, let schema, _)? = format else { return nil }
    guard let description, let object = try? JSONElement(parsing: schema), object["description"] == nil,
      let first = object.members.first, let place = object.place(of: first.name)
    else { return schema }
    let head = String(decoding: object.document[..<place.name.lowerBound], as: UTF8.self)
    let rest = String(decoding: object.document[place.name.lowerBound...], as: UTF8.self)
    return head + #""description":"# + JSONText.literal(description) + "," + rest
  }

  /// How many tokens the caller lets the model think, 0 where it says only how hard; nil where it says nothing.
  var thinking: Int? {
    switch reasoning {
    case .effort, .automatic: 0
    case .budget(let tokens): tokens
    case nil, .off: nil
    }
  }
}

/// A member that a request of Chat Completions has, and requests of other makers' dialects have not.
public struct ChatMember: Sendable, Equatable {
  public var name: String
  /// JSON, as it was written.
  public var literal: String
}

/// Behind what the provider is asked to keep the prompt, by places in the request.
public enum CachePoint: Sendable, Hashable {
  case system(Int)
  case tool(Int)
  case part(message: Int, part: Int)
}

/// One turn.
public struct Message: Sendable, Equatable {
  public enum Role: String, Sendable {
    /// Instructions in the middle of a conversation.
    case system
    /// The caller; the results of tools too.
    case user
    case assistant
  }

  public var role: Role
  public var parts: [Part]
  /// Its place in the request, for messages about it; -1 when it has none.
  public var place: Int

  public init(_ role: Role, _ parts: [Part], place: Int = -1) {
    self.role = role
    self.parts = parts
    self.place = place
  }
}

/// A piece of a message.
public enum Part: Sendable, Equatable {
  case text(String)
  case image(Media, detail: String?)
  case file(Media, name: String?)
  case toolCall(ToolCall)
  case toolResult(ToolResult)
  case reasoning(Thought)
  /// What the model says when it will not answer.
  case refusal(String)

  /// What it says in words.
  var words: [UInt8] {
    switch self {
    case .text(let text), .refusal(let text): Array(text.utf8)
    default: []
    }
  }

  /// For messages about it.
  var word: String {
    switch self {
    case .text: "text"
    case .image: "image"
    case .file: "file"
    case .toolCall: "tool call"
    case .toolResult: "tool result"
    case .reasoning: "reasoning"
    case .refusal: "refusal"
    }
  }
}

/// An image or a file: its content, or where it is.
public enum Media: Sendable, Equatable {
  case url(String)
  /// Base64, as it was written.
  case data(type: String, base64: String)
  /// The provider's own store.
  case stored(id: String)

  /// Takes a `data:` URL apart; any other stays one.
  init(url: String) {
    if url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") {
      let head = url[url.index(url.startIndex, offsetBy: 5)..<comma]
      if head.hasSuffix(";base64") {
        self = .data(type: String(head.dropLast(7)), base64: String(url[url.index(after: comma)...]))
        return
      }
    }
    self = .url(url)
  }

  /// As one URL; nil for what only a provider knows.
  var url: String? {
    switch self {
    case .url(let url): url
    case .data(let type, let base64): "data:\(type);base64,\(base64)"
    case .stored: nil
    }
  }
}

/// A call of a tool that the model asks for.
public struct ToolCall: Sendable, Equatable {
  public var id: String
  public var name: String
  /// JSON, as the model wrote it; empty means none.
  public var arguments: String
  /// What proves to Google that the call is its model's own, and must come back with it.
  public var signature: String?

  public init(id: String, name: String, arguments: String, signature: String? = nil) {
    self.id = id
    self.name = name
    self.arguments = arguments
    self.signature = signature
  }
}

/// What a tool said.
public struct ToolResult: Sendable, Equatable {
  /// The call's.
  public var id: String
  /// The tool's, where the dialect says it.
  public var name: String?
  public var content: [Part]
  public var isError: Bool

  public init(id: String, name: String? = nil, content: [Part], isError: Bool = false) {
    self.id = id
    self.name = name
    self.content = content
    self.isError = isError
  }
}

/// What a model thought before it answered.
public enum Thought: Sendable, Equatable {
  /// The signature proves to the provider that the text is its own.
  case text(String, signature: String?)
  /// Only the provider can read it.
  case opaque(String)
}

/// A function that the model may ask for.
public struct Tool: Sendable, Equatable {
  public var name: String
  public var description: String?
  /// JSON Schema of its arguments, as it was written.
  public var schema: String?
  /// Whether arguments must follow the schema.
  public var isStrict: Bool?

  public init(name: String, description: String? = nil, schema: String? = nil, isStrict: Bool? = nil) {
    self.name = name
    self.description = description
    self.schema = schema
    self.isStrict = isStrict
  }
}

public enum ToolChoice: Sendable, Equatable {
  case auto
  case none
  /// Some tool must be called.
  case required
  case tool(String)
}

/// What the answer's text must be.
public enum ResponseFormat: Sendable, Equatable {
  /// Any JSON object.
  case json
  /// JSON that follows a schema, as it was written.
  case schema(name: String?, description: String?, schema: String, isStrict: Bool?)
}

/// How the next token is drawn, and when it ends.
public struct Sampling: Sendable, Equatable {
  public var temperature: JSONNumber?
  public var topP: JSONNumber?
  public var topK: JSONNumber?
  public var frequencyPenalty: JSONNumber?
  public var presencePenalty: JSONNumber?
  public var seed: JSONNumber?
  public var maxTokens: Int?
  public var stop: [String] = []

  public init() {}
}

/// How much a model may think.
public enum Reasoning: Sendable, Equatable {
  case off
  /// As much as the model finds right.
  case automatic
  /// `minimal`, `low`, `medium`, `high` and the like.
  case effort(String)
  /// So many tokens.
  case budget(Int)
}
