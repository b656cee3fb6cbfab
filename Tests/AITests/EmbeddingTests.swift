import GatewayTesting
import Kernel
import Testing

@testable import AI

/// Embeddings from every front to every back.
struct EmbeddingTests {
  private static let paths: [Front: String] = [.chat: "/embeddings", .generate: ":batchEmbedContents"]

  private func asked(_ front: Front, _ body: String, path: String? = nil) throws -> ModelRequest {
    let operation = try #require(PassedOperation.all.first { $0.path == path ?? Self.paths[front] })
    return try ModelRequest(
      front, body: Array(body.utf8), path: front == .generate ? ("alias", false) : nil, operation: operation)
  }

  private func prepare(
    _ front: Front, _ body: String, to back: EmbeddingBack?, path: String? = nil, drop: Bool = false
  ) throws -> ProviderRequest {
    try asked(front, body, path: path).prepareEmbeddings(
      for: back, model: "the-model", unsupported: drop ? .drop : .refuse)
  }

  private func refusal(_ front: Front, _ body: String, to back: EmbeddingBack?, path: String? = nil) -> String? {
    do {
      _ = try prepare(front, body, to: back, path: path)
      return nil
    } catch { return (error as? Refusal)?.field }
  }

  // MARK: Requests

  @Test func `the same dialect passes as it came, but for the model's name`() throws {
    let openai = try prepare(.chat, #"{"input" : [1, 2], "model":"a", "new": 1}"#, to: .openai)
    #expect(Wire.body(openai) == #"{"input" : [1, 2], "model":"the-model", "new": 1}"# && openai.embeddings == nil)
    let gemini = try prepare(.generate, EmbeddingSamples.geminiBatch, to: .gemini)
    #expect(Wire.body(gemini) == EmbeddingSamples.geminiBatch.replacing("gemini-embedding-001", with: "the-model"))
  }

  @Test(arguments: [
    (
      EmbeddingBack.gemini,
      #"{"requests":[{"model":"models/the-model","content":{"parts":[{"text":"The food was delicious"}]}}]}"#
    ),
    (
      .cohere,
      #"{"model":"the-model","texts":["The food was delicious"],"input_type":"search_document","embedding_types":["float"],"truncate":"NONE"}"#
    ),
    (.titan(isFirst: false), #"{"inputText":"The food was delicious"}"#),
    (.titan(isFirst: true), #"{"inputText":"The food was delicious"}"#),
    (
      .bedrockCohere,
      #"{"texts":["The food was delicious"],"input_type":"search_document","embedding_types":["float"],"truncate":"NONE"}"#
    ),
  ])
  func `OpenAI's clients ask everybody`(_ back: EmbeddingBack, _ expected: String) throws {
    #expect(Wire.body(try prepare(.chat, EmbeddingSamples.openai, to: back)) == expected)
  }

  @Test func `Google's clients ask everybody, for one or many`() throws {
    let many = Wire.body(try prepare(.generate, EmbeddingSamples.geminiBatch, to: .openai))
    #expect(
      many
        == #"{"model":"the-model","input":["What is the meaning of life?","How much wood would a woodchuck chuck?"],"encoding_format":"float"}"#
    )
    let one = Wire.body(
      try prepare(.generate, EmbeddingSamples.gemini, to: .titan(isFirst: false), path: ":embedContent"))
    #expect(one == #"{"inputText":"What is the meaning of life?"}"#)
    let settings =
      #"{"content":{"parts":[{"text":"x"}]},"task_type":"RETRIEVAL_QUERY","embedContentConfig":{"outputDimensionality":256,"autoTruncate":true}}"#
    #expect(
      Wire.body(try prepare(.generate, settings, to: .cohere, path: ":embedContent"))
        == #"{"model":"the-model","texts":["x"],"input_type":"search_query","embedding_types":["float"],"output_dimension":256,"truncate":"END"}"#
    )
  }

  @Test func `dimensions and purposes are said as each back has them`() throws {
    let body = #"{"model":"a","input":["x"],"dimensions":256,"input_type":"search_query"}"#
    #expect(
      Wire.body(try prepare(.chat, body, to: .gemini)).hasSuffix(
        #""taskType":"RETRIEVAL_QUERY","outputDimensionality":256}]}"#))
    #expect(Wire.body(try prepare(.chat, body, to: .bedrockCohere)).contains(#""input_type":"search_query""#))
    let plain = #"{"model":"a","input":"x","dimensions":256}"#
    #expect(Wire.body(try prepare(.chat, plain, to: .titan(isFirst: false))) == #"{"inputText":"x","dimensions":256}"#)
    for purpose in EmbeddingRequest.Purpose.allCases {
      let body = #"{"model":"a","input":"x","input_type":"\#(purpose.rawValue)"}"#
      #expect(Wire.body(try prepare(.chat, body, to: .gemini)).contains(#""taskType":"\#(purpose.taskType)""#))
    }
  }

  @Test(arguments: [
    (#"{"model":"a","input":"x","user":"u"}"#, EmbeddingBack.gemini, "user"),
    (#"{"model":"a","input":"x","user":"u"}"#, .cohere, "user"),
    (#"{"model":"a","input":"x","dimensions":3}"#, .titan(isFirst: true), "dimensions"),
    (#"{"model":"a","input":"x","input_type":"query"}"#, .titan(isFirst: false), "input_type"),
    (#"{"model":"a","input":"x","input_type":"similarity"}"#, .cohere, "input_type"),
    (#"{"model":"a","input":"x","input_type":"nonsense"}"#, .cohere, "input_type"),
    (#"{"model":"a","input":"x","encoding_format":"int8"}"#, .cohere, "encoding_format"),
    (#"{"model":"a","input":"x","metadata":{}}"#, .gemini, "metadata"),
    (#"{"model":"a","input":["x","y"]}"#, .titan(isFirst: false), "input"),
    (#"{"model":"a","input":[1,2]}"#, .gemini, "input"), (#"{"model":"a","input":[[1],[2]]}"#, .cohere, "input"),
    (#"{"model":"a","input":[]}"#, .gemini, "input"), (#"{"model":"a"}"#, .gemini, "input"),
    (#"{"model":"a","input":7}"#, .gemini, "input"), (#"{"model":"a","input":["x",{}]}"#, .gemini, "input[1]"),
    (#"{"model":"a","input":"x"}"#, nil, "model"),
  ])
  func `what OpenAI's clients say and the model cannot be told is refused by its name`(
    _ body: String, _ back: EmbeddingBack?, _ field: String
  ) { #expect(refusal(.chat, body, to: back) == field) }

  @Test(arguments: [
    (#"{"content":{"parts":[{"text":"x"}]},"title":"T"}"#, "title"),
    (#"{"content":{"parts":[{"text":"x"}]},"taskType":"CODE_RETRIEVAL_QUERY"}"#, "taskType"),
    (
      #"{"content":{"parts":[{"text":"x"}]},"embedContentConfig":{"documentOcr":true}}"#,
      "embedContentConfig.documentOcr"
    ),
    (#"{"content":{"parts":[{"text":"x"},{"text":"y"}]}}"#, "content.parts[1]"),
    (#"{"content":{"parts":[{"inlineData":{"data":"AA","mimeType":"image/png"}}]}}"#, "content.parts[0]"),
    (#"{"content":{"parts":[]}}"#, "content.parts"), (#"{}"#, "content"),
    (#"{"content":{"parts":[{"text":"x"}]},"taskType":"DREAMING"}"#, "taskType"),
  ])
  func `and so for Google's`(_ body: String, _ field: String) {
    #expect(refusal(.generate, body, to: .cohere, path: ":embedContent") == field)
  }

  @Test func `texts of one request that want different things are not mixed`() throws {
    let body =
      #"{"requests":[{"content":{"parts":[{"text":"x"}]}},{"content":{"parts":[{"text":"y"}]},"outputDimensionality":3}]}"#
    #expect(refusal(.generate, body, to: .openai) == "requests[1]")
    #expect(refusal(.generate, EmbeddingSamples.geminiBatch, to: .titan(isFirst: false)) == "requests")
  }

  @Test func `what may be left out is, and told`() throws {
    let body = #"{"model":"a","input":"x","user":"u","input_type":"code"}"#
    let request = try prepare(.chat, body, to: .cohere, drop: true)
    #expect(request.dropped == ["user", "input_type"] && Wire.body(request).contains("search_document"))
  }

  @Test func `models of Bedrock are asked as their names say`() {
    #expect(EmbeddingBack(bedrock: "amazon.titan-embed-text-v2:0") == .titan(isFirst: false))
    #expect(EmbeddingBack(bedrock: "amazon.titan-embed-text-v1") == .titan(isFirst: true))
    #expect(EmbeddingBack(bedrock: "eu.cohere.embed-v4:0") == .bedrockCohere)
    #expect(EmbeddingBack(bedrock: "anthropic.claude-3-haiku") == nil)
  }

  // MARK: Answers

  private func answer(_ text: String, _ request: ProviderRequest, status: Int = 200, counted: Int = 0) -> (
    status: Int, body: String, usage: Usage, failure: Failure?
  ) {
    var answer = ProviderAnswer(request, head: AnswerHead(id: "i", model: "asked-for", created: 1))
    answer.countedInput = counted
    var out = ByteBuffer()
    let status = answer.translate(Array(text.utf8), status: status, into: &out)
    return (status, Wire.text(out), answer.usage, answer.failure)
  }

  private static let two = #"{"model":"a","input":["hello","goodbye"]}"#

  @Test func `vectors reach OpenAI's clients as the provider wrote them`() throws {
    let cohere = answer(EmbeddingSamples.cohereAnswer, try prepare(.chat, Self.two, to: .cohere))
    #expect(
      cohere.body
        == #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.016296387,-0.008354187]},{"object":"embedding","index":1,"embedding":[0.04663086,-0.023239136]}],"model":"asked-for","usage":{"prompt_tokens":2,"total_tokens":2}}"#
    )
    #expect(cohere.status == 200 && cohere.usage == Usage(input: 2))
    let gemini = answer(EmbeddingSamples.geminiBatchAnswer, try prepare(.chat, Self.two, to: .gemini))
    #expect(gemini.usage == Usage(input: 15) && gemini.body.contains("[-0.022374554,-0.004560777]"))
    let titan = answer(
      EmbeddingSamples.titanAnswer, try prepare(.chat, EmbeddingSamples.openai, to: .titan(isFirst: false)))
    #expect(titan.usage == Usage(input: 7) && titan.body.contains("[-0.09,0.04]"))
  }

  @Test func `nobody counts, or the head of the answer does`() throws {
    let request = try prepare(.chat, Self.two, to: .bedrockCohere)
    let counted = answer(EmbeddingSamples.bedrockCohereAnswer, request, counted: 11)
    #expect(counted.usage == Usage(input: 11) && counted.body.contains(#""prompt_tokens":11"#))
    // OpenAI's clients need a count: it is estimated for them, and noted as not known.
    let uncounted = answer(EmbeddingSamples.bedrockCohereAnswer, request)
    let estimate = try asked(.chat, Self.two).inputTokens
    #expect(estimate > 0 && uncounted.usage.isEmpty)
    #expect(uncounted.body.contains(#""prompt_tokens":\#(estimate),"#), "\(uncounted.body)")
  }

  @Test func `base64 is what OpenAI's package decodes`() throws {
    let body = #"{"model":"a","input":["a","b"],"encoding_format":"base64"}"#
    let said = answer(EmbeddingSamples.bedrockCohereAnswer, try prepare(.chat, body, to: .bedrockCohere)).body
    // struct.pack("<2f", 0.25, -0.5) and struct.pack("<2f", 1, 2)
    #expect(said.contains(#""embedding":"AACAPgAAAL8=""#) && said.contains(#""embedding":"AACAPwAAAEA=""#), "\(said)")
    let huge = EmbeddingSamples.bedrockCohereAnswer.replacing("0.25", with: "1e99")
    #expect(answer(huge, try prepare(.chat, body, to: .bedrockCohere)).failure == .malformedAnswer)
  }

  @Test func `vectors reach Google's clients, in order`() throws {
    let request = try prepare(.generate, EmbeddingSamples.geminiBatch, to: .openai)
    let backwards =
      #"{"data":[{"index":1,"embedding":[1]},{"index":0,"embedding":[0]}],"usage":{"prompt_tokens":3}}"#
    #expect(
      answer(backwards, request).body
        == #"{"embeddings":[{"values":[0]},{"values":[1]}],"usageMetadata":{"promptTokenCount":3}}"#)
    let one = try prepare(.generate, EmbeddingSamples.gemini, to: .openai, path: ":embedContent")
    #expect(
      answer(EmbeddingSamples.openaiAnswer, one).body
        == #"{"embedding":{"values":[0.0023064255,-0.009327292,-2.884e-3]},"usageMetadata":{"promptTokenCount":8}}"#)
  }

  @Test(arguments: [
    "nonsense", "{}", #"{"embeddings":[]}"#, #"{"embeddings":[[1]]}"#, #"{"embeddings":[[1],["x"]]}"#,
    #"{"embeddings":[[1],[2],[3]]}"#, #"{"embeddings":{"int8":[[1],[2]]}}"#, #"{"embeddings":[[1],null]}"#, "[]",
  ])
  func `what are not the vectors that were asked for is no answer`(_ text: String) throws {
    let said = answer(text, try prepare(.chat, Self.two, to: .cohere))
    #expect(said.status == 502 && said.failure == .malformedAnswer && said.usage.isEmpty)
  }

  @Test func `a position that is missing or twice there is no answer`() throws {
    let request = try prepare(.generate, EmbeddingSamples.geminiBatch, to: .openai)
    for places in [[0, 0], [1, 2], [-1, 0]] {
      let data = places.map { #"{"index":\#($0),"embedding":[1]}"# }.joined(separator: ",")
      #expect(answer(#"{"data":[\#(data)]}"#, request).failure == .malformedAnswer)
    }
  }

  @Test func `errors have the client's shape`() throws {
    let cohere = answer(EmbeddingSamples.cohereError, try prepare(.chat, Self.two, to: .cohere), status: 401)
    #expect(cohere.status == 401 && cohere.failure?.kind == .authentication)
    #expect(cohere.body.hasPrefix(#"{"error":{"message":"invalid api token""#), "\(cohere.body)")
    let google = answer(
      #"{"error":{"message":"Slow down","type":"x"}}"#,
      try prepare(.generate, EmbeddingSamples.geminiBatch, to: .openai), status: 429)
    #expect(google.body.contains(#""code":429"#) && google.body.contains("RESOURCE_EXHAUSTED"), "\(google.body)")
    let page = answer("<html>", try prepare(.chat, Self.two, to: .gemini), status: 503)
    #expect(page.status == 503 && page.body.contains("503"))
  }

  @Test func `what a call is expected to use is known`() throws {
    #expect(try asked(.chat, #"{"model":"a","input":"12345678"}"#).outputTokens == 0)
    // The name of the model is counted with the rest: an estimate errs on the safe side.
    #expect(try asked(.chat, #"{"model":"a","input":[[1,2,3],[4]]}"#).inputTokens >= 4)
    let counting = try #require(PassedOperation.all.first { $0.path == ":countTokens" })
    let request = try ModelRequest(
      .generate, body: Array(#"{"contents":[{"parts":[{"text":"Hello there"}]}]}"#.utf8), path: ("m", false),
      operation: counting)
    #expect(request.inputTokens == 0 && request.outputTokens == 0)
  }
}
