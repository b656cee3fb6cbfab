import AI
import Testing

/// What a provider says that is new here passes to a client of its dialect, and ends no stream.
struct UnknownAnswerTests {
  private static func chunk(_ index: Int, _ delta: String, _ reason: String = "null") -> String {
    #"data: {"id":"c","model":"m","choices":[{"index":\#(index),"delta":\#(delta),"finish_reason":\#(reason)}]}"#
      + "\n\n"
  }

  private static func call(_ index: Int, _ more: String) -> String { #"{"tool_calls":[{"index":\#(index),\#(more)}]}"# }

  private static let custom = call(0, #""id":"x","type":"custom","custom":{"name":"p","input":"abc"}"#)
  private static let own =
    chunk(0, custom) + chunk(0, "{}", #""tool_calls""#)
    + #"data: {"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5}}"#
    + "\n\ndata: [DONE]\n\n"

  private static let choices =
    chunk(0, call(0, #""id":"a","function":{"name":"f","arguments":""}"#))
    + chunk(0, call(1, #""id":"b","function":{"name":"g","arguments":""}"#))
    + chunk(1, call(0, #""id":"c","function":{"name":"f","arguments":"{}"}"#))
    + chunk(0, call(0, #""function":{"arguments":"{}"}"#)) + chunk(0, "{}", #""tool_calls""#)
    + chunk(1, "{}", #""tool_calls""#) + "data: [DONE]\n\n"

  private static let candidates =
    [(0, "A", ""), (1, "B", ""), (0, "C", #","finishReason":"STOP""#), (1, "D", #","finishReason":"STOP""#)].map {
      #"data: {"candidates":[{"index":\#($0.0),"content":{"parts":[{"text":"\#($0.1)"}]}\#($0.2)}]}"# + "\r\n\r\n"
    }.joined() + #"data: {"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":99}}"# + "\r\n\r\n"

  private static let partial =
    #"data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}"# + "\r\n\r\n"
    + #"data: {"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"x"}]}}]}}]}"#
    + "\r\n\r\n"
    + #"data: {"candidates":[{"content":{"parts":[]},"finishReason":"MALFORMED_FUNCTION_CALL"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":99}}"#
    + "\r\n\r\n"

  @Test(arguments: [
    (Front.chat, own, 7, 5), (.chat, choices, 0, 0), (.generate, candidates, 3, 99), (.generate, partial, 3, 99),
  ])
  func `a stream of the same dialect passes to its end, and what it counts is read`(
    _ front: Front, _ stream: String, _ input: Int, _ output: Int
  ) throws {
    let request = try Wire.request(front, Samples.streaming(front), to: front == .chat ? .openai : .gemini)
    // Whole, and in reads of one octet.
    for pieces in [[Array(stream.utf8)], stream.utf8.map { [$0] }] {
      var answer = ProviderAnswer(request, head: AnswerHead(id: "i", model: "m", created: 1))
      #expect(Wire.stream(pieces, &answer) == stream)
      #expect(answer.failure == nil && answer.isOver && answer.hasContent)
      #expect(answer.usage.input == input && answer.usage.output == output)
    }
  }

  @Test(arguments: [
    (
      Front.chat,
      #"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"x","type":"custom","custom":{"name":"p","input":"abc"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":5}}"#
    ),
    (
      .generate,
      #"{"candidates":[{"content":{"parts":[]},"finishReason":"MALFORMED_FUNCTION_CALL"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5}}"#
    ),
    (
      .messages,
      #"{"id":"m","model":"c","role":"assistant","content":[{"type":"text","texts":["new"]}],"usage":{"input_tokens":7,"output_tokens":5}}"#
    ),
  ])
  func `a whole answer of the same dialect passes as it is`(_ front: Front, _ body: String) throws {
    let back: Back = front == .chat ? .openai : front == .generate ? .gemini : .anthropic
    let sample = front == .chat ? ChatSamples.text : front == .generate ? GenerateSamples.text : MessagesSamples.text
    let request = try ModelRequest(
      front, body: Array(sample.utf8), path: front == .generate ? ("m", false) : nil
    ).prepare(for: back, model: "m")
    var answer = ProviderAnswer(request, head: AnswerHead(id: "i", model: "m", created: 1))
    let said = Wire.whole(body, &answer)
    #expect(said.status == 200 && said.body == body)
    #expect(answer.usage.input == 7 && answer.usage.output == 5 && answer.failure == nil)
  }

  @Test(arguments: [#"{"ok":true}"#, #"{"choices":[]}"#, "[]", "<html>"])
  func `what is no answer at all is none`(_ body: String) throws {
    let request = try Wire.request(.chat, ChatSamples.text, to: .openai)
    #expect(Wire.answer(body, request).status == 502)
  }

  @Test func `calls that are all numbered zero are as many as have ids`() throws {
    let stream =
      Self.chunk(0, Self.call(0, #""id":"a","function":{"name":"f","arguments":"{\"c\":1}"}"#))
      + Self.chunk(0, Self.call(0, #""id":"b","function":{"name":"f","arguments":"{\"c\""}"#))
      + Self.chunk(0, Self.call(0, #""id":"b","function":{"arguments":":2}"}"#)) + Self.chunk(0, "{}", #""tool_calls""#)
      + "data: [DONE]\n\n"
    let request = try Wire.request(.messages, Samples.streaming(.messages), to: .openai, unsupported: .drop)
    let heard = try Heard(.messages, Wire.stream(stream, request))
    #expect(heard.tools == ["f", "f"] && heard.arguments == [#"{"c":1}"#, #"{"c":2}"#])
  }

  @Test(arguments: [
    (
      Front.generate,
      #"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
      Failure.Kind.authentication, false
    ),
    (
      .messages,
      #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
      .quota, false
    ),
    (
      .chat,
      #"{"error":{"code":400,"message":"the request exceeds the available context size. try increasing it","type":"exceed_context_size_error"}}"#,
      .invalidRequest, true
    ),
    (
      .chat,
      #"{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}"#,
      .invalidRequest, true
    ),
  ])
  func `mistakes of the account and a prompt without room are told apart from the client's`(
    _ front: Front, _ body: String, _ kind: Failure.Kind, _ exceeds: Bool
  ) throws {
    let back: Back = front == .chat ? .openai : front == .generate ? .gemini : .anthropic
    let request = try Wire.request(front, Samples.streaming(front), to: back)
    var answer = ProviderAnswer(request, head: AnswerHead(id: "i", model: "m", created: 1))
    _ = Wire.whole(body, &answer, status: 400)
    #expect(answer.failure?.kind == kind && answer.failure?.exceedsContext == exceeds)
    #expect(answer.failure?.mayBeMended == true)
  }
}
