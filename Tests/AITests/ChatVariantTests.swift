import AI
import Testing

/// Servers of Chat Completions that are not OpenAI's: where thoughts stand, and what Mistral calls otherwise.
struct ChatVariantTests {
  private static let thinking =
    #"{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"redacted_thinking","data":"c2Vj"}"#

  private func history(_ thoughts: String) -> String {
    #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[\#(thoughts),{"type":"text","text":"y"}]},{"role":"user","content":"z"}]}"#
  }

  private static let unsigned = #"{"type":"thinking","thinking":"Hm.","signature":""}"#

  @Test(arguments: [
    (ChatVariant.Thoughts.reasoningContent, #"{"role":"assistant","content":"y","reasoning_content":"Hm."}"#),
    (.reasoning, #"{"role":"assistant","content":"y","reasoning":"Hm."}"#),
    (
      .details,
      #"{"role":"assistant","content":"y","reasoning_details":[{"type":"reasoning.text","text":"Hm.","index":0}]}"#
    ),
    (
      .pieces,
      #"{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]},{"type":"text","text":"y"}]}"#
    ),
  ])
  func `thoughts go back to where a server has its place for them`(_ place: ChatVariant.Thoughts, _ expected: String)
    throws
  {
    let request = try Wire.request(
      .messages, history(Self.unsigned), to: .openai, variant: ChatVariant(thoughts: place))
    #expect(Wire.body(request).contains(expected), "\(Wire.body(request))")
  }

  @Test func `thoughts are refused where there is no place, and secrets where nobody could read them`() throws {
    for (place, thoughts) in [(ChatVariant.Thoughts.none, Self.unsigned), (.reasoning, Self.thinking)] {
      let variant = ChatVariant(thoughts: place)
      let refusal = #expect(throws: Refusal.self) {
        try Wire.request(.messages, history(thoughts), to: .openai, variant: variant)
      }
      #expect(refusal?.field == "messages[1] (reasoning)")
      let dropped = try Wire.request(
        .messages, history(thoughts), to: .openai, variant: variant, unsupported: .drop)
      #expect(dropped.dropped == ["messages[1] (reasoning)"] && !Wire.body(dropped).contains("c2Vj"))
    }
    let unsigned = #expect(throws: Refusal.self) {
      try Wire.request(
        .chat, #"{"model":"m","messages":[{"role":"assistant","content":"y","reasoning_content":"Hm."}]}"#,
        to: .anthropic)
    }
    #expect(unsigned?.field == "messages[0] (reasoning)")
  }

  @Test(arguments: [Front.chat, .responses, .messages])
  func `what Anthropic signed comes back as it was`(_ front: Front) throws {
    let said =
      switch front {
      case .chat:
        #""messages":[{"role":"assistant","content":"y","reasoning_content":"Hm.","reasoning_details":[{"type":"reasoning.text","text":"H","index":0},{"type":"reasoning.text","text":"m.","signature":"c2ln","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"c2Vj","index":1},{"type":"reasoning.encrypted","data":"b3Ro","format":"openai-responses-v1"}]}]"#
      case .responses:
        #""input":[{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"signed.c2ln"},{"type":"reasoning","summary":[],"encrypted_content":"secret.c2Vj"},{"role":"assistant","content":"y"}]"#
      default: #""messages":[{"role":"assistant","content":[\#(Self.thinking),{"type":"text","text":"y"}]}]"#
      }
    for back in [Back.anthropic, .bedrock] where back.native != front {
      let body = Wire.body(
        try Wire.request(front, #"{"model":"m","max_tokens":9,\#(said)}"#, to: back, unsupported: .drop))
      let expected =
        back == .bedrock
        ? #"[{"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"c2Vj"}},{"text":"y"}]"#
        : #"[\#(Self.thinking),{"type":"text","text":"y"}]"#
      #expect(body.contains(expected), "\(body)")
      #expect(!body.contains("b3Ro"))
    }
  }

  @Test func `what another maker made secret is refused by name`() throws {
    let body =
      #"{"model":"m","input":[{"type":"reasoning","summary":[],"encrypted_content":"gAAAA"},{"role":"user","content":"x"}]}"#
    let refusal = #expect(throws: Refusal.self) { try Wire.request(.responses, body, to: .anthropic) }
    #expect(refusal?.field == "input[0].encrypted_content")
  }

  @Test(arguments: [
    (#"{"model":"a","stream":true}"#, #"{"model":"b","stream":true}"#),
    (#"{"stream_options":{"include_usage":true},"model":"a","stream":true}"#, #"{"model":"b","stream":true}"#),
    (#"{"model":"a","stream":true, "stream_options":{"include_usage":true} }"#, #"{"model":"b","stream":true }"#),
    (#"{"model":"a","stream":true,"stream_options":null,"seed":1}"#, #"{"model":"b","stream":true,"random_seed":1}"#),
    (#"{"model":"a","max_completion_tokens":5}"#, #"{"model":"b","max_tokens":5}"#),
    (
      #"{"model":"a","max_completion_tokens":5,"max_tokens":6}"#,
      #"{"model":"b","max_completion_tokens":5,"max_tokens":6}"#
    ),
    (#"{"model":"a","safe_prompt":true,"random_seed":3}"#, #"{"model":"b","safe_prompt":true,"random_seed":3}"#),
  ])
  func `Mistral gets its own words, and is not asked for what it says unasked`(_ body: String, _ expected: String)
    throws
  {
    let request = try Wire.request(.chat, body, to: .openai, model: "b", variant: ChatVariant(words: .mistral))
    #expect(Wire.body(request) == expected)
    #expect(request.showsUsage)
  }

  @Test func `a translation for Mistral has only members that it knows`() throws {
    let body = #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":5,"seed":1}}"#
    let variant = ChatVariant(thoughts: .pieces, words: .mistral)
    #expect(
      Wire.body(try Wire.request(.generate, body, to: .openai, variant: variant))
        == #"{"model":"the-model","messages":[{"role":"user","content":"x"}],"random_seed":1,"max_tokens":5,"stream":true}"#
    )
    let refusal = #expect(throws: Refusal.self) {
      try Wire.request(.messages, MessagesSamples.text, to: .openai, variant: variant)
    }
    #expect(refusal?.field == "metadata.user_id")
  }

  @Test func `pieces of thought and text are read from a content that is a list`() throws {
    let content =
      #"[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]},{"type":"text","text":"y"},{"type":"reference","reference_ids":[1]}]"#
    let whole =
      #"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":\#(content)},"finish_reason":"stop"}]}"#
    let request = try Wire.request(.messages, MessagesSamples.image, to: .openai, unsupported: .drop)
    let said = Wire.answer(whole, request).body
    #expect(
      said.contains(#""content":[{"type":"thinking","thinking":"Hm.","signature":""},{"type":"text","text":"y"}]"#))
    let chunk = #"{"id":"c","choices":[{"index":0,"delta":{"content":\#(content)},"finish_reason":"stop"}]}"#
    let streaming = try Wire.request(.messages, Samples.streaming(.messages), to: .openai, unsupported: .drop)
    let events = Wire.stream("data: \(chunk)\n\ndata: [DONE]\n\n", streaming)
    #expect(events.contains(#"{"type":"thinking_delta","thinking":"Hm."}"#))
    #expect(events.contains(#"{"type":"text_delta","text":"y"}"#))
  }

  @Test func `what Responses and Chat Completions both know is passed on, and refused elsewhere by name`() throws {
    let members = #""prompt_cache_key":"k","service_tier":"flex","metadata":{"a":"b"},"text":{"verbosity":"low"}"#
    let body = #"{"model":"m","input":"x",\#(members)}"#
    let chat = Wire.body(try Wire.request(.responses, body, to: .openai))
    for member in [
      #""prompt_cache_key":"k""#, #""service_tier":"flex""#, #""metadata":{"a":"b"}"#, #""verbosity":"low""#,
    ] {
      #expect(chat.contains(member), "\(member)")
    }
    let dropped = try Wire.request(.responses, body, to: .anthropic, unsupported: .drop).dropped
    #expect(Set(dropped) == ["prompt_cache_key", "service_tier", "metadata", "text.verbosity"])
    let plain = try ModelRequest(.responses, body: Array(#"{"model":"m","input":"x"}"#.utf8))
    let wordy = try ModelRequest(.responses, body: Array(body.utf8))
    #expect(plain.meaning != nil && wordy.meaning == nil)
  }

  @Test(arguments: [
    (ChatVariant.Words.older, "max_tokens", "max_tokens"), (.usual, "max_completion_tokens", "max_tokens"),
    (.openai, "max_completion_tokens", "max_completion_tokens"), (.mistral, "max_tokens", "max_tokens"),
  ])
  func `a limit of tokens has the name by which a server holds to it`(
    _ words: ChatVariant.Words, _ passed: String, _ translated: String
  ) throws {
    let variant = ChatVariant(words: words)
    let chat = #"{"model":"m","messages":[{"role":"user","content":"x"}],"max_completion_tokens":5}"#
    let own = Wire.body(try Wire.request(.chat, chat, to: .openai, variant: variant))
    #expect(own.contains("\"\(passed)\":5"))
    let other = Wire.body(
      try Wire.request(.responses, #"{"model":"m","input":"x","max_output_tokens":5}"#, to: .openai, variant: variant))
    #expect(other.contains("\"\(translated)\":5"))
  }
}
