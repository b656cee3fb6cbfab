import Kernel
import Testing

@testable import AI

/// What calls that are no conversations may use, before anybody has counted.
@Suite struct OperationSizeTests {
  private func request(_ path: String, _ body: String) throws -> ModelRequest {
    let operation = try #require(PassedOperation.all.first { $0.path == path })
    return try ModelRequest(
      operation.front, body: Array(body.utf8), path: operation.front == .generate ? ("m", false) : nil,
      operation: operation)
  }

  @Test(arguments: [
    (#""12345678""#, 2, false), (#"["1234","5678"]"#, 2, false), ("[1,2,3]", 3, true), ("[[1,2],[3]]", 3, true),
    ("[]", 0, false),
  ])
  func `embeddings are as large as their texts, or as the tokens that they say`(
    input: String, tokens: Int, saysTokens: Bool
  ) throws {
    let empty = try request("/embeddings", #"{"model":"m","input":"","dimensions":8}"#)
    let request = try request("/embeddings", #"{"model":"m","input":\#(input),"dimensions":8}"#)
    #expect(request.inputTokens == empty.inputTokens + tokens && request.saysTokens == saysTokens)
    #expect(request.outputTokens == 0)
  }

  @Test func `what is free is as large as nothing, and what writes says how much it may`() throws {
    for (path, body) in [
      ("/moderations", #"{"model":"m","input":"some text"}"#),
      ("/messages/count_tokens", #"{"model":"m","messages":[{"role":"user","content":"some text"}]}"#),
      (":countTokens", #"{"contents":[{"parts":[{"text":"some text"}]}]}"#),
    ] {
      let request = try request(path, body)
      #expect(request.inputTokens == 0 && request.outputTokens == 0, "\(path)")
    }
    #expect(try request("/audio/speech", #"{"model":"m","input":"some text"}"#).outputTokens == nil)
  }

  @Test(arguments: [
    (#"{"prompt_tokens":8,"total_tokens":8}"#, 8, 0), (#"{"input_tokens":5,"output_tokens":100}"#, 5, 100),
    (#"{"total_tokens":9}"#, 9, 0), ("{}", 0, 0),
  ])
  func `counts are read in every spelling`(usage: String, input: Int, output: Int) throws {
    let request = try request("/rerank", #"{"model":"m","query":"x","documents":["y"]}"#)
    var answer = ProviderAnswer(try request.prepare(for: .openai, model: "m"), head: AnswerHead())
    var out = ByteBuffer()
    #expect(answer.translate(Array(#"{"data":[],"usage":\#(usage)}"#.utf8), status: 200, into: &out) == 200)
    #expect(answer.usage.input == input && answer.usage.output == output)
  }
}
