import AI
import Testing

struct RealtimeUsageTests {
  /// https://platform.openai.com/docs/api-reference/realtime-server-events/response/done
  private static let done =
    #"{"event_id":"event_3132","type":"response.done","response":{"id":"resp_001","object":"realtime.response","status":"completed","output":[],"usage":{"total_tokens":275,"input_tokens":127,"output_tokens":148,"input_token_details":{"cached_tokens":64,"text_tokens":119,"audio_tokens":8},"output_token_details":{"text_tokens":36,"audio_tokens":112}}}}"#

  @Test func `the end of an answer says what it used`() {
    #expect(RealtimeUsage.read(Array(Self.done.utf8)) == Usage(input: 127, cachedInput: 64, output: 148))
  }

  @Test(arguments: [
    "", "[]", "nonsense", #"{"type":"response.done"}"#, #"{"type":"session.created"}"#,
    #"{"type":"response.created","response":{"usage":{"input_tokens":1}}}"#,
  ])
  func `nothing else does`(_ event: String) { #expect(RealtimeUsage.read(Array(event.utf8)) == nil) }
}
