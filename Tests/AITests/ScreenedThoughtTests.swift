import AI
import Detection
import GatewayTesting
import Testing

/// What models thought goes through the filters of answers in every place where a client gets it.
struct ScreenedThoughtTests {
  private static let thought = "Ask ann@example.org about it, says bob@example.com"
  private static let masked = "Ask <email> about it, says <email>"

  private static func screened(_ front: Front, from back: Back, _ stream: String) throws -> String {
    let request = try Wire.request(front, Samples.streaming(front), to: back)
    var answer = ProviderAnswer(request, head: AnswerHead(id: "id-1", model: "asked-for", created: 1_700_000_000))
    answer.pass(
      through: AnswerScreen(front, longest: nil) {
        MaskFilter(DetectorSet([.email, .card])) { kind, _ in "<\(kind.rawValue)>" }
      })
    return Wire.stream([Array(stream.utf8)], &answer)
  }

  /// Anthropic's stream that thinks in pieces of so many characters.
  private static func stream(step: Int) -> String {
    func event(_ name: String, _ rest: String) -> String {
      "event: \(name)\ndata: {\"type\":\"\(name)\"\(rest)}\n\n"
    }
    let characters = Array(thought)
    let pieces = stride(from: 0, to: characters.count, by: step).map {
      String(characters[$0..<min($0 + step, characters.count)])
    }
    var said = event(
      "message_start",
      #","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"c","usage":{"input_tokens":1,"output_tokens":1}}"#
    )
    said += event(
      "content_block_start", #","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}"#)
    for piece in pieces {
      said += event("content_block_delta", #","index":0,"delta":{"type":"thinking_delta","thinking":"\#(piece)"}"#)
    }
    said += event("content_block_delta", #","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}"#)
    said += event("content_block_stop", #","index":0"#)
    said += event("content_block_start", #","index":1,"content_block":{"type":"text","text":""}"#)
    said += event("content_block_delta", #","index":1,"delta":{"type":"text_delta","text":"Yes."}"#)
    said += event("content_block_stop", #","index":1"#)
    said += event(
      "message_delta", #","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}"#)
    return said + event("message_stop", "")
  }

  @Test(arguments: [1, 2, 3, 7, 100])
  func `a thought that is said twice is masked both times, and stays whole beside its proof`(_ step: Int) throws {
    let said = try Self.screened(.chat, from: .anthropic, Self.stream(step: step))
    var (text, details) = ("", [JSONValue]())
    for (_, data) in Wire.events(said) where data != "[DONE]" {
      guard case .array(let choices)? = try JSONValue(parsing: data)["choices"], let delta = choices.first?["delta"]
      else {
        continue
      }
      text += delta["reasoning_content"]?.string ?? ""
      if case .array(let more)? = delta["reasoning_details"] { details += more }
    }
    #expect(text == Self.masked)
    #expect(details.count == 1)
    #expect(details.first?["text"]?.string == Self.masked && details.first?["signature"]?.string == "c2ln")
    #expect(details.first?["format"]?.string == "anthropic-claude-v1")
  }

  @Test(arguments: [1, 7, 100])
  func `a summary is masked in its pieces and in all that repeats it`(_ step: Int) throws {
    let said = try Self.screened(.responses, from: .anthropic, Self.stream(step: step))
    #expect(!said.contains("ann@") && !said.contains("@example"))
    let deltas = try Wire.events(said).filter { $0.name == "response.reasoning_summary_text.delta" }.map {
      try JSONValue(parsing: $0.data)["delta"]?.string ?? ""
    }
    #expect(deltas.joined() == Self.masked)
    #expect(
      said.contains(#""summary":[{"type":"summary_text","text":"\#(Self.masked)"}],"encrypted_content":"signed.c2ln""#))
  }

  @Test(arguments: [1, 3, 100])
  func `pieces of a provider's own list are one text`(_ step: Int) throws {
    let characters = Array(Self.thought)
    var stream = ""
    for start in stride(from: 0, to: characters.count, by: step) {
      let piece = String(characters[start..<min(start + step, characters.count)])
      let proof = start + step >= characters.count ? #""c2ln""# : "null"
      stream +=
        #"data: {"id":"c","choices":[{"index":0,"delta":{"reasoning_details":[{"type":"reasoning.text","text":"\#(piece)","signature":\#(proof),"format":"anthropic-claude-v1","index":0}]},"finish_reason":null}]}"#
        + "\n\n"
    }
    let said = try Self.screened(.chat, from: .openai, stream + "data: [DONE]\n\n")
    var text = ""
    for (_, data) in Wire.events(said) where data != "[DONE]" {
      guard case .array(let choices)? = try JSONValue(parsing: data)["choices"],
        case .array(let details)? = choices.first?["delta"]?["reasoning_details"]
      else { continue }
      for detail in details { text += detail["text"]?.string ?? "" }
    }
    #expect(text == Self.masked)
  }
}
