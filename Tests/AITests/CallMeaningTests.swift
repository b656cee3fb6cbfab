import AI
import Testing

/// Which requests mean the same, so that one answer serves them.
struct CallMeaningTests {
  private func meaning(_ front: Front, _ body: String) throws -> CallMeaning? {
    let path: (String, Bool)? = front == .generate ? ("m", false) : nil
    return try ModelRequest(front, body: Array(body.utf8), path: path).meaning
  }

  private static let plain =
    #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":0,"max_tokens":9}"#

  @Test(arguments: [
    (
      Front.chat,
      #"{ "max_completion_tokens": 9, "temperature": 0.0, "messages": [{"content":[{"type":"text","text":"\u0048i"}],"role":"user"}], "model":"m" }"#
    ),
    (
      .chat,
      #"{"model":"n","messages":[{"role":"user","content":"Hi"}],"temperature":0,"max_tokens":9,"stream":true,"user":"u","stream_options":{"include_usage":true},"n":1,"store":false}"#
    ),
    (.messages, #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"temperature":0}"#),
    (.responses, #"{"model":"m","input":"Hi","temperature":0,"max_output_tokens":9}"#),
    (
      .generate,
      #"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{"temperature":0,"maxOutputTokens":9}}"#
    ),
  ])
  func `spelling, streaming and dialect do not matter`(_ front: Front, _ body: String) throws {
    let plain = try #require(try meaning(.chat, Self.plain))
    let other = try #require(try meaning(front, body))
    #expect(other.text == plain.text && other.temperature == 0)
  }

  @Test func `whatever is said does`() throws {
    let bodies = [
      Self.plain, Self.plain.replacing("Hi", with: "Ho"), Self.plain.replacing("user", with: "system"),
      Self.plain.replacing(":9", with: ":8"), Self.plain.replacing(#""temperature":0"#, with: #""temperature":0.1"#),
      Self.plain.replacing(#""temperature":0"#, with: #""seed":0"#),
      Self.plain.replacing(#""temperature":0"#, with: #""stop":["0"]"#),
      Self.plain.replacing(#""temperature":0"#, with: #""reasoning_effort":"low""#),
      Self.plain.replacing(#""Hi""#, with: #"[{"type":"text","text":"H"},{"type":"text","text":"i"}]"#),
      Self.plain.replacing(
        #""Hi""#, with: #"[{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"https://a/b"}}]"#),
    ]
    let texts = try bodies.map { try #require(try meaning(.chat, $0)?.text, "\($0)") }
    #expect(Set(texts).count == texts.count)
  }

  @Test func `tools, choices and schemas count, with the order in schemas and without their spaces`() throws {
    func text(_ more: String) throws -> [UInt8] {
      try #require(
        try meaning(.chat, #"{"model":"m","messages":[{"role":"user","content":"Hi"}],\#(more)}"#)?.text, "\(more)")
    }
    func tool(_ schema: String) -> String {
      #""tools":[{"type":"function","function":{"name":"f","parameters":\#(schema)}}]"#
    }
    let one = try text(tool(#"{"type":"object","properties":{"a":{"minimum":1},"b":{}}}"#))
    let spaced = #"{ "type" : "object", "properties" : { "a" : {"minimum": 1.0}, "\u0062" : { } } }"#
    #expect(try text(tool(spaced)) == one)
    #expect(try text(tool(#"{"type":"object","properties":{"b":{},"a":{"minimum":1}}}"#)) != one)
    let formats = [
      #""response_format":{"type":"json_object"}"#,
      #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}"#,
      #""response_format":{"type":"json_schema","json_schema":{"name":"y","schema":{"type":"object"}}}"#,
      tool("{}"), tool("{}") + #","tool_choice":"none""#, tool("{}") + #","tool_choice":"required""#,
      tool("{}") + #","tool_choice":{"type":"function","function":{"name":"f"}}"#,
      tool("{}") + #","parallel_tool_calls":false"#,
    ]
    #expect(Set(try formats.map { try text($0) }).count == formats.count)
  }

  @Test(arguments: [
    #""logprobs":true"#, #""n":2"#, #""metadata":{"a":"b"}"#, #""unheard_of":1"#, #""store":true"#,
  ])
  func `what only one dialect knows has no meaning that is known`(_ field: String) throws {
    #expect(try meaning(.chat, #"{"model":"m","messages":[{"role":"user","content":"Hi"}],\#(field)}"#) == nil)
  }

  @Test func `an operation that is no conversation has none`() throws {
    let operation = try #require(PassedOperation.all.first { $0.path == "/embeddings" })
    let request = try ModelRequest(
      .chat, body: Array(#"{"model":"m","input":"Hi"}"#.utf8), operation: operation)
    #expect(request.meaning == nil)
  }

  private func question(_ front: Front, _ body: String) throws -> (frame: [UInt8], text: String)? {
    let path: (String, Bool)? = front == .generate ? ("m", false) : nil
    return try ModelRequest(front, body: Array(body.utf8), path: path).question
  }

  @Test func `a question is the last words of a user, and all else is its frame, in every dialect`() throws {
    func chat(_ last: String, _ first: String = "Hi") -> String {
      #"{"model":"m","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"\#(first)"},{"role":"assistant","content":"Ho"},{"role":"user","content":"\#(last)"}],"max_tokens":9}"#
    }
    let one = try #require(try question(.chat, chat("What is it?")))
    #expect(one.text == "What is it?")
    let other = try #require(try question(.chat, chat("Something else")))
    #expect(other.frame == one.frame && other.text == "Something else")
    #expect(try #require(try question(.chat, chat("What is it?", "Hey"))).frame != one.frame)
    let messages = try #require(
      try question(
        .messages,
        #"{"model":"m","system":"Be kind.","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"},{"role":"user","content":"And this?"}]}"#
      ))
    #expect(messages.frame == one.frame && messages.text == "And this?")
    let parts = try #require(
      try question(
        .chat,
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"See:"},{"type":"image_url","image_url":{"url":"https://a/b"}},{"type":"text","text":"what?"}]}]}"#
      ))
    #expect(parts.text == "See:\nwhat?" && String(decoding: parts.frame, as: UTF8.self).contains("https://a/b"))
  }

  @Test(arguments: [
    #"{"model":"m","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"}]}"#,
    #"{"model":"m","messages":[{"role":"user","content":""}]}"#,
    #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b"}}]}]}"#,
    #"{"model":"m","messages":[]}"#, #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"logprobs":true}"#,
  ])
  func `who says nothing in words, or speaks not last, asks no question`(_ body: String) throws {
    #expect(try question(.chat, body) == nil)
  }
}
