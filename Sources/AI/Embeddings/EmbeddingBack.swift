import JSON
import Kernel

/// How a provider is asked for embeddings.
public enum EmbeddingBack: Sendable, Equatable {
  /// OpenAI's, and everything compatible.
  case openai
  /// Gemini's `batchEmbedContents`.
  case gemini
  /// Cohere's own, of which its compatible one is a part.
  case cohere
  /// Amazon's Titan on Bedrock; the first version knows the text alone.
  case titan(isFirst: Bool)
  /// Cohere's models on Bedrock.
  case bedrockCohere

  /// How a model of Bedrock's is asked, which its name says; nil when it is not known to embed texts.
  public init?(bedrock model: String) {
    if model.contains("titan-embed-text-v2") {
      self = .titan(isFirst: false)
    } else if model.contains("titan-embed-text") || model.contains("titan-embed-g1-text") {
      self = .titan(isFirst: true)
    } else if model.contains("cohere.embed") {
      self = .bedrockCohere
    } else {
      return nil
    }
  }

  /// The front whose bytes it takes as they are.
  var native: Front? {
    switch self {
    case .openai: .chat
    case .gemini: .generate
    case .cohere, .titan, .bedrockCohere: nil
    }
  }

  /// The dialect of its errors.
  var errors: Back {
    switch self {
    case .openai: .openai
    case .gemini: .gemini
    case .cohere, .titan, .bedrockCohere: .bedrock
    }
  }

  // MARK: Requests

  func write(
    _ request: EmbeddingRequest, model: String, into json: inout JSONWriter, _ losses: inout Losses
  ) throws(Refusal) {
    switch self {
    case .openai:
      request.lose([.purpose, .title], &losses)
      json.object {
        $0.member("model", model)
        $0.array("input") { for text in request.texts { $0.value(text) } }
        $0.member("encoding_format", "float")
        $0.member("dimensions", ifPresent: request.dimensions)
        $0.member("user", ifPresent: request.user)
      }
    case .gemini:
      request.lose([.user], &losses)
      json.object { $0.array("requests") { for text in request.texts { Self.write(text, of: request, model, &$0) } } }
    case .cohere:
      try writeCoheres(request, &losses, into: &json) { $0.member("model", model) }
    case .bedrockCohere:
      try writeCoheres(request, &losses, into: &json) { _ in }
    case .titan(let isFirst):
      request.lose([.purpose, .title, .user] + (isFirst ? [.dimensions] : []), &losses)
      if request.texts.count > 1 {
        throw Refusal(
          request.list, "`\(request.list)` has several texts, and the model embeds one at a time: ask once for each.")
      }
      json.object {
        $0.member("inputText", request.texts.first ?? "")
        if !isFirst { $0.member("dimensions", ifPresent: request.dimensions) }
      }
    }
  }

  private static func write(
    _ text: String, of request: EmbeddingRequest, _ model: String, _ json: inout JSONWriter
  ) {
    json.object {
      $0.member("model", "models/\(model)")
      $0.object("content") { $0.array("parts") { $0.object { $0.member("text", text) } } }
      $0.member("taskType", ifPresent: request.purpose?.taskType)
      $0.member("outputDimensionality", ifPresent: request.dimensions)
    }
  }

  private func writeCoheres(
    _ request: EmbeddingRequest, _ losses: inout Losses, into json: inout JSONWriter,
    _ model: (inout JSONWriter) -> Void
  ) throws(Refusal) {
    request.lose([.title, .user], &losses)
    switch request.purpose {
    case nil, .query, .document, .classification, .clustering: break
    case .similarity, .answering, .verification, .code: request.lose([.purpose], &losses)
    }
    let isKnown = request.purpose.map { [.query, .document, .classification, .clustering].contains($0) } ?? false
    json.object {
      model(&$0)
      $0.array("texts") { for text in request.texts { $0.value(text) } }
      // Cohere must be told one.
      let purpose = isKnown ? request.purpose : nil
      $0.member("input_type", (purpose ?? .document).rawValue)
      $0.array("embedding_types") { $0.value("float") }
      $0.member("output_dimension", ifPresent: request.dimensions)
      $0.member("truncate", request.truncates ? "END" : "NONE")
    }
  }

  // MARK: Answers

  /// - Parameter count: how many vectors there must be.
  func read(_ body: JSONElement, count: Int) throws(Refusal) -> EmbeddingAnswer {
    var answer = EmbeddingAnswer()
    switch self {
    case .openai:
      answer.model = try body.optionalString("model") ?? ""
      let data = try body.requireMember("data").requireArray()
      let places = data.enumerated().map { $1["index"]?.integer ?? $0 }
      for place in data.indices {
        guard let at = places.firstIndex(of: place) else { throw .expected("in order", at: body) }
        answer.vectors.append(try EmbeddingVector(try data[at].requireMember("embedding")))
      }
    case .gemini:
      for embedding in try body.requireMember("embeddings").requireArray() {
        answer.vectors.append(try EmbeddingVector(try embedding.requireMember("values")))
      }
    case .titan: answer.vectors = [try EmbeddingVector(try body.requireMember("embedding"))]
    case .cohere, .bedrockCohere:
      let embeddings = try body.requireMember("embeddings")
      for vector in try (embeddings["float"] ?? embeddings).requireArray() {
        answer.vectors.append(try EmbeddingVector(vector))
      }
    }
    if answer.vectors.count != count { throw .expected("as many as were asked for", at: body) }
    answer.usage = Self.readUsage(body)
    return answer
  }

  /// What the provider counted, where each says it.
  static func readUsage(_ body: JSONElement) -> Usage {
    let said =
      body["usage"]?["prompt_tokens"] ?? body["usageMetadata"]?["promptTokenCount"] ?? body["inputTextTokenCount"]
      ?? body["meta"]?["billed_units"]?["input_tokens"]
    return Usage(input: Usage.count(said))
  }
}
