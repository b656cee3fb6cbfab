import AI
import GatewayTesting
import Testing

struct RequestTranslationTests {
  @Test func `a chat with text becomes Anthropic's message`() throws {
    let body = Wire.body(try Wire.request(.chat, ChatSamples.text, to: .anthropic))
    #expect(
      body
        == #"{"model":"the-model","max_tokens":50,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"Say \"café\" 😀"}]}],"temperature":0.70,"stop_sequences":["END"]}"#
    )
  }

  @Test func `tool calls and their results become blocks, those made at once in one turn`() throws {
    let json = try JSONValue(parsing: Wire.body(try Wire.request(.chat, ChatSamples.tools, to: .anthropic)))
    let expected = #"""
      [{"role":"user","content":[{"type":"text","text":"Weather in Paris and Rome?"}]},
      {"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"get_weather","input":{"city":"Paris"}},
      {"type":"tool_use","id":"call_2","name":"get_weather","input":{"city":"Rome"}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"18 C"}]},
      {"type":"tool_result","tool_use_id":"call_2","content":[{"type":"text","text":"24 C"}]}]},
      {"role":"user","content":[{"type":"text","text":"Which is warmer?"}]}]
      """#.compact
    #expect(json["messages"] == (try JSONValue(parsing: expected)))
    #expect(json["tool_choice"] == (try JSONValue(parsing: #"{"type":"any","disable_parallel_tool_use":true}"#)))
  }

  @Test func `a schema passes as it was written`() throws {
    let body = Wire.body(try Wire.request(.chat, ChatSamples.tools, to: .anthropic))
    #expect(
      body.contains(
        #""input_schema":{"type":"object","properties":{"city":{"type":"string","maximum":1e3}},"required":["city"]}"#))
  }

  private static let sound =
    #"{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}}]}]}"#
  @Test func `what a tool says but text is refused for OpenAI`() throws {
    let body = #"""
      {"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},
      {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"See:"},
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}]}
      """#.compact
    let refusal = #expect(throws: Refusal.self) { try Wire.request(.messages, body, to: .openai) }
    #expect(refusal?.field == "messages[2] (image)")
    let dropped = try Wire.request(.messages, body, to: .openai, unsupported: .drop)
    #expect(Wire.body(dropped).contains(#"{"role":"tool","tool_call_id":"t1","content":"See:"}"#))
  }

  @Test func `Gemini's files at a public address are images and documents elsewhere`() throws {
    func body(_ address: String, _ type: String) -> String {
      #"{"contents":[{"role":"user","parts":[{"fileData":{"fileUri":"\#(address)","mimeType":"\#(type)"}}]}]}"#
    }
    let image = body("https://example.com/a.png", "image/png")
    #expect(
      Wire.body(try Wire.request(.generate, image, to: .openai)).contains(
        #""image_url":{"url":"https://example.com/a.png"}"#))
    let paper = body("https://example.com/a.pdf", "application/pdf")
    #expect(
      Wire.body(try Wire.request(.generate, paper, to: .anthropic)).contains(
        #"{"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"}}"#))
    for (address, type) in [
      ("gs://bucket/a.png", "image/png"), ("https://generativelanguage.googleapis.com/v1beta/files/x", "image/png"),
      ("https://youtube.com/watch?v=x", "video/mp4"),
    ] {
      let refusal = #expect(throws: Refusal.self) { try Wire.request(.generate, body(address, type), to: .openai) }
      #expect(refusal?.field == "contents[0].parts[0]")
    }
  }

  private static let note =
    #"{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"filename":"n.txt","file_data":"data:text/plain;base64,Q2Fmw6k="}}]}]}"#

  @Test func `recordings are said between OpenAI and Gemini, and refused for who does not hear`() throws {
    let gemini = Wire.body(try Wire.request(.chat, Self.sound, to: .gemini))
    #expect(gemini.contains(#"{"inlineData":{"mimeType":"audio/wav","data":"UklG"}}"#), "\(gemini)")
    let back = #"{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"audio/mpeg","data":"SUQz"}}]}]}"#
    let openai = Wire.body(try Wire.request(.generate, back, to: .openai))
    #expect(openai.contains(#"{"type":"input_audio","input_audio":{"data":"SUQz","format":"mp3"}}"#), "\(openai)")
    for deaf in [Back.anthropic, .bedrock] {
      let refusal = #expect(throws: Refusal.self) { try Wire.request(.chat, Self.sound, to: deaf) }
      #expect(refusal?.field == "messages[0] (file)")
    }
  }

  @Test func `a text as a file is a document of text at Anthropic, and the same on its way back`() throws {
    let anthropic = Wire.body(try Wire.request(.chat, Self.note, to: .anthropic))
    let document =
      #"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Café"},"title":"n.txt"}"#
    #expect(anthropic.contains(document), "\(anthropic)")
    let body = #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[\#(document)]}]}"#
    let openai = Wire.body(try Wire.request(.messages, body, to: .openai))
    #expect(openai.contains(#""file_data":"data:text/plain;base64,Q2Fmw6k=""#), "\(openai)")
  }

  @Test(arguments: ["data:application/zip;base64,UEsD", "data:text/plain;base64,/w==", "data:text/plain;base64,?"])
  func `other files are refused for Anthropic by their place`(_ data: String) {
    let body = Self.note.replacing("data:text/plain;base64,Q2Fmw6k=", with: data)
    let refusal = #expect(throws: Refusal.self) { try Wire.request(.chat, body, to: .anthropic) }
    #expect(refusal?.field == "messages[0] (file)")
  }

  @Test(arguments: [Front.chat, .responses], ["user", "safety_identifier"])
  func `whom the call is for is refused by the name that the client gave it`(_ front: Front, _ name: String) {
    let said = front == .chat ? #""messages":[{"role":"user","content":"x"}]"# : #""input":"x""#
    let refusal = #expect(throws: Refusal.self) {
      try Wire.request(front, #"{"model":"m",\#(said),"\#(name)":"u"}"#, to: .gemini)
    }
    #expect(refusal?.field == name)
  }

  @Test func `images and files become blocks with their content`() throws {
    let json = try JSONValue(
      parsing: Wire.body(
        try Wire.request(
          .chat, ChatSamples.image, to: .anthropic,
          unsupported: .drop)))
    let expected = #"""
      [{"role":"user","content":[{"type":"text","text":"What is it?"},
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},
      {"type":"image","source":{"type":"url","url":"https://example.com/cat.png"}},
      {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"a.pdf"}]}]
      """#.compact
    #expect(json["messages"] == (try JSONValue(parsing: expected)))
  }

  @Test func `Anthropic's message becomes a chat`() throws {
    let body = Wire.body(try Wire.request(.messages, MessagesSamples.text, to: .openai))
    #expect(
      body
        == #"{"model":"the-model","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi!"},{"role":"user","content":"Again"}],"temperature":1.0,"max_completion_tokens":1024,"stop":["END","STOP"],"user":"u-1"}"#
    )
  }

  @Test func `tool results become messages before what is said beside them`() throws {
    let json = try JSONValue(parsing: Wire.body(try Wire.request(.messages, MessagesSamples.tools, to: .openai)))
    let expected = #"""
      [{"role":"user","content":"Weather?"},
      {"role":"assistant","content":"I look.","tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\": \"Paris\"}"}}]},
      {"role":"tool","tool_call_id":"toolu_1","content":"18 C"},{"role":"user","content":"So?"}]
      """#.compact
    #expect(json["messages"] == (try JSONValue(parsing: expected)))
    #expect(json["tool_choice"]?.string == "required")
    #expect(json["parallel_tool_calls"] == .flag(false))
  }

  @Test func `a wanted form of the answer is asked for in the other dialect`() throws {
    let anthropic = Wire.body(try Wire.request(.chat, ChatSamples.structured, to: .anthropic))
    #expect(
      anthropic.contains(
        #""output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"age":{"type":"integer"}}}}}"#
      ))
    let openai = Wire.body(try Wire.request(.messages, MessagesSamples.structured, to: .openai))
    #expect(
      openai.contains(
        #""response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}}"#
      ))
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `every front reaches every back`(_ front: Front, _ back: Back) throws {
    for (what, body) in Samples.requests(front) {
      // Images that are only named, and a few of the tools' details, cannot be said everywhere.
      let request = try Wire.request(
        front, body, to: back, unsupported: ["image", "tools"].contains(what) || back == .gemini ? .drop : .refuse)
      let json = try JSONValue(parsing: Wire.body(request))
      #expect(json["model"]?.string == (back == .gemini ? nil : "the-model"))
      #expect(json[back == .gemini ? "contents" : "messages"] != nil)
    }
  }

  @Test(arguments: [
    (Front.chat, #""seed":7"#, "seed"), (.chat, #""logit_bias":{"5":1}"#, "logit_bias"), (.chat, #""n":2"#, "n"),
    (.chat, #""response_format":{"type":"json_object"}"#, "response_format"),
    (.chat, #""frequency_penalty":0.5"#, "frequency_penalty"),
    (.chat, #""web_search_options":{}"#, "web_search_options"),
    (.chat, #""reasoning_effort":"minimal""#, "reasoning_effort"), (.chat, #""brand_new":1"#, "brand_new"),
    (.chat, #""tools":[{"type":"custom","custom":{"name":"x"}}]"#, "tools[0]"),
    (.messages, #""top_k":5"#, "top_k"),
    (.messages, #""thinking":{"type":"enabled","budget_tokens":1024}"#, "thinking"),
    (.messages, #""cache_control":{"type":"ephemeral"}"#, "cache_control"),
    (.messages, #""tools":[{"type":"web_search_20250305","name":"web_search"}]"#, "tools[0]"),
  ])
  func `what cannot be said is refused by name, or dropped and told`(_ front: Front, _ member: String, _ field: String)
    throws
  {
    let body = #"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}],\#(member)}"#
    let back: Back = front == .chat ? .anthropic : .openai
    let refusal = #expect(throws: Refusal.self) { try Wire.request(front, body, to: back) }
    #expect(refusal?.field == field)
    let request = try Wire.request(front, body, to: back, unsupported: .drop)
    #expect(request.dropped == [field])
    #expect(!Wire.body(request).contains(field.prefix { $0 != "[" } + "\":"))
  }

  @Test(arguments: [
    (Front.chat, #"{"messages":[]}"#, "model"), (.chat, #"{"model":"m"}"#, "messages"),
    (.chat, #"{"model":5,"messages":[]}"#, "model"), (.chat, #"{"model":"m","messages":{}}"#, "messages"),
    (.chat, #"{"model":"m","messages":[{"role":"king","content":"x"}]}"#, "messages[0].role"),
    (.chat, #"{"model":"m","messages":[{"role":"user"}]}"#, "messages[0].content"),
    (.chat, #"{"model":"m","messages":[],"temperature":"hot"}"#, "temperature"),
    (.messages, #"{"model":"m","messages":[]}"#, "max_tokens"),
    (
      .messages, #"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
      "messages[0].content[0].text"
    ),
  ])
  func `a request that is wrong is refused by the field`(_ front: Front, _ body: String, _ field: String) {
    let back: Back = front == .chat ? .anthropic : .openai
    let refusal = #expect(throws: Refusal.self) { try Wire.request(front, body, to: back) }
    #expect(refusal?.field == field)
  }

  @Test(arguments: [
    "", "[]", "{", "null", #"{"model":"a","model":"b","messages":[]}"#, #"{"model":"a","mod\u0065l":"b"}"#,
  ])
  func `a body that two readers could read differently is refused`(_ body: String) {
    #expect(throws: Refusal.self) { try Wire.request(.chat, body, to: .openai) }
  }

  @Test func `Gemini's request becomes a chat, its schemas JSON Schema`() throws {
    let body = Wire.body(try Wire.request(.generate, GenerateSamples.tools, to: .openai))
    #expect(
      body
        == #"""
        {"model":"the-model","messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":null,"tool_calls":[
        {"id":"f1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},
        {"role":"tool","tool_call_id":"f1","content":"18 C"}],
        "tools":[{"type":"function","function":{"name":"get_weather","description":"Current weather",
        "parameters":{"type":"object","properties":{"city":{"type":"string","description":"TYPE"}}}}}],
        "tool_choice":"required","stream":true,"stream_options":{"include_usage":true}}
        """#.compact)
  }

  @Test func `a chat becomes Gemini's request, and results say which tool they are of`() throws {
    let body = Wire.body(try Wire.request(.chat, ChatSamples.tools, to: .gemini, unsupported: .drop))
    #expect(
      body.contains(
        #"""
        {"role":"user","parts":[{"functionResponse":{"id":"call_1","name":"get_weather","response":{"output":"18 C"}}},
        {"functionResponse":{"id":"call_2","name":"get_weather","response":{"output":"24 C"}}}]}
        """#.compact))
    #expect(body.contains(#""toolConfig":{"functionCallingConfig":{"mode":"ANY"}}"#))
  }

  @Test(arguments: [
    (#""safetySettings":[{"category":"x"}]"#, "safetySettings"), (#""cachedContent":"x""#, "cachedContent"),
    (#""tools":[{"googleSearch":{}}]"#, "tools[0].googleSearch"),
    (#""generationConfig":{"topK":5}"#, "generationConfig.topK"),
  ])
  func `what only Gemini can say is refused by name`(_ member: String, _ field: String) {
    let body = #"{"contents":[{"parts":[{"text":"x"}]}],\#(member)}"#
    let refusal = #expect(throws: Refusal.self) { try Wire.request(.generate, body, to: .openai) }
    #expect(refusal?.field == field)
  }

  @Test(arguments: [
    (Front.chat, #""frequency_penalty":0,"presence_penalty":0.0,"logit_bias":{},"n":1,"logprobs":false,"tools":[]"#),
    (.messages, #""mcp_servers":[],"stop_sequences":[],"tools":[]"#),
    (.generate, #""safetySettings":[],"generationConfig":{"presencePenalty":0,"responseModalities":["TEXT"]}"#),
    (.responses, #""include":[],"tools":[],"metadata":{},"truncation":"disabled""#),
  ])
  func `what asks for nothing is no loss`(_ front: Front, _ members: String) throws {
    let said =
      switch front {
      case .chat: #""model":"m","messages":[{"role":"user","content":"x"}]"#
      case .messages: #""model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]"#
      case .generate: #""contents":[{"parts":[{"text":"x"}]}]"#
      case .responses: #""model":"m","input":"x""#
      }
    for back in [Back.anthropic, .bedrock, .openai] where back.native != front {
      let body = Wire.body(try Wire.request(front, "{\(said),\(members)}", to: back))
      #expect(!body.contains("enalty") && !body.contains("[]"))
    }
    // Where a search on the web is asked for, an empty object asks for it.
    #expect(throws: Refusal.self) {
      try Wire.request(.chat, #"{"model":"m","messages":[],"web_search_options":{}}"#, to: .anthropic)
    }
  }
}
