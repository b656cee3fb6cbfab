import AI
import Testing

/// What clients say beside the words that every dialect has: said on, or refused by its name.
struct SilentLossTests {
  private func refusal(_ front: Front, _ body: String, to back: Back) -> String? {
    do {
      _ = try Wire.request(front, body, to: back)
      return nil
    } catch { return error.field }
  }

  @Test(arguments: [Back.anthropic, .gemini, .bedrock])
  func `how closely to look at an image is OpenAI's word`(_ back: Back) {
    func body(_ detail: String) -> String {
      #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"\#(detail)}}]}]}"#
    }
    #expect(refusal(.chat, body(#","detail":"low""#), to: back) == "messages[0] (image detail)")
    #expect(refusal(.chat, body(#","detail":"auto""#), to: back) == nil)
    #expect(refusal(.chat, body(""), to: back) == nil)
  }

  @Test(arguments: [Back.anthropic, .gemini])
  func `what an answer is for stands in its schema`(_ back: Back) throws {
    func body(_ schema: String) -> String {
      #"{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"Say \"all\"","schema":\#(schema),"strict":true}}}"#
    }
    let said = Wire.body(try Wire.request(.chat, body(#"{ "type":"object"}"#), to: back))
    #expect(said.contains(#"{ "description":"Say \"all\"","type":"object"}"#), "\(said)")
    let own = Wire.body(try Wire.request(.chat, body(#"{"description":"own"}"#), to: back))
    #expect(own.contains(#"{"description":"own"}"#))
  }

  @Test func `what a tool of Google's client shows is said on`() throws {
    func body(_ more: String) -> String {
      #"{"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"see"}\#(more)}}]}]}"#
    }
    let image = #","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]"#
    let said = Wire.body(try Wire.request(.generate, body(image), to: .anthropic))
    #expect(
      said.contains(
        #""content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]"#
      ), "\(said)")
    #expect(refusal(.generate, body(image), to: .openai) == "contents[2] (image)")
    #expect(
      refusal(.generate, body(#","willContinue":true"#), to: .openai)
        == "contents[2].parts[0].functionResponse.willContinue")
    let anthropic =
      #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}]}"#
    #expect(
      Wire.body(try Wire.request(.messages, anthropic, to: .gemini)).contains(
        #""response":{"output":""},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]"#))
  }

  @Test func `Google's schemas become JSON Schema, with what may be null and no other members`() throws {
    let body =
      #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true},"nullable":{"type":"INTEGER"},"list":{"type":"ARRAY","items":{"type":"OBJECT","properties":{}}}},"required":["type"],"propertyOrdering":["type"]}}}"#
    let said = Wire.body(try Wire.request(.generate, body, to: .anthropic))
    #expect(
      said.contains(
        #""schema":{"type":"object","properties":{"type":{"type":["string","null"]},"nullable":{"type":"integer"},"list":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":false}}},"required":["type"],"additionalProperties":false}"#
      ), "\(said)")
  }

  @Test func `a number of tokens to think has room in the answer`() throws {
    func body(_ tokens: Int) -> String {
      #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":\#(tokens)}}}"#
    }
    for (tokens, most) in [(8192, 32_000), (40_000, 44_096)] {
      let said = Wire.body(try Wire.request(.generate, body(tokens), to: .anthropic, model: "claude-sonnet-4-5"))
      #expect(said.contains(#""max_tokens":\#(most)"#) && said.contains(#""budget_tokens":\#(tokens)"#))
      let size = try ModelRequest(.generate, body: Array(body(tokens).utf8), path: ("m", false))
      #expect(size.outputTokens(for: .anthropic) == most)
    }
  }

  @Test func `an effort beside a number of tokens, and where to look, are refused by name`() {
    let members = [#""thinking":{"type":"enabled","budget_tokens":2048}"#, #""output_config":{"effort":"low"}"#]
    for said in [members, members.reversed()] {
      let body =
        #"{"model":"anthropic.claude-opus-4-5","max_tokens":9000,"messages":[{"role":"user","content":"x"}],\#(said.joined(separator: ","))}"#
      #expect(refusal(.messages, body, to: .bedrock) == "output_config.effort")
    }
    #expect(
      refusal(
        .generate, #"{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"retrievalConfig":{"languageCode":"de"}}}"#,
        to: .openai) == "toolConfig.retrievalConfig")
  }

  @Test func `instructions in the middle of a conversation are said to whoever can be told`() throws {
    let body =
      #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"},{"role":"system","content":"Be brief."},{"role":"user","content":"y"}]}"#
    #expect(
      Wire.body(try Wire.request(.messages, body, to: .openai)).contains(#"{"role":"system","content":"Be brief."}"#))
    #expect(refusal(.messages, body, to: .gemini) == "messages[1] (role)")
  }

  @Test func `tokens written to a cache are counted in every dialect`() throws {
    let chat = try Wire.request(.chat, ChatSamples.text, to: .anthropic)
    #expect(
      Wire.answer(MessagesSamples.answer, chat).body.contains(
        #""prompt_tokens_details":{"cached_tokens":6,"cache_write_tokens":1}"#))
    let body =
      #"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":3}}}"#
    let messages = try Wire.request(.messages, MessagesSamples.image, to: .openai, unsupported: .drop)
    #expect(
      Wire.answer(body, messages).body.contains(
        #""input_tokens":5,"cache_creation_input_tokens":3,"cache_read_input_tokens":2"#))
  }

  @Test func `strict tools and the sequence that Bedrock met are said`() throws {
    let body =
      #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","strict":true}}]}"#
    #expect(Wire.body(try Wire.request(.chat, body, to: .bedrock)).contains(#""strict":true"#))
    let request = try Wire.request(.messages, MessagesSamples.image, to: .bedrock, unsupported: .drop)
    let answer =
      #"{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"stop_sequence","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}"#
    #expect(Wire.answer(answer, request).body.contains(#""stop_reason":"stop_sequence","stop_sequence":null"#))
  }
}
