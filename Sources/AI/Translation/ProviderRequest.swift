import JSON
import Kernel

/// A request as the provider gets it.
///
/// An object, since the call, its attempt and its answer all hold it while they wait.
public final class ProviderRequest: Sendable {
  public enum Unsupported: String, Sendable, CaseIterable {
    /// 400, naming the field.
    case refuse
    /// Sent without it, and answered with a warning.
    case drop
  }

  public let front: Front
  public let back: Back
  public let body: [UInt8]
  public let streams: Bool
  /// Whether the client sees the usage at the end of a stream.
  public let showsUsage: Bool
  /// What was left out, in the client's words.
  public let dropped: [String]
  /// What is asked, if it is no conversation.
  public let operation: PassedOperation?
  /// What was asked of embeddings, if they are asked of a provider of another dialect.
  public let embeddings: AskedEmbeddings?
  /// Of a form whose rest follows as it comes: how much of it stands in `body`, before the model's name was changed.
  public let formPrefix: Int?
  /// The tool whose arguments are the answer's text, where a schema is asked for in this way.
  let answerTool: String?

  init(
    front: Front, back: Back, body: [UInt8], streams: Bool, showsUsage: Bool, dropped: [String],
    operation: PassedOperation? = nil, embeddings: AskedEmbeddings? = nil, formPrefix: Int? = nil,
    answerTool: String? = nil
  ) {
    self.front = front
    self.back = back
    self.body = body
    self.streams = streams
    self.showsUsage = showsUsage
    self.dropped = dropped
    self.operation = operation
    self.embeddings = embeddings
    self.formPrefix = formPrefix
    self.answerTool = answerTool
  }

  /// Whether both sides speak the same dialect.
  public var isNative: Bool { back.native == front }
}

/// A request as the client sent it, read as far as is needed to know which model is meant.
public struct ModelRequest: Sendable {
  public let front: Front
  let body: JSONElement
  /// As the client calls it.
  public let model: String
  public let streams: Bool
  let operation: PassedOperation?
  /// What was read of the form as which it came; nil: it is JSON.
  var form: ReceivedForm?

  /// Whether it came as a form, of which there may be more.
  public var isForm: Bool { form != nil }

  /// - Parameters:
  ///   - path: what the path says, where the dialect says it there: the model, and whether the answer is a stream.
  ///   - operation: what is asked, if it is no conversation.
  public init(
    _ front: Front, body bytes: [UInt8], path: (model: String, streams: Bool)? = nil,
    operation: PassedOperation? = nil
  ) throws(Refusal) {
    self.front = front
    self.operation = operation
    do { body = try JSONElement(parsing: bytes) } catch {
      throw Refusal(nil, "The body is not JSON: \(error.problem.rawValue) at byte \(error.offset).")
    }
    _ = try body.requireObject()
    do { try body.requireUniqueNames() } catch { throw Refusal(nil, "The body has \(error.problem.rawValue).") }
    if let path {
      (model, streams) = path
      return
    }
    model = try body.requireString("model")
    streams = operation == nil ? try body["stream"]?.requireFlag() ?? false : false
  }

  /// Makes the provider's request: the same bytes where the dialect is the same, a translation elsewhere.
  ///
  /// - Parameters:
  ///   - model: as the provider calls it.
  ///   - variant: how the provider's Chat Completions are not OpenAI's.
  public func prepare(
    for back: Back, model: String, variant: ChatVariant = ChatVariant(),
    unsupported: ProviderRequest.Unsupported = .refuse
  ) throws(Refusal) -> ProviderRequest {
    if back.native == front { return try splice(back, model: model, variant, unsupported) }
    if back == .responses { throw Refusal("model", "Only clients of Responses can ask for them.") }
    if let operation {
      throw Refusal("model", "The provider of this model has nothing that is asked for by `\(operation.path)`.")
    }
    var losses = Losses()
    var conversation = try front.read(body, &losses)
    conversation.model = model
    conversation.streams = streams
    conversation.variant = variant
    conversation.cachePoints = losses.takeCachePoints(for: back)
    conversation.chatMembers = losses.takeChatMembers(for: back)
    var lost = Inexpressible(front, losses)
    if back != .openai { conversation.noteDetails(&lost) }
    var json = JSONWriter(capacity: body.document.count + 256)
    back.write(conversation, into: &json, &lost)
    if unsupported == .refuse, let first = lost.losses.fields.first {
      throw Refusal(first, "`\(first)` cannot be said to the model that is asked for; leave it out.")
    }
    return ProviderRequest(
      front: front, back: back, body: Array(copying: json.buffer.span), streams: streams,
      showsUsage: conversation.wantsUsage, dropped: lost.losses.fields,
      answerTool: back == .bedrock ? Converse.answerTool(conversation) : nil)
  }

  /// Puts the provider's name of the model into the client's bytes, and asks for the usage of a stream.
  private func splice(
    _ back: Back, model: String, _ variant: ChatVariant, _ unsupported: ProviderRequest.Unsupported
  ) throws(Refusal) -> ProviderRequest {
    if let form {
      return ProviderRequest(
        front: front, back: back, body: form.renamed(model), streams: false, showsUsage: true, dropped: [],
        operation: operation, formPrefix: form.content.count)
    }
    var edits: [(range: Range<Int>, text: String)] = []
    if front != .generate {
      edits.append((try body.requireMember("model").range, JSONText.literal(model)))
    } else if operation != nil {
      // Here the body may say the model once more.
      let said = [body["model"]] + (body["requests"]?.elements ?? []).map { $0["model"] }
      for case let name? in said { edits.append((name.range, JSONText.literal("models/" + model))) }
    }
    var showsUsage = true
    if front == .chat, streams {
      let options = body["stream_options"]
      showsUsage = try options?["include_usage"]?.requireFlag() ?? false
      if !showsUsage, variant.words != .mistral { edits.append(usageEdit(options)) }
      // It is part of the last chunk there, which passes as it is.
      if variant.words == .mistral { showsUsage = true }
    }
    if front == .chat, operation == nil { edits += wordEdits(variant.words) }
    let background = try backgroundEdit(unsupported)
    if let background { edits.append(background) }
    edits.sort { $0.range.lowerBound < $1.range.lowerBound }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.document.count + 64)
    var done = 0
    for edit in edits {
      bytes += body.document[done..<edit.range.lowerBound]
      bytes += Array(edit.text.utf8)
      done = edit.range.upperBound
    }
    bytes += body.document[done...]
    return ProviderRequest(
      front: front, back: back, body: bytes, streams: streams, showsUsage: showsUsage,
      dropped: background == nil ? [] : ["background"],
      operation: operation)
  }

  /// An answer that is to be fetched later would go unread, and nobody would know what it cost.
  private func backgroundEdit(
    _ unsupported: ProviderRequest.Unsupported
  ) throws(Refusal) -> (range: Range<Int>, text: String)? {
    guard front == .responses, let background = body["background"], background.flag != false else { return nil }
    if unsupported == .refuse { throw Refusal("background", "`background` is not possible here; leave it out.") }
    return (background.range, "false")
  }

  /// What OpenAI's clients say that a server calls by other names, or says unasked.
  private func wordEdits(_ words: ChatVariant.Words) -> [(range: Range<Int>, text: String)] {
    if words == .openai || words == .usual { return [] }
    var edits: [(range: Range<Int>, text: String)] = []
    var names = [("max_completion_tokens", "max_tokens")]
    if words == .mistral {
      if let member = body.place(of: "stream_options") { edits.append((member.whole, "")) }
      names.append(("seed", "random_seed"))
    }
    for (name, own) in names where body[own] == nil {
      if let member = body.place(of: name) { edits.append((member.name, JSONText.literal(own))) }
    }
    return edits
  }

  private func usageEdit(_ options: JSONElement?) -> (range: Range<Int>, text: String) {
    if let options {
      if let given = options["include_usage"] { return (given.range, "true") }
      let start = options.range.lowerBound + 1
      return (start..<start, options.members.isEmpty ? #""include_usage":true"# : #""include_usage":true,"#)
    }
    let named = body.members.first { $0.name == "stream_options" }
    if let null = named?.value { return (null.range, #"{"include_usage":true}"#) }
    let start = body.range.lowerBound + 1
    return (start..<start, #""stream_options":{"include_usage":true},"#)
  }

  static func array(_ span: Span<UInt8>) -> [UInt8] { Array(copying: span) }
}
