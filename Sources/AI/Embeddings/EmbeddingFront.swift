import JSON
import Kernel

/// Embeddings as clients ask for them.
///
/// https://platform.openai.com/docs/api-reference/embeddings/create, https://ai.google.dev/api/embeddings
enum EmbeddingFront {
  static func read(
    _ front: Front, _ body: JSONElement, isBatch: Bool, _ losses: inout Losses
  ) throws(Refusal) -> EmbeddingRequest {
    var request = try front == .generate ? readGoogles(body, isBatch: isBatch, &losses) : readOpenAIs(body, &losses)
    request.isBatch = isBatch
    return request
  }

  // MARK: OpenAI's

  private static func readOpenAIs(_ body: JSONElement, _ losses: inout Losses) throws(Refusal) -> EmbeddingRequest {
    var request = EmbeddingRequest()
    body.noteOthers(
      than: ["model", "input", "dimensions", "encoding_format", "user", "input_type"], &losses)
    let input = try body.requireMember("input")
    request.texts = try texts(input)
    if let dimensions = body["dimensions"] {
      request.dimensions = try dimensions.requireInteger()
      request.note(.dimensions, at: dimensions)
    }
    if let user = body["user"] {
      request.user = try user.requireString()
      request.note(.user, at: user)
    }
    // Not OpenAI's word, but that of many who speak its dialect.
    if let purpose = body["input_type"] {
      request.purpose = try read(purpose)
      request.note(.purpose, at: purpose)
    }
    switch try body.optionalString("encoding_format") {
    case nil, "float": break
    case "base64": request.isBase64 = true
    default: throw .expected("float or base64", at: try body.requireMember("encoding_format"))
    }
    return request
  }

  private static func texts(_ input: JSONElement) throws(Refusal) -> [String] {
    if let text = input.string { return [text] }
    let inputs = try input.requireArray()
    if inputs.isEmpty { throw Refusal("input", "`input` is empty.") }
    if inputs.contains(where: { $0.isArray || $0.number != nil }) {
      throw Refusal("input", "`input` as tokens says nothing to the model that is asked for: send text.")
    }
    var texts: [String] = []
    texts.reserveCapacity(inputs.count)
    for text in inputs { texts.append(try text.requireString()) }
    return texts
  }

  private static func read(_ element: JSONElement) throws(Refusal) -> EmbeddingRequest.Purpose {
    switch try element.requireString() {
    // As others call them.
    case "query": return .query
    case "document", "passage": return .document
    case let word:
      guard let purpose = EmbeddingRequest.Purpose(rawValue: word) else {
        throw .expected("a purpose such as search_query or search_document", at: element)
      }
      return purpose
    }
  }

  // MARK: Gemini's

  private static func readGoogles(
    _ body: JSONElement, isBatch: Bool, _ losses: inout Losses
  ) throws(Refusal) -> EmbeddingRequest {
    guard isBatch else { return try readContent(body, &losses) }
    body.noteOthers(than: ["requests", "model"], &losses)
    let requests = try body.requireMember("requests").requireArray()
    guard let first = requests.first else { throw Refusal("requests", "`requests` is empty.") }
    var all = try readContent(first, &losses)
    all.list = "requests"
    for element in requests.dropFirst() {
      let next = try readContent(element, &losses)
      let isSame =
        next.dimensions == all.dimensions && next.purpose == all.purpose && next.title == all.title
        && next.truncates == all.truncates
      if !isSame { throw Refusal(element.path, "`\(element.path)` asks for something else than those before it.") }
      all.texts += next.texts
    }
    return all
  }

  private static func readContent(_ element: JSONElement, _ losses: inout Losses) throws(Refusal) -> EmbeddingRequest {
    var request = EmbeddingRequest()
    // The same settings may stand in a part of their own, as later versions have it.
    let settings = ["taskType", "title", "outputDimensionality", "autoTruncate"]
    element.noteOthersInEitherCase(than: ["model", "content", "embedContentConfig"] + settings, &losses)
    let config = element.either("embedContentConfig")
    config?.noteOthersInEitherCase(than: settings, &losses)
    let content = try element.requireMember("content")
    content.noteOthers(than: ["parts", "role"], &losses)
    request.texts = [try text(content)]
    if let purpose = config?.either("taskType") ?? element.either("taskType") {
      request.purpose = try readTaskType(purpose)
      if request.purpose != nil { request.note(.purpose, at: purpose) }
    }
    if let title = config?.either("title") ?? element.either("title") {
      request.title = try title.requireString()
      request.note(.title, at: title)
    }
    if let dimensions = config?.either("outputDimensionality") ?? element.either("outputDimensionality") {
      request.dimensions = try dimensions.requireInteger()
      request.note(.dimensions, at: dimensions)
    }
    request.truncates = try (config?.either("autoTruncate") ?? element.either("autoTruncate"))?.requireFlag() ?? false
    return request
  }

  /// One text: how a model would join several is its own affair.
  private static func text(_ content: JSONElement) throws(Refusal) -> String {
    let parts = try content.requireMember("parts").requireArray()
    guard let part = parts.first else { throw .missing("parts", in: content) }
    if parts.count > 1 {
      throw Refusal(parts[1].path, "`\(parts[1].path)` is one part too many for the model that is asked for.")
    }
    guard let text = part["text"] else {
      throw Refusal(part.path, "`\(part.path)` is no text, and the model that is asked for embeds nothing else.")
    }
    return try text.requireString()
  }

  private static func readTaskType(_ element: JSONElement) throws(Refusal) -> EmbeddingRequest.Purpose? {
    switch try element.requireString() {
    case "TASK_TYPE_UNSPECIFIED": return nil
    case let word:
      guard let purpose = EmbeddingRequest.Purpose.allCases.first(where: { $0.taskType == word }) else {
        throw .expected("a task type such as RETRIEVAL_QUERY", at: element)
      }
      return purpose
    }
  }

  // MARK: Answers

  static func write(
    _ answer: EmbeddingAnswer, as asked: AskedEmbeddings, _ front: Front, into json: inout JSONWriter
  ) throws(Failure) {
    if front == .generate { return writeGoogles(answer, isBatch: asked.isBatch, into: &json) }
    var coded: [[UInt8]] = []
    if asked.isBase64 {
      for vector in answer.vectors {
        guard let floats = vector.floats else { throw .malformedAnswer }
        coded.append(floats)
      }
    }
    // OpenAI's dialect always has a count, so an estimate takes its place.
    let tokens = answer.usage.input > 0 ? answer.usage.input : asked.estimate
    json.object {
      $0.member("object", "list")
      $0.array("data") {
        for (index, vector) in answer.vectors.enumerated() {
          $0.object {
            $0.member("object", "embedding")
            $0.member("index", index)
            if asked.isBase64 {
              let floats = coded[index]
              var text = ByteBuffer(capacity: floats.count * 2)
              Base64.append(floats.span, to: &text)
              $0.member("embedding", text.span)
            } else {
              $0.key("embedding")
              vector.write(into: &$0)
            }
          }
        }
      }
      $0.member("model", answer.model)
      $0.object("usage") {
        $0.member("prompt_tokens", tokens)
        $0.member("total_tokens", tokens)
      }
    }
  }

  private static func writeGoogles(_ answer: EmbeddingAnswer, isBatch: Bool, into json: inout JSONWriter) {
    func values(_ vector: EmbeddingVector, _ json: inout JSONWriter) {
      json.key("values")
      vector.write(into: &json)
    }
    json.object {
      if isBatch {
        $0.array("embeddings") { for vector in answer.vectors { $0.object { values(vector, &$0) } } }
      } else if let vector = answer.vectors.first {
        $0.object("embedding") { values(vector, &$0) }
      }
      if answer.usage.input > 0 { $0.object("usageMetadata") { $0.member("promptTokenCount", answer.usage.input) } }
    }
  }
}

extension EmbeddingRequest.Purpose {
  /// As Gemini calls it.
  var taskType: String {
    switch self {
    case .query: "RETRIEVAL_QUERY"
    case .document: "RETRIEVAL_DOCUMENT"
    case .classification: "CLASSIFICATION"
    case .clustering: "CLUSTERING"
    case .similarity: "SEMANTIC_SIMILARITY"
    case .answering: "QUESTION_ANSWERING"
    case .verification: "FACT_VERIFICATION"
    case .code: "CODE_RETRIEVAL_QUERY"
    }
  }
}
