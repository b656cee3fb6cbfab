import AI
import Testing

/// Models that draw: the image reaches whoever's dialect has a place for it, and is not lost elsewhere.
struct DrawnImageTests {
  private static let gemini =
    #"{"responseId":"r","modelVersion":"gemini-3-image","candidates":[{"content":{"role":"model","parts":[{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"iVBO"}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1290}}"#
  private static let router =
    #"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Here.","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1290}}"#
  private static let shown = #""images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBO"}}]"#

  @Test func `a client of Chat Completions gets it as OpenRouter says it, whole and streamed`() throws {
    let whole = try Wire.request(.chat, ChatSamples.text, to: .gemini)
    #expect(Wire.answer(Self.gemini, whole).body.contains(Self.shown))
    let stream = try Wire.request(.chat, Samples.streaming(.chat), to: .gemini)
    #expect(Wire.stream("data: \(Self.gemini)\n\n", stream).contains(#""delta":{\#(Self.shown)}"#))
  }

  @Test func `in Responses it is an item of its own`() throws {
    let item =
      #""type":"image_generation_call","output_format":"png","result":"iVBO","status":"completed""#
    let stream = try Wire.request(.responses, Samples.streaming(.responses), to: .gemini)
    let said = Wire.stream("data: \(Self.gemini)\n\n", stream)
    let done = Wire.events(said).filter { $0.name == "response.output_item.done" && $0.data.contains(item) }
    #expect(done.count == 1)
    #expect(said.contains(#""type":"image_generation_call","result":null,"status":"in_progress""#))
    #expect(Wire.events(said).last?.data.contains(item) == true)
  }

  @Test func `Gemini's clients get that of another server`() throws {
    let request = try Wire.request(.generate, GenerateSamples.text, to: .openai, unsupported: .drop)
    #expect(Wire.answer(Self.router, request).body.contains(#"{"inlineData":{"mimeType":"image/png","data":"iVBO"}}"#))
    let chunk = Self.router.replacing(#""message""#, with: #""delta""#)
    #expect(
      Wire.stream("data: \(chunk)\n\ndata: [DONE]\n\n", request).contains(
        #"{"inlineData":{"mimeType":"image/png","data":"iVBO"}}"#))
  }

  @Test func `Anthropic's dialect has no place for it, and says so`() throws {
    let whole = try Wire.request(.messages, MessagesSamples.image, to: .gemini, unsupported: .drop)
    let answer = Wire.answer(Self.gemini, whole)
    #expect(answer.status == 502 && answer.body.contains("image"))
    let stream = try Wire.request(.messages, Samples.streaming(.messages), to: .gemini, unsupported: .drop)
    let said = Wire.stream("data: \(Self.gemini)\n\n", stream)
    #expect(said.contains("event: error") && !said.contains("message_stop"))
  }

  @Test func `a client may send it back`() throws {
    let body =
      #"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"Here.",\#(Self.shown)},{"role":"user","content":"Bluer."}]}"#
    let said = Wire.body(try Wire.request(.chat, body, to: .gemini))
    #expect(
      said.contains(
        #"{"role":"model","parts":[{"text":"Here."},{"inlineData":{"mimeType":"image/png","data":"iVBO"}}]}"#))
  }

  @Test func `it is not kept for others`() throws {
    let request = try Wire.request(.chat, ChatSamples.text, to: .gemini)
    var answer = ProviderAnswer(request, head: AnswerHead(id: "i", model: "m", created: 1))
    answer.record()
    _ = Wire.stream([Array("data: \(Self.gemini)\n\n".utf8)], &answer)
    #expect(answer.recorded == nil)
  }
}
