import AI
import Testing

/// How hard a model shall think, as each maker's models are told, by their version.
struct ThinkingTests {
  private func chat(_ more: String, to back: Back, _ model: String) throws -> String {
    let body = #"{"model":"m","messages":[{"role":"user","content":"x"}]\#(more)}"#
    return Wire.body(try Wire.request(.chat, body, to: back, model: model))
  }

  private static let tool =
    #","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required""#

  @Test(arguments: [
    "claude-sonnet-4-6", "claude-opus-4-7", "claude-opus-5", "claude-fable-5-1", "claude-haiku-5-5-20261001",
    "own-name",
  ])
  func `Anthropic's models from 4.6 on are told an effort, and think`(_ model: String) throws {
    let body = try chat(#","reasoning_effort":"high""#, to: .anthropic, model)
    #expect(body.contains(#""thinking":{"type":"adaptive"}"#) && body.contains(#""output_config":{"effort":"high"}"#))
    #expect(body.contains(#""max_tokens":32000"#))
    // An effort goes with these, thoughts do not.
    let forced = try chat(#","reasoning_effort":"low""# + Self.tool, to: .anthropic, model)
    #expect(!forced.contains("thinking") && forced.contains(#""effort":"low""#))
  }

  @Test(arguments: [
    "claude-sonnet-4-5-20250929", "claude-3-7-sonnet-20250219", "claude-opus-4-20250514", "claude-haiku-4.5",
  ])
  func `older ones are told so many tokens, of which half of the answer's are left`(_ model: String) throws {
    let high = try chat(#","reasoning_effort":"high""#, to: .anthropic, model)
    #expect(high.contains(#""thinking":{"type":"enabled","budget_tokens":16000}"#), "\(high)")
    #expect(!high.contains("output_config"))
    let low = try chat(#","reasoning_effort":"low","max_completion_tokens":4000"#, to: .anthropic, model)
    #expect(low.contains(#""budget_tokens":1024}"#) && low.contains(#""max_tokens":4000"#))
    for more in [#","max_completion_tokens":2000"#, Self.tool, #","temperature":0"#] {
      let refusal = #expect(throws: Refusal.self) {
        try chat(#","reasoning_effort":"low""# + more, to: .anthropic, model)
      }
      #expect(refusal?.field == "reasoning_effort")
    }
  }

  @Test func `a number of tokens is refused for models that take none any more`() throws {
    let body = #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":2048}}}"#
    for back in [Back.anthropic, .bedrock] {
      let refusal = #expect(throws: Refusal.self) {
        try Wire.request(.generate, body, to: back, model: "eu.anthropic.claude-opus-4-7")
      }
      #expect(refusal?.field == "generationConfig.thinkingConfig")
      let older = Wire.body(try Wire.request(.generate, body, to: back, model: "eu.anthropic.claude-opus-4-6-v1"))
      #expect(older.contains(#""thinking":{"type":"enabled","budget_tokens":2048}"#))
    }
  }

  @Test func `Anthropic's models at Bedrock are told in their maker's words, others cannot be`() throws {
    let body = try chat(#","reasoning_effort":"medium""#, to: .bedrock, "anthropic.claude-opus-5")
    #expect(
      body.contains(
        #""additionalModelRequestFields":{"thinking":{"type":"adaptive"},"output_config":{"effort":"medium"}}"#))
    let refusal = #expect(throws: Refusal.self) {
      try chat(#","reasoning_effort":"medium""#, to: .bedrock, "amazon.nova-pro-v1:0")
    }
    #expect(refusal?.field == "reasoning_effort")
  }

  @Test(arguments: [
    ("gemini-2.5-pro", "high", #"{"thinkingBudget":24576}"#),
    ("gemini-2.5-flash", "minimal", #"{"thinkingBudget":1024}"#),
    ("gemini-3-pro", "high", #"{"thinkingLevel":"high"}"#), ("gemini-flash-latest", "low", #"{"thinkingLevel":"low"}"#),
    ("gemini-2.5-flash", "none", #"{"thinkingBudget":0}"#),
  ])
  func `Gemini is told a level, and before version 3 what Google says that is in tokens`(
    _ model: String, _ effort: String, _ expected: String
  ) throws {
    let body = try chat(#","reasoning_effort":"\#(effort)""#, to: .gemini, model)
    #expect(body.contains(#""thinkingConfig":\#(expected)"#), "\(body)")
  }

  @Test func `who wants to see thoughts says so to whoever shows them`() throws {
    let body = #"{"model":"m","input":"x","reasoning":{"effort":"low","summary":"auto"}}"#
    #expect(
      Wire.body(try Wire.request(.responses, body, to: .gemini, model: "gemini-3-pro")).contains(
        #""thinkingConfig":{"thinkingLevel":"low","includeThoughts":true}"#))
    #expect(
      Wire.body(try Wire.request(.responses, body, to: .anthropic)).contains(
        #""thinking":{"type":"adaptive","display":"summarized"}"#))
    let shown = try Wire.request(.responses, body, to: .openai, variant: ChatVariant(thoughts: .reasoning))
    #expect(Wire.body(shown).contains(#""reasoning_effort":"low""#))
    let hidden = #expect(throws: Refusal.self) { try Wire.request(.responses, body, to: .openai) }
    #expect(hidden?.field == "reasoning.summary")
    let own = #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"thinking":{"type":"adaptive"}"#
    let free = Wire.body(try Wire.request(.messages, own + "}", to: .openai))
    #expect(!free.contains("reasoning_effort"))
    let hard = own + #","output_config":{"effort":"max"}}"#
    #expect(Wire.body(try Wire.request(.messages, hard, to: .openai)).contains(#""reasoning_effort":"max""#))
    #expect(
      Wire.body(try Wire.request(.messages, hard, to: .bedrock, model: "anthropic.claude-opus-5")).contains(
        #"{"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}}"#))
  }

  @Test func `what is set aside for an answer has room for thoughts`() throws {
    func tokens(_ front: Front, _ body: String) throws -> Int? {
      try ModelRequest(front, body: Array(body.utf8), path: front == .generate ? ("m", false) : nil)
        .outputTokens(for: .anthropic)
    }
    #expect(try tokens(.chat, #"{"model":"m","messages":[]}"#) == 4096)
    #expect(try tokens(.chat, #"{"model":"m","messages":[],"reasoning_effort":"low"}"#) == 32_000)
    #expect(try tokens(.responses, #"{"model":"m","input":"x","reasoning":{"effort":"low"}}"#) == 32_000)
    let snake = #"{"contents":[],"generation_config":{"max_output_tokens":70000,"candidate_count":2}}"#
    #expect(try tokens(.generate, snake) == 140_000)
  }

  @Test(arguments: [Back.anthropic, .bedrock])
  func `newer models of Anthropic's are not told how to draw, and none a temperature beyond one`(_ back: Back) throws {
    let drawn = #","temperature":0.2,"top_p":0.9"#
    let newer = "anthropic.claude-opus-4-7"
    let refusal = #expect(throws: Refusal.self) { try chat(drawn, to: back, newer) }
    #expect(refusal?.field == "temperature" || refusal?.field == "top_p")
    let body = #"{"model":"m","messages":[{"role":"user","content":"x"}],"reasoning_effort":"low"\#(drawn)}"#
    let request = try Wire.request(.chat, body, to: back, model: newer, unsupported: .drop)
    #expect(Set(request.dropped) == ["temperature", "top_p"])
    let said = Wire.body(request)
    #expect(!said.contains("temperature") && !said.contains("0.9") && said.contains(#""type":"adaptive""#))
    #expect(try chat(#","temperature":1"#, to: back, newer).contains(#""temperature":1"#))
    let older = try chat(#","temperature":0.2,"reasoning_effort":"low""#, to: back, "anthropic.claude-sonnet-4-6")
    #expect(older.contains(#""temperature":0.2"#) && !older.contains("adaptive") && older.contains(#""effort":"low""#))
    let hot = #expect(throws: Refusal.self) {
      try chat(#","temperature":1.5"#, to: back, "anthropic.claude-sonnet-4-6")
    }
    #expect(hot?.field == "temperature")
  }
}
