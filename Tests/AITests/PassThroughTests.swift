@testable import AI
import Kernel
import Testing

struct PassThroughTests {
  @Test func `the same dialect passes octet for octet but for the model's name`() throws {
    let body = #"{ "messages" : [ {"role":"user","content":"\u0041"} ], "model" : "fast", "new_field": {"x": 1e0} }"#
    let request = try Wire.request(.chat, body, to: .openai, model: "gpt-4o \"mini\"")
    #expect(
      Wire.body(request)
        == #"{ "messages" : [ {"role":"user","content":"\u0041"} ], "model" : "gpt-4o \"mini\"", "new_field": {"x": 1e0} }"#
    )
  }

  @Test(arguments: [
    (#"{"model":"a","stream":true}"#, #"{"stream_options":{"include_usage":true},"model":"b","stream":true}"#),
    (
      #"{"model":"a","stream":true,"stream_options":null}"#,
      #"{"model":"b","stream":true,"stream_options":{"include_usage":true}}"#
    ),
    (
      #"{"stream_options":{},"model":"a","stream":true}"#,
      #"{"stream_options":{"include_usage":true},"model":"b","stream":true}"#
    ),
    (
      #"{"stream_options":{"include_usage":false},"model":"a","stream":true}"#,
      #"{"stream_options":{"include_usage":true},"model":"b","stream":true}"#
    ),
    (
      #"{"stream_options":{"x":1},"model":"a","stream":true}"#,
      #"{"stream_options":{"include_usage":true,"x":1},"model":"b","stream":true}"#
    ),
  ])
  func `the usage of a stream is asked for, whatever the client said`(_ body: String, _ expected: String) throws {
    let request = try Wire.request(.chat, body, to: .openai, model: "b")
    #expect(Wire.body(request) == expected)
    #expect(!request.showsUsage)
  }

  @Test func `the usage that only the gateway asked for is not shown`() throws {
    let quiet = try Wire.request(.chat, #"{"model":"a","stream":true}"#, to: .openai)
    let shown = Wire.stream(ChatSamples.stream, quiet)
    #expect(!shown.contains("prompt_tokens"))
    #expect(shown.hasSuffix("data: [DONE]\n\n"))
    let asked = try Wire.request(.chat, Samples.streaming(.chat), to: .openai)
    #expect(Wire.stream(ChatSamples.stream, asked) == ChatSamples.stream)
  }

  @Test(arguments: [
    (
      #"{"id":"c","choices":[{"delta":{"content":"a,b"}}],"usage":null}"#,
      #"{"id":"c","choices":[{"delta":{"content":"a,b"}}]}"#
    ),
    (#"{"choices":[], "usage": null, "obfuscation": "x"}"#, #"{"choices":[], "obfuscation": "x"}"#),
    (
      #"{"choices":[{"delta":{"content":",\"usage\":null"}}],"usage":{"prompt_tokens":1}}"#,
      #"{"choices":[{"delta":{"content":",\"usage\":null"}}],"usage":{"prompt_tokens":1}}"#
    ),
    (#"{"choices":[],"usage":nul"#, #"{"choices":[],"usage":nul"#),
    (#"{"choices":[],"usage""#, #"{"choices":[],"usage""#),
  ])
  func `nor that nothing is known of it yet`(_ said: String, _ shown: String) throws {
    var events = ServerSentEvents()
    let bytes = Array("data: \(said)\n\n".utf8)
    var position = 0
    #expect(try events.next(bytes.span, at: &position))
    var out = ByteBuffer()
    #expect(events.appendRawWithoutUsage(to: &out) == (said != shown))
    #expect(Wire.text(out) == "data: \(shown)\n\n")
    let quiet = try Wire.request(.chat, #"{"model":"a","stream":true}"#, to: .openai)
    let chunk = #"{"id":"c","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}],"usage":null}"#
    let more = ["y", "zz", ",\\\"usage\\\":null"].map {
      "data: " + chunk.replacing(#""x""#, with: "\"\($0)\"") + "\n\n"
    }.joined()
    let told = Wire.stream("data: \(chunk)\n\n\(more)data: [DONE]\n\n", quiet)
    #expect(!told.contains(#"","usage":null"#) && !told.contains(#"}],"usage""#) && told.contains(#"\"usage\":null"#))
  }

  @Test func `a stream of the same dialect passes octet for octet, comments too`() throws {
    let request = try Wire.request(.messages, Samples.streaming(.messages), to: .anthropic)
    #expect(Wire.stream(MessagesSamples.stream, request) == MessagesSamples.stream)
    let chat = try Wire.request(.chat, Samples.streaming(.chat), to: .openai)
    let stream = ChatSamples.stream.withLineEnds("\r\n")
    for cut in 0...stream.utf8.count {
      let bytes = Array(stream.utf8)
      #expect(Wire.stream([Array(bytes[..<cut]), Array(bytes[cut...])], chat).unixLines == ChatSamples.stream)
    }
  }

  @Test func `a whole answer of the same dialect passes as it came`() throws {
    let request = try Wire.request(.chat, ChatSamples.text, to: .openai)
    #expect(Wire.answer(ChatSamples.answer, request).body == ChatSamples.answer)
    let (status, body) = Wire.answer(ChatSamples.error, request, status: 429)
    #expect(status == 429 && body == ChatSamples.error)
  }
}
