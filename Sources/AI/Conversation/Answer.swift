/// What a model answered, whole.
public struct Answer: Sendable, Equatable {
  public var head = AnswerHead()
  public var parts: [Part] = []
  public var finish = Finish(.stop)
  public var usage = Usage()
  /// Whether there is more of it, which only its own dialect can say.
  public var hasUnread = false

  public init() {}
}

/// What is known of an answer when it begins.
public struct AnswerHead: Sendable, Equatable {
  public var id = ""
  public var model = ""
  /// Seconds since 1970; 0 when nobody said.
  public var created = 0

  public init(id: String = "", model: String = "", created: Int = 0) {
    self.id = id
    self.model = model
    self.created = created
  }
}

/// Why a model stopped.
public struct Finish: Sendable, Equatable {
  public enum Reason: String, Sendable {
    case stop
    /// The most tokens that it may write, or that fit.
    case length
    case toolCalls = "tool_calls"
    /// What it would have said was withheld.
    case filtered = "content_filter"
    /// It would not answer.
    case refusal
  }

  public var reason: Reason
  /// The stop sequence that it met; empty where nobody says which.
  public var sequence: String?

  public init(_ reason: Reason, sequence: String? = nil) {
    self.reason = reason
    self.sequence = sequence
  }
}

/// Tokens, as the provider counted them.
public struct Usage: Sendable, Equatable {
  /// All of the prompt, cached or not.
  public var input = 0
  /// The part of it that was read from the provider's cache.
  public var cachedInput = 0
  /// The part of it that was written to that cache.
  public var writtenInput = 0
  /// All that was generated, thoughts too.
  public var output = 0
  /// The part of it that was thoughts.
  public var reasoning = 0

  public init(input: Int = 0, cachedInput: Int = 0, writtenInput: Int = 0, output: Int = 0, reasoning: Int = 0) {
    self.input = input
    self.cachedInput = cachedInput
    self.writtenInput = writtenInput
    self.output = output
    self.reasoning = reasoning
  }

  public var isEmpty: Bool { self == Usage() }

  public static func += (sum: inout Usage, more: Usage) {
    sum.input += more.input
    sum.cachedInput += more.cachedInput
    sum.writtenInput += more.writtenInput
    sum.output += more.output
    sum.reasoning += more.reasoning
  }

  /// Counts beyond this are nobody's; a provider that says so is wrong.
  static let most = 1 << 40

  /// A count that a provider sent.
  static func count(_ element: JSONElement?) -> Int { min(max(0, element?.integer ?? 0), most) }
}

/// A step of an answer that comes as a stream.
///
/// Parts come one after the other: text continues the text before it, arguments are those of the tool call before them.
public enum Event: Sendable, Equatable {
  case begin(AnswerHead)
  case text(String)
  case refusal(String)
  case reasoning(String)
  case reasoningSignature(String)
  case opaqueReasoning(String)
  /// Of the tool call that follows.
  case toolSignature(String)
  case toolCall(id: String, name: String)
  case toolArguments(String)
  /// One that the model drew, in base64.
  case image(type: String, base64: String)
  case finish(Finish)
  case usage(Usage)
  /// The provider said all.
  case end
  case failure(Failure)

  /// Whether it is a piece of what is said in words.
  var isSaid: Bool {
    switch self {
    case .text, .refusal: true
    default: false
    }
  }

  /// Whether it is a piece of the answer itself.
  var isContent: Bool {
    switch self {
    case .text, .refusal, .reasoning, .toolCall, .toolArguments, .image: true
    default: false
    }
  }
}

/// Why there is no answer, or no more of it.
public struct Failure: Error, Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case invalidRequest, authentication, permission, notFound, tooLarge, rateLimited, quota, overloaded, timeout, server
  }

  public var kind: Kind
  public var message: String
  /// The field of the request that is meant, in the client's words.
  public var field: String?
  /// The HTTP status that the provider gave; 0 when it gave none.
  public var status: Int
  /// Whether the prompt has more tokens than this model holds: another one may hold them.
  public var exceedsContext = false
  /// Whether a rule of the gateway's withholds the answer.
  public var isFiltered = false

  public init(_ kind: Kind, _ message: String, field: String? = nil, status: Int = 0) {
    self.kind = kind
    self.message = message
    self.field = field
    self.status = status
    exceedsContext = kind == .tooLarge || (kind == .invalidRequest && Self.speaksOfContext(message))
  }

  /// Providers have no code in common for it, and most have none; these are the sentences that they say.
  private static func speaksOfContext(_ message: String) -> Bool {
    let text = message.prefix(2000).lowercased()
    return [
      "context length", "context_length", "context window", "prompt is too long", "input is too long",
      "too many input tokens", "input token count", "exceeds the maximum number of tokens", "maximum context",
      "exceed context limit", "context size", "maximum prompt length", "maximum model length",
      "too many tokens: total number of tokens in the prompt", "input tokens exceeded", "max_new_tokens` must be <=",
    ].contains { text.contains($0) }
  }

  /// Whether another model may do what this one did not: the client's own mistakes stay mistakes.
  public var mayBeMended: Bool {
    switch kind {
    case .rateLimited, .quota, .overloaded, .timeout, .server, .authentication, .permission: true
    case .invalidRequest, .tooLarge: exceedsContext
    // A client knows only the name that the operator gave to several.
    case .notFound: true
    }
  }

  /// What an HTTP status of a provider means.
  public static func kind(ofStatus status: Int) -> Kind {
    switch status {
    case 401: .authentication
    case 402: .quota
    case 403: .permission
    case 404: .notFound
    case 408, 504: .timeout
    case 413: .tooLarge
    case 429: .rateLimited
    case 503, 529: .overloaded
    case 400..<500: .invalidRequest
    default: .server
    }
  }

  /// The status of an answer that says so.
  public var answerStatus: Int {
    if 400...599 ~= status { return status }
    return switch kind {
    case .invalidRequest: 400
    case .authentication: 401
    case .permission: 403
    case .notFound: 404
    case .tooLarge: 413
    case .rateLimited, .quota: 429
    case .overloaded: 503
    case .timeout: 504
    case .server: 502
    }
  }

  static let malformedAnswer = Failure(.server, "The model's answer is not what its dialect promises.")
  static let imageless = Failure(
    .server,
    "The model answered with an image, which this dialect cannot say; ask another model, or in another dialect.")
  public static let truncated = Failure(.server, "The model's answer broke off before it was complete.")
}
