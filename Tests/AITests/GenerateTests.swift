import AI
import Testing

/// What Gemini's dialect has its own words for.
struct GenerateTests {
  private static func tools(_ strict: String, _ more: String = "") -> String {
    #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}\#(strict)}}]\#(more)}"#
  }

  @Test(arguments: [
    (#","strict":true"#, "", #","toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}"#),
    (#","strict":true"#, #","tool_choice":"auto""#, #","toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}"#),
    (#","strict":true"#, #","tool_choice":"required""#, #","toolConfig":{"functionCallingConfig":{"mode":"ANY"}}"#),
    (#","strict":false"#, #","tool_choice":"auto""#, #","toolConfig":{"functionCallingConfig":{"mode":"AUTO"}}"#),
    ("", "", ""),
  ])
  func `tools that are strict are asked for in the mode that keeps to schemas`(
    _ strict: String, _ choice: String, _ expected: String
  ) throws {
    let body = Wire.body(
      try Wire.request(.chat, Self.tools(strict, choice), to: .gemini, model: "gemini-2.5-pro"))
    #expect(body.contains(#"{"type":"object"}}]}]\#(expected),"generationConfig":{}"#), "\(body)")
  }

  @Test func `models that nobody knows to have that mode are asked for no strict tools`() {
    let refusal = #expect(throws: Refusal.self) {
      try Wire.request(.chat, Self.tools(#","strict":true"#), to: .gemini, model: "gemma-3-27b-it")
    }
    #expect(refusal?.field == "tools.strict")
  }

  @Test func `that mode is strict tools elsewhere`() throws {
    let body =
      #"{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}}"#
    let said = Wire.body(try Wire.request(.generate, body, to: .openai))
    #expect(said.contains(#""strict":true"#) && said.contains(#""tool_choice":"auto""#))
  }

  private static func answer(_ reason: String) -> String {
    #"{"responseId":"r","candidates":[{"content":{"parts":[]},"finishReason":"\#(reason)"}]}"#
  }

  @Test(arguments: ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"])
  func `a call that nobody can read is no answer, so that the next model is asked`(_ reason: String) throws {
    let whole = try Wire.request(.chat, ChatSamples.text, to: .gemini)
    #expect(Wire.answer(Self.answer(reason), whole).status == 502)
    let stream = try Wire.request(.chat, Samples.streaming(.chat), to: .gemini)
    let said = Wire.stream("data: \(Self.answer(reason))\n\n", stream)
    #expect(said.contains(#""error""#) && !said.contains("finish_reason\":\""))
  }

  @Test(arguments: ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST"])
  func `an answer that was withheld says so`(_ reason: String) throws {
    let whole = try Wire.request(.chat, ChatSamples.text, to: .gemini)
    #expect(Wire.answer(Self.answer(reason), whole).body.contains(#""finish_reason":"content_filter""#))
  }
}
