import AI
import Kernel
import Testing

/// Clients of Responses before a provider that has them: all passes as it came, and is read for what it counts.
///
/// The events are those of https://platform.openai.com/docs/api-reference/responses-streaming.
struct PassedResponsesTests {
  private static func request(_ more: String = "", unsupported: ProviderRequest.Unsupported = .refuse) throws(Refusal)
    -> ProviderRequest
  {
    try Wire.request(
      .responses, #"{"model":"fast","input":"Hi"\#(more)}"#, to: .responses, unsupported: unsupported)
  }

  private static let usage =
    #""usage":{"input_tokens":37,"input_tokens_details":{"cached_tokens":12},"output_tokens":11,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":48}"#
  private static let text =
    #"{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi there!","annotations":[]}]}"#
  private static let call =
    #"{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}"#
  private static let search = #"{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search"}}"#

  private static func response(_ status: String, _ output: [String] = [], _ more: String = #""error":null"#) -> String {
    #"{"id":"resp_1","object":"response","created_at":1741290958,"status":"\#(status)","model":"gpt-5","instructions":"Be brief.","output":[\#(output.joined(separator: ","))],\#(more)}"#
  }

  private static func stream(_ events: [(type: String, more: String)]) -> String {
    events.enumerated().map { number, event in
      "event: \(event.type)\n"
        + #"data: {"type":"\#(event.type)","sequence_number":\#(number),\#(event.more)}"# + "\n\n"
    }.joined()
  }

  private static let begun = [
    ("response.created", #""response":\#(response("in_progress"))"#),
    ("response.in_progress", #""response":\#(response("in_progress"))"#),
  ]
  private static let said = [
    ("response.output_item.added", #""output_index":0,"item":{"id":"msg_1","type":"message","content":[]}"#),
    ("response.content_part.added", #""output_index":0,"content_index":0,"part":{"type":"output_text","text":""}"#),
    ("response.output_text.delta", #""output_index":0,"content_index":0,"delta":"Hi","obfuscation":"aX"}"#.dropLast()),
    ("response.output_text.delta", #""output_index":0,"content_index":0,"delta":" there!"}"#.dropLast()),
    ("response.output_text.done", #""output_index":0,"content_index":0,"text":"Hi there!""#),
    ("response.output_item.done", #""output_index":0,"item":\#(text)"#),
  ].map { ($0.0, String($0.1)) }
  private static let called = [
    ("response.output_item.added", #""output_index":1,"item":{"type":"function_call","call_id":"call_1","name":"f"}"#),
    ("response.function_call_arguments.delta", #""output_index":1,"delta":"{\"a\":1}""#),
    ("response.function_call_arguments.done", #""output_index":1,"arguments":"{\"a\":1}""#),
    ("response.output_item.done", #""output_index":1,"item":\#(call)"#),
  ]
  private static let searched = [
    ("response.output_item.added", #""output_index":0,"item":{"id":"ws_1","type":"web_search_call"}"#),
    ("response.web_search_call.searching", #""output_index":0,"item_id":"ws_1""#),
    ("response.output_item.done", #""output_index":0,"item":\#(search)"#),
  ]
  private static func ended(_ status: String, _ output: [String], _ more: String) -> [(String, String)] {
    [("response.\(status)", #""response":\#(response(status, output, more))"#)]
  }

  private static let whole = stream(begun + said + ended("completed", [text], usage))

  private func answer(_ request: ProviderRequest) -> ProviderAnswer {
    var answer = ProviderAnswer(request, head: AnswerHead(id: "id-1", model: "asked-for", created: 1))
    answer.record()
    return answer
  }

  @Test func `the request passes octet for octet but for the model's name`() throws {
    let more =
      #" , "previous_response_id":"resp_0","tools":[{"type":"web_search"},{"type":"custom","name":"p"}],"store":true"#
    #expect(
      Wire.body(try Self.request(more)) == #"{"model":"the-model","input":"Hi"\#(more)}"#)
    #expect(throws: Refusal.self) { try Wire.request(.chat, ChatSamples.text, to: .responses) }
  }

  @Test func `what is to be fetched later is refused by its name, or asked for at once`() throws {
    #expect { try Self.request(#","background":true"#) } throws: { ($0 as? Refusal)?.field == "background" }
    let dropped = try Self.request(#","background":true"#, unsupported: .drop)
    #expect(dropped.dropped == ["background"] && Wire.body(dropped).hasSuffix(#""background":false}"#))
    #expect(try Self.request(#","background":false"#).dropped.isEmpty)
  }

  @Test(arguments: [
    (whole, "stop", true),
    (stream(begun + said + called + ended("completed", [text, call], usage)), "tool_calls", true),
    (
      stream(
        begun + said + ended("incomplete", [text], #""incomplete_details":{"reason":"max_output_tokens"},\#(usage)"#)),
      "length", true
    ),
    (stream(begun + searched + said + ended("completed", [search, text], usage)), "stop", false),
  ])
  func `a stream passes as it came however it is cut, is counted, and kept if all of it was understood`(
    _ stream: String, _ finish: String, _ isKept: Bool
  ) throws {
    let request = try Self.request(#","stream":true"#)
    let octets = Array(stream.utf8)
    for cut in [1, 7, octets.count] {
      var answer = answer(request)
      let pieces = stride(from: 0, to: octets.count, by: cut).map { Array(octets[$0..<min($0 + cut, octets.count)]) }
      #expect(Wire.stream(pieces, &answer) == stream)
      #expect(answer.isOver && answer.failure == nil && answer.finish?.reason.rawValue == finish)
      #expect(answer.usage == Usage(input: 37, cachedInput: 12, output: 11, reasoning: 4) && answer.model == "gpt-5")
      #expect((answer.recorded != nil) == isKept && answer.written >= 9)
      if isKept { #expect(answer.recorded?.parts.first == .text("Hi there!")) }
    }
  }

  @Test func `a stream that ends without saying so ends in an error, with the next number`() throws {
    let request = try Self.request(#","stream":true"#)
    for part in [Self.begun, Self.begun + Self.said, Self.begun + Self.searched] {
      var answer = answer(request)
      let text = Wire.stream([Array(Self.stream(part).utf8)], &answer)
      #expect(text.hasPrefix(Self.stream(part)) && answer.failure == .truncated)
      #expect(text.contains(#"{"type":"error","sequence_number":\#(part.count),"#))
    }
  }

  @Test(arguments: [
    (
      "response.failed",
      #""response":\#(response("failed", [], #""error":{"code":"server_error","message":"Busy"}"#))"#,
      Failure.Kind.server
    ),
    ("error", #""code":"rate_limit_exceeded","message":"Busy","param":null"#, .rateLimited),
  ])
  func `the provider's own error passes, and is one`(_ type: String, _ more: String, _ kind: Failure.Kind) throws {
    let stream = Self.stream(Self.begun + [(type, more)])
    var answer = answer(try Self.request(#","stream":true"#))
    #expect(Wire.stream([Array(stream.utf8)], &answer) == stream)
    #expect(answer.isOver && answer.failure?.kind == kind && answer.failure?.message == "Busy")
    #expect(!answer.hasContent && answer.recorded == nil)
  }

  @Test(arguments: ["[]", "{", #"{"type":5}"#, #"{"choices":[]}"#, #"{"type":"response.output_text.delta","delta":1"#])
  func `what is no event of the dialect ends the stream in an error`(_ data: String) throws {
    var answer = answer(try Self.request(#","stream":true"#))
    let text = Wire.stream([Array((Self.stream(Self.begun) + "data: \(data)\n\n").utf8)], &answer)
    #expect(answer.failure != nil && text.contains(#""type":"error","sequence_number":2"#))
  }

  @Test func `a whole answer passes as it came, and is counted`() throws {
    for (output, finish, isKept) in [([Self.text], "stop", true), ([Self.search, Self.call], "tool_calls", false)] {
      let body = Self.response("completed", output, Self.usage)
      var answer = answer(try Self.request())
      let (status, text) = Wire.whole(body, &answer)
      #expect(status == 200 && text == body && answer.usage.output == 11 && answer.usage.reasoning == 4)
      #expect(answer.finish?.reason.rawValue == finish && (answer.recorded != nil) == isKept)
    }
    var refused = answer(try Self.request())
    let error =
      #"{"error":{"message":"No such response","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}"#
    #expect(Wire.whole(error, &refused, status: 400) == (400, error) && refused.failure?.kind == .invalidRequest)
  }

  @Test(arguments: [
    (#"{"model":"m","input":"x"}"#, true, false), (#"{"model":"m","input":"x","store":false}"#, false, false),
    (#"{"model":"m","input":"x","store":false,"previous_response_id":"r"}"#, true, true),
    (#"{"model":"m","input":"x","store":false,"conversation":"c"}"#, true, true),
  ])
  func `what rests on what the provider keeps has no copies`(_ body: String, _ own: Bool, _ other: Bool) throws {
    let request = try ModelRequest(.responses, body: Array(body.utf8))
    #expect(request.isStored(by: .responses) == own && request.isStored(by: .openai) == other)
    #expect(try !ModelRequest(.chat, body: Array(ChatSamples.text.utf8)).isStored(by: .openai))
  }
}
