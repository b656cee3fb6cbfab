import AI
import Kernel
import Testing

/// How large a call is before a model has counted, and what came of a stream that nobody counted.
struct RequestSizeTests {
  private func request(_ front: Front, _ body: String) throws -> ModelRequest {
    try ModelRequest(front, body: Array(body.utf8), path: front == .generate ? ("m", false) : nil)
  }

  @Test(arguments: [
    (Front.chat, #"{"model":"m","max_tokens":7}"#, 7),
    (.chat, #"{"model":"m","max_tokens":7,"max_completion_tokens":9}"#, 9),
    (.chat, #"{"model":"m","max_tokens":7,"n":3}"#, 21), (.chat, #"{"model":"m","max_tokens":7,"n":-3}"#, 7),
    (.messages, #"{"model":"m","max_tokens":7}"#, 7), (.responses, #"{"model":"m","max_output_tokens":7}"#, 7),
    (.generate, #"{"generationConfig":{"maxOutputTokens":7,"candidateCount":2}}"#, 14),
    (.chat, #"{"model":"m","max_tokens":9223372036854775807,"n":9223372036854775807}"#, 1 << 50),
  ])
  func `what the answer may have is read in every dialect`(_ front: Front, _ body: String, _ tokens: Int) throws {
    #expect(try request(front, body).outputTokens == tokens)
  }

  @Test(arguments: [
    #"{"model":"m"}"#, #"{"model":"m","max_tokens":null}"#, #"{"model":"m","max_tokens":-1}"#,
    #"{"model":"m","max_tokens":"7"}"#,
  ])
  func `what says no limit has none`(_ body: String) throws {
    let request = try request(.chat, body)
    #expect(request.outputTokens == nil)
    #expect(request.outputTokens(for: .anthropic) == 4096 && request.outputTokens(for: .openai) == nil)
  }

  @Test func `a prompt counts by its length, and an image as one`() throws {
    let text = String(repeating: "four", count: 1000)
    let words = String(repeating: "a few words ", count: 1000)
    let short = try request(.chat, #"{"model":"m","messages":[{"content":"\#(text)"}]}"#).inputTokens
    #expect((1000...1010).contains(short))
    let long = try request(.chat, #"{"model":"m","messages":[{"content":"\#(words)"}]}"#).inputTokens
    #expect((3000...3010).contains(long))
    let image = String(repeating: "iVBORw0KGgo/", count: 10_000)
    let seen = try request(.chat, #"{"model":"m","messages":[{"image_url":"data:image/png;base64,\#(image)"}]}"#)
      .inputTokens
    #expect((1500...1510).contains(seen))
  }

  @Test func `every text of a request is read in its order, but no data`() throws {
    let body =
      #"{"model":"m","max_tokens":1,"system":"One","messages":[{"role":"user","content":[{"type":"text","text":"Two"}]},{"role":"assistant","content":"Three"}]}"#
    #expect(try request(.messages, body).texts == ["m", "One", "user", "text", "Two", "assistant", "Three"])
    #expect(try request(.messages, #"{"model":"m","new":[{"place":"a\u0041"}]}"#).texts == ["m", "aA"])
    let image = String(repeating: "iVBORw0KGgo/", count: 10_000)
    #expect(try request(.messages, #"{"model":"m","image":"\#(image)"}"#).texts == ["m"])
    #expect(try request(.messages, #"{"model":"m","image":"\#(image) hidden"}"#).texts.count == 2)
  }

  @Test func `what the model wrote is counted as it comes`() throws {
    let request = try Wire.request(.chat, #"{"model":"a","stream":true}"#, to: .openai)
    var answer = ProviderAnswer(request, head: AnswerHead())
    var out = ByteBuffer()
    for text in ["Hel", "lo", "ü"] {
      answer.take(
        Array((#"data: {"choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"# + "\n\n").utf8).span, into: &out)
    }
    #expect(answer.written == 7 && !answer.isOver)
  }
}
