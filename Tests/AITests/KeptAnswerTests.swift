import AI
import Kernel
import Testing

/// Answers that are kept and given again, in any dialect, whole or as a stream.
struct KeptAnswerTests {
  private func answer(_ request: ProviderRequest) -> ProviderAnswer {
    ProviderAnswer(request, head: AnswerHead(id: "id-2", model: "asked-for", created: 1_800_000_000))
  }

  private func streamed(_ text: String, _ back: Back) throws -> Answer? {
    var answer = answer(try Wire.request(.chat, Samples.streaming(.chat), to: back))
    answer.record()
    var out = ByteBuffer()
    for byte in text.utf8 { answer.take([byte].span, into: &out) }
    answer.end(into: &out)
    return answer.recorded
  }

  private func whole(_ text: String, _ back: Back, status: Int = 200) throws -> Answer? {
    var answer = answer(try Wire.request(.chat, ChatSamples.text, to: back))
    answer.record()
    var out = ByteBuffer()
    _ = answer.translate(Array(text.utf8), status: status, into: &out)
    return answer.recorded
  }

  private func replay(_ kept: Answer, _ request: ProviderRequest) -> String {
    var answer = answer(request)
    var out = ByteBuffer()
    answer.replay(kept, into: &out)
    #expect(answer.isOver && answer.usage.isEmpty && answer.finish == kept.finish)
    return Wire.text(out)
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `a kept answer is a stream in every dialect, however it came`(_ front: Front, _ back: Back) throws {
    let request = try Wire.request(front, Samples.streaming(front), to: .openai)
    let texts = [try streamed(Samples.stream(back), back), try whole(Samples.answer(back), back)]
    for kept in texts {
      let kept = try #require(kept)
      let heard = try Heard(front, replay(kept, request))
      #expect(heard.isComplete && heard.error.isEmpty && !heard.text.isEmpty)
      #expect(
        heard.finish == [.chat: "stop", .messages: "end_turn", .generate: "STOP", .responses: "completed"][front])
      let said = kept.parts.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
      // The client of `Heard` takes Gemini's thoughts for text.
      #expect(front == .generate ? heard.text.hasSuffix(said) : heard.text == said)
      #expect(heard.output == kept.usage.output - (front == .generate ? kept.usage.reasoning : 0))
      #expect(heard.input == kept.usage.input - (front == .messages ? kept.usage.writtenInput : 0))
    }
    let kept = try #require(try streamed(Samples.streamWithTools(back), back))
    let tools = try Heard(front, replay(kept, request))
    #expect(tools.isComplete && tools.text == "Let me see." && tools.tools.first == "get_weather")
    #expect(tools.arguments.first == #"{"city":"Paris"}"#)
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `and a whole answer, from which the same is read again`(_ front: Front, _ back: Back) throws {
    let native: Back = [.chat: .openai, .messages: .anthropic, .generate: .gemini, .responses: .openai][front]!
    let path: (String, Bool)? = front == .generate ? ("the-alias", false) : nil
    let body = Samples.requests(front)[0].body
    let request = try ModelRequest(front, body: Array(body.utf8), path: path).prepare(for: native, model: "m")
    for kept in [try streamed(Samples.stream(back), back), try whole(Samples.answer(back), back)] {
      let kept = try #require(kept)
      let text = replay(kept, request)
      // Responses is a front only, so that nobody reads it back.
      if front == .responses {
        #expect(text.contains(#""status":"completed""#) && text.contains("output_text"), "\(text)")
        continue
      }
      let again = try #require(try whole(text, native))
      let said: (Answer) -> [String] = { answer in
        answer.parts.compactMap { if case .text(let text) = $0 { text } else { nil } }
      }
      #expect(said(again).joined() == said(kept).joined())
      #expect(again.finish.reason == kept.finish.reason && again.usage.output == kept.usage.output)
    }
  }

  @Test(arguments: Back.textual)
  func `a stream that broke off at any octet is not kept`(_ back: Back) throws {
    let bytes = Array(Samples.stream(back).utf8)
    for cut in stride(from: 0, to: bytes.count / 2, by: 7) {
      #expect(try streamed(String(decoding: bytes[..<cut], as: UTF8.self), back) == nil, "cut at \(cut)")
    }
  }

  @Test func `nor are failures, refusals and what was withheld`() throws {
    #expect(try streamed(Samples.streamWithError(.openai), .openai) == nil)
    #expect(try whole(Samples.error(.openai), .openai, status: 429) == nil)
    func message(_ message: String, _ reason: String) -> String {
      #"{"id":"c","created":1,"model":"m","choices":[{"index":0,"message":\#(message),"finish_reason":"\#(reason)"}]}"#
    }
    let said = #"{"role":"assistant","content":"Hi"}"#
    #expect(try whole(message(said, "stop"), .openai) != nil)
    #expect(try whole(message(said, "content_filter"), .openai) == nil)
    #expect(try whole(message(#"{"role":"assistant","refusal":"No."}"#, "stop"), .openai) == nil)
    #expect(try whole(message(#"{"role":"assistant","content":""}"#, "stop"), .openai) == nil)
  }

  @Test func `thoughts with their proof are kept for clients whose dialect has them`() throws {
    var kept = Answer()
    kept.parts = [.reasoning(.text("Hm.", signature: "s1")), .reasoning(.opaque("o1")), .text("Yes")]
    kept.usage = Usage(input: 7, cachedInput: 3, output: 5, reasoning: 2)
    let request = try Wire.request(.messages, Samples.streaming(.messages), to: .anthropic)
    let stream = replay(kept, request)
    var reader = answer(request)
    reader.record()
    var out = ByteBuffer()
    reader.take(Array(stream.utf8).span, into: &out)
    #expect(reader.recorded?.parts == kept.parts)
    #expect(stream.contains(#""type":"message_start""#) && stream.contains(#""cache_read_input_tokens":3"#))
  }

  @Test(arguments: Back.textual)
  func `an answer is the same behind its octets`(_ back: Back) throws {
    for kept in [try streamed(Samples.stream(back), back), try whole(Samples.answer(back), back)] {
      let answer = try #require(kept)
      #expect(Answer(octets: answer.octets) == answer)
    }
    var answer = Answer()
    answer.parts = [
      .text("a\"\u{0}ü"), .refusal("no"), .reasoning(.text("hm", signature: nil)),
      .reasoning(.text("hm", signature: "s")), .reasoning(.opaque("=")),
      .toolCall(ToolCall(id: "1", name: "f", arguments: #"{"a":1}"#)),
    ]
    answer.finish = Finish(.toolCalls, sequence: "END")
    answer.usage = Usage(input: 1, cachedInput: 2, writtenInput: 3, output: 4, reasoning: 5)
    answer.head = AnswerHead(id: "i", model: "m", created: 7)
    #expect(Answer(octets: answer.octets) == answer)
  }

  @Test func `octets that are none of an answer are none`() throws {
    var answer = Answer()
    answer.parts = [.text("Hi")]
    let octets = answer.octets
    for end in 0..<octets.count { #expect(Answer(octets: Array(octets[..<end])) == nil) }
    for (old, new) in [
      (#""v":1"#, #""v":2"#), (#"["text","Hi"]"#, #"["text"]"#), (#"["text","Hi"]"#, #"["text",5]"#),
      (#"["text","Hi"]"#, #"["image","Hi"]"#), (#""stop""#, #""why""#), ("[0,0,0,0,0]", "[0]"),
    ] {
      let text = String(decoding: octets, as: UTF8.self)
      #expect(text.contains(old))
      #expect(Answer(octets: Array(text.replacing(old, with: new).utf8)) == nil, "\(old)")
    }
  }

  @Test(arguments: [
    #"{"role":"assistant","tool_calls":[{"index":0,"id":"x","type":"custom","custom":{"name":"p","input":"abc"}}]}"#,
    #"{"content":["of a kind that is not known"]}"#,
  ])
  func `an answer of which something was not understood is not kept`(_ delta: String) throws {
    let known = #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Hi"}}]}"# + "\n\n"
    let strange = #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":\#(delta)}]}"# + "\n\n"
    let end =
      #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
      + "\n\ndata: [DONE]\n\n"
    #expect(try streamed(known + end, .openai)?.parts == [.text("Hi")])
    #expect(try streamed(known + strange + end, .openai) == nil)
  }
}
