import AI
import GatewayTesting
import Testing

/// Gemini signs the calls of its models from version 3 on, and refuses histories in which they come back unsigned
/// (https://ai.google.dev/gemini-api/docs/thought-signatures).
struct ThoughtSignatureTests {
  private static let parts = #"""
    [{"functionCall":{"name":"get_weather","args":{"city":"Paris"}},"thoughtSignature":"c2ln"},
    {"functionCall":{"name":"get_weather","args":{"city":"Rome"}}}]
    """#.compact
  private static let whole =
    #"{"responseId":"r","modelVersion":"gemini-3-pro","candidates":[{"content":{"role":"model","parts":\#(parts)},"finishReason":"STOP"}]}"#
  private static let stream = "data: \(whole)\n\n"
  private static let shown = #""extra_content":{"google":{"thought_signature":"c2ln"}}"#
  private static let dummy = "skip_thought_signature_validator"

  @Test func `a client of Chat Completions gets the signature where Google's own servers of that dialect say it`()
    throws
  {
    let request = try Wire.request(.chat, ChatSamples.text, to: .gemini)
    let answer = try JSONValue(parsing: Wire.answer(Self.whole, request).body)
    guard case .array(let choices)? = answer["choices"],
      case .array(let calls)? = choices[0]["message"]?["tool_calls"]
    else {
      Issue.record("no calls")
      return
    }
    #expect(calls[0]["extra_content"]?["google"]?["thought_signature"]?.string == "c2ln")
    #expect(calls[1]["extra_content"] == nil)
    let streaming = try Wire.request(.chat, Samples.streaming(.chat), to: .gemini)
    let events = Wire.events(Wire.stream(Self.stream, streaming)).map(\.data)
    // In the event that begins the call, as clients look there for what it is.
    #expect(events.filter { $0.contains(Self.shown) && $0.contains(#""index":0,"id":"#) }.count == 1, "\(events)")
    #expect(events.filter { $0.contains("extra_content") }.count == 1)
  }

  @Test(arguments: [Front.messages, .responses])
  func `other dialects have no place for it`(_ front: Front) throws {
    let request = try Wire.request(front, Samples.streaming(front), to: .gemini)
    #expect(!Wire.stream(Self.stream, request).contains("c2ln"))
  }

  private static func history(_ signature: String) -> String {
    #"""
    {"model":"m","messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":null,"tool_calls":[
    {"id":"1","type":"function","function":{"name":"f","arguments":"{}"}\#(signature)},
    {"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"1","content":"18"},{"role":"tool","tool_call_id":"2","content":"24"}]}
    """#.compact
  }

  @Test(arguments: ["gemini-3-pro-preview", "gemini-3.1-flash", "models/gemini-4-x", "gemini-flash-latest"])
  func `what a client gives back goes to the model, and the first of calls that are unsigned is excused`(
    _ model: String
  ) throws {
    let kept = Wire.body(try Wire.request(.chat, Self.history(", \(Self.shown)"), to: .gemini, model: model))
    #expect(kept.contains(#"{"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"c2ln"}"#), "\(kept)")
    #expect(!kept.contains(Self.dummy))
    let lost = Wire.body(try Wire.request(.chat, Self.history(""), to: .gemini, model: model))
    #expect(
      lost.contains(
        #"{"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"\#(Self.dummy)"},{"functionCall":{"id":"2","name":"f","args":{}}}"#
      ), "\(lost)")
  }

  @Test(arguments: ["gemini-2.5-pro", "gemini-1.5-flash", "gemini-exp", "gemma-3-27b-it", "tuned"])
  func `models that want none get none`(_ model: String) throws {
    let body = Wire.body(try Wire.request(.chat, Self.history(""), to: .gemini, model: model))
    #expect(!body.contains("thoughtSignature"))
  }

  @Test func `a history of Anthropic's clients is excused too`() throws {
    let body = Wire.body(
      try Wire.request(.messages, MessagesSamples.tools, to: .gemini, model: "gemini-3-pro", unsupported: .drop))
    #expect(body.contains(Self.dummy))
  }

  @Test func `no other provider is told of it`() throws {
    for back in [Back.anthropic, .bedrock] {
      #expect(!Wire.body(try Wire.request(.chat, Self.history(", \(Self.shown)"), to: back)).contains("c2ln"))
    }
    let own =
      #"{"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":\#(Self.parts)},{"role":"user","parts":[{"functionResponse":{"name":"get_weather","response":{"output":"1"}}},{"functionResponse":{"name":"get_weather","response":{"output":"2"}}}]}]}"#
    #expect(!Wire.body(try Wire.request(.generate, own, to: .openai)).contains("c2ln"))
    #expect(Wire.body(try Wire.request(.generate, own, to: .gemini)).contains("c2ln"))
  }
}
