/// What the answer to a request depends on, for those who keep answers.
public struct CallMeaning: Sendable {
  /// The same for requests that mean the same, in whatever dialect and spelling; no two others have the same.
  public let text: [UInt8]
  /// Nil where the request has none.
  public let temperature: Double?
}

extension ModelRequest {
  /// Nil where something is asked that only one dialect knows, or that is no conversation: it is not known then what the
  /// answer depends on, nor could an answer be given again in another dialect.
  public var meaning: CallMeaning? {
    guard let conversation = commonConversation else { return nil }
    var writer = MeaningWriter()
    writer.write(conversation)
    return CallMeaning(
      text: writer.bytes, temperature: conversation.sampling.temperature.flatMap { Double($0.literal) })
  }

  /// The last thing that a user said, apart from everything else that the answer depends on.
  ///
  /// Nil where `meaning` is, and where the last to speak is not a user, or says nothing in words.
  public var question: (frame: [UInt8], text: String)? {
    guard var conversation = commonConversation, let last = conversation.messages.last, last.role == .user else {
      return nil
    }
    var said: [String] = []
    let index = conversation.messages.count - 1
    conversation.messages[index].parts = last.parts.map { part in
      guard case .text(let text) = part else { return part }
      said.append(text)
      return .text("")
    }
    if said.allSatisfy(\.isEmpty) { return nil }
    var writer = MeaningWriter()
    writer.write(conversation)
    return (writer.bytes, said.joined(separator: "\n"))
  }

  /// The conversation, if every dialect could say it.
  private var commonConversation: Conversation? {
    if operation != nil { return nil }
    var losses = Losses()
    guard let conversation = try? front.read(body, &losses), losses.isEmpty else { return nil }
    return conversation
  }
}

/// Writes a conversation so that no two different ones are the same octets: each text stands behind its length, each list
/// behind its count, and what may be absent behind a mark.
///
/// The model, whether the answer is a stream, and whom the caller acts for are not in it: they do not change what is asked.
private struct MeaningWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ conversation: Conversation) {
    list(conversation.system) { $0.text($1) }
    list(conversation.messages) { writer, message in
      writer.text(message.role.rawValue)
      writer.list(message.parts) { $0.write($1) }
    }
    list(conversation.tools) { writer, tool in
      writer.text(tool.name)
      writer.optional(tool.description) { $0.text($1) }
      writer.optional(tool.schema) { $0.json($1) }
      writer.optional(tool.isStrict) { $0.text("\($1)") }
    }
    optional(conversation.toolChoice) { $0.write($1) }
    optional(conversation.parallelTools) { $0.text("\($1)") }
    optional(conversation.format) { $0.write($1) }
    write(conversation.sampling)
    optional(conversation.reasoning) { $0.write($1) }
    text("\(conversation.showsThoughts)")
  }

  private mutating func write(_ sampling: Sampling) {
    for number in [
      sampling.temperature, sampling.topP, sampling.topK, sampling.frequencyPenalty, sampling.presencePenalty,
      sampling.seed,
    ] {
      optional(number) { $0.text(Self.value(of: $1)) }
    }
    optional(sampling.maxTokens) { $0.text("\($1)") }
    list(sampling.stop) { $0.text($1) }
  }

  private mutating func write(_ part: Part) {
    text(part.word)
    switch part {
    case .text(let said), .refusal(let said): text(said)
    case .image(let media, let detail):
      write(media)
      optional(detail) { $0.text($1) }
    case .file(let media, let name):
      write(media)
      optional(name) { $0.text($1) }
    case .toolCall(let call):
      text(call.id)
      text(call.name)
      json(call.arguments)
    case .toolResult(let result):
      text(result.id)
      optional(result.name) { $0.text($1) }
      list(result.content) { $0.write($1) }
      text("\(result.isError)")
    case .reasoning(.text(let thought, let signature)):
      text("text")
      text(thought)
      optional(signature) { $0.text($1) }
    case .reasoning(.opaque(let data)):
      text("opaque")
      text(data)
    }
  }

  private mutating func write(_ media: Media) {
    switch media {
    case .url(let url):
      text("url")
      text(url)
    case .data(let type, let base64):
      text("data")
      text(type)
      text(base64)
    case .stored(let id):
      text("stored")
      text(id)
    }
  }

  private mutating func write(_ choice: ToolChoice) {
    switch choice {
    case .auto: text("auto")
    case .none: text("none")
    case .required: text("required")
    case .tool(let name):
      text("tool")
      text(name)
    }
  }

  private mutating func write(_ format: ResponseFormat) {
    switch format {
    case .json: text("json")
    case .schema(let name, let description, let schema, let isStrict):
      text("schema")
      optional(name) { $0.text($1) }
      optional(description) { $0.text($1) }
      json(schema)
      optional(isStrict) { $0.text("\($1)") }
    }
  }

  private mutating func write(_ reasoning: Reasoning) {
    switch reasoning {
    case .off: text("off")
    case .automatic: text("automatic")
    case .effort(let effort):
      text("effort")
      text(effort)
    case .budget(let tokens):
      text("budget")
      text("\(tokens)")
    }
  }

  // MARK: Pieces

  private mutating func text(_ text: String) {
    bytes += Array("\(text.utf8.count):".utf8)
    bytes += Array(text.utf8)
  }

  private mutating func optional<Value>(_ value: Value?, _ write: (inout MeaningWriter, Value) -> Void) {
    bytes.append(UInt8(ascii: value == nil ? "-" : "+"))
    if let value { write(&self, value) }
  }

  private mutating func list<Value>(_ values: [Value], _ write: (inout MeaningWriter, Value) -> Void) {
    bytes += Array("\(values.count);".utf8)
    for value in values { write(&self, value) }
  }

  /// Spaces and escapes do not count. The order of members does: models write what a schema asks for in its order.
  private mutating func json(_ literal: String) {
    guard let element = try? JSONElement(parsing: literal) else { return text(literal) }
    json(element)
  }

  private mutating func json(_ element: JSONElement) {
    if element.isObject {
      bytes.append(UInt8(ascii: "{"))
      list(element.members) { writer, member in
        writer.text(member.name)
        writer.json(member.value)
      }
    } else if element.isArray {
      bytes.append(UInt8(ascii: "["))
      list(element.elements) { $0.json($1) }
    } else if let string = element.string {
      bytes.append(UInt8(ascii: "\""))
      text(string)
    } else {
      bytes.append(UInt8(ascii: "="))
      text(element.number.map { Self.value(of: $0) } ?? element.literal)
    }
  }

  /// The same for `0`, `0.0` and `0e1`.
  private static func value(of number: JSONNumber) -> String {
    if let whole = Int(number.literal) { return "\(whole)" }
    guard let value = Double(number.literal), value.isFinite else { return number.literal }
    return Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }
}
