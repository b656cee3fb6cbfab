import AI
import GatewayTesting
import Testing

/// Why answers end, and what they cost, where providers say it in ways of their own.
struct AnswerEndTests {
  @Test func `an answer that Anthropic ended is withheld for others`() throws {
    let said = MessagesSamples.answer.replacing(#""stop_reason":"end_turn""#, with: #""stop_reason":"refusal""#)
    let chat = try Wire.request(.chat, ChatSamples.text, to: .anthropic)
    #expect(Wire.answer(said, chat).body.contains(#""finish_reason":"content_filter""#))
    let responses = try Wire.request(.responses, ResponsesSamples.text, to: .anthropic)
    #expect(Wire.answer(said, responses).body.contains(#""incomplete_details":{"reason":"content_filter"}"#))
  }

  @Test(arguments: ["malformed_model_output", "malformed_tool_use"])
  func `what Bedrock calls malformed is no answer, so that the next model is asked`(_ reason: String) throws {
    let request = try Wire.request(.chat, ChatSamples.text, to: .bedrock)
    let body =
      #"{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"\#(reason)","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}"#
    #expect(Wire.answer(body, request).status == 502)
  }

  @Test(arguments: [
    // As OpenAI counts, thoughts within; and as xAI does, beside.
    (10, 90, 70, 100, 90), (10, 20, 70, 100, 90), (10, 20, 0, 30, 20), (10, 20, 70, 0, 20),
  ])
  func `thoughts that are counted beside an answer belong to it`(
    _ input: Int, _ output: Int, _ thoughts: Int, _ total: Int, _ expected: Int
  ) throws {
    let request = try Wire.request(.messages, MessagesSamples.image, to: .openai, unsupported: .drop)
    let body =
      #"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":\#(input),"completion_tokens":\#(output),"total_tokens":\#(total),"completion_tokens_details":{"reasoning_tokens":\#(thoughts)}}}"#
    let answer = try JSONValue(parsing: Wire.answer(body, request).body)
    #expect(answer["usage"]?["output_tokens"]?.integer == expected)
  }

  @Test func `a file at an address is read where the model can fetch it`() throws {
    let body =
      #"{"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_url":"https://example.com/a.pdf"}]}]}"#
    let said = Wire.body(try Wire.request(.responses, body, to: .anthropic))
    #expect(said.contains(#"{"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"}}"#))
    let refusal = #expect(throws: Refusal.self) { try Wire.request(.responses, body, to: .openai) }
    #expect(refusal?.field == "input[0] (file)")
  }
}
