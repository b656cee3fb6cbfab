import Kernel
import Testing

@testable import AI

/// Events that differ from the one before in their text alone are not read anew, and say the same.
struct EventTemplateTests {
  private static func chat(_ text: String, more: String = "") -> String {
    #"{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]\#(more)}"#
  }

  private static func read(_ data: String, like other: String, saying text: String) -> Event? {
    let template = EventTemplate(Array(other.utf8), saying: .text(text))
    return template?.read(Array(data.utf8).span)
  }

  @Test(arguments: [
    ("lo", "lo"), (#"a\nb \"c\" \\"#, "a\nb \"c\" \\"), (#"caf\u00e9 \ud83d\ude00"#, "café 😀"), ("é😀", "é😀"),
    ("\u{7F}", "\u{7F}"),
    (String(repeating: "word ", count: 500), String(repeating: "word ", count: 500)),
  ])
  func `another text in the same place is read`(_ written: String, _ meant: String) {
    #expect(Self.read(Self.chat(written), like: Self.chat("Hel"), saying: "Hel") == .text(meant))
  }

  @Test(arguments: [
    "", #"\"#, #"\x"#, #"\ud83d"#, #"\ude00\ud83d"#, "\u{1}", #"a","x":"b"#, #"a"}}]}"#, #"a"},"finish_reason":"stop"#,
  ])
  func `what is no text, or more than one, is read as ever`(_ written: String) {
    #expect(Self.read(Self.chat(written), like: Self.chat("Hel"), saying: "Hel") == nil)
  }

  @Test func `whatever else differs is read as ever`() {
    let known = Self.chat("Hel")
    for other in [
      known.replacing("c1", with: "c2"), known.replacing("\"index\":0", with: "\"index\":1"), known + " ",
      String(known.dropLast()),
      known.replacing("null", with: "\"stop\""), Self.chat("lo", more: #","usage":{}"#), "[DONE]", "", "{}",
    ] {
      #expect(Self.read(other, like: known, saying: "Hel") == nil, "\(other)")
    }
  }

  @Test func `a text that the event says twice makes no template`() {
    #expect(EventTemplate(Array(Self.chat("m").utf8), saying: .text("m")) == nil)
    #expect(EventTemplate(Array(Self.chat("").utf8), saying: .text("")) == nil)
    #expect(EventTemplate(Array(Self.chat("Hel").utf8), saying: .usage(Usage())) == nil)
  }

  @Test func `noise beside the text may differ, and is not the text`() {
    let known = Self.chat("Hel", more: #","obfuscation":"abc""#)
    let next = Self.chat("lo", more: #","obfuscation":"a\"bcdefg""#)
    #expect(Self.read(next, like: known, saying: "Hel") == .text("lo"))
    #expect(Self.read(Self.chat("lo", more: #","obfuscation":7"#), like: known, saying: "Hel") == nil)
  }

  // MARK: Streams

  /// A back, what stands before the texts of its streams, an event of one, one that says nothing, and how it ends.
  private struct Dialect {
    let back: Back
    let front: Front
    let begin: [String]
    let event: @Sendable (String, Int) -> String
    let nothing: String
    let end: [String]
  }

  private static let dialects: [Dialect] = [
    Dialect(
      back: .openai, front: .messages, begin: [],
      event: { text, kind in
        let name = ["content", "reasoning_content", "refusal"][kind % 3]
        return #"{"id":"c1","model":"m","choices":[{"index":0,"delta":{"\#(name)":"\#(text)"}}]}"#
      },
      nothing: #"{"id":"c1","model":"m","choices":[]}"#,
      end: [#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"]),
    Dialect(
      back: .anthropic, front: .chat,
      begin: [
        #"{"type":"message_start","message":{"id":"m1","model":"m","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#,
        #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
      ],
      event: { text, _ in
        #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"#
      }, nothing: #"{"type":"ping"}"#,
      end: [
        #"{"type":"content_block_stop","index":0}"#,
        #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
        #"{"type":"message_stop"}"#,
      ]),
    Dialect(
      back: .gemini, front: .chat, begin: [],
      event: { text, kind in
        let thought = kind % 3 == 1 ? #","thought":true"# : ""
        return
          #"{"candidates":[{"content":{"parts":[{"text":"\#(text)"\#(thought)}],"role":"model"}}],"responseId":"r"}"#
      }, nothing: #"{"responseId":"r"}"#,
      end: [#"{"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"STOP"}],"responseId":"r"}"#]),
  ]

  private static let pieces = [
    "a", "Hel", " ", "", "m", "c1", "text", #"\n"#, #"\""#, #"\\"#, #"\u0041"#, #"\ud83d\ude00"#, "😀", "é", "\u{7F}",
    "stop",
    "a longer text of some words",
  ]
  /// Rare, as they end a stream.
  private static let mistakes = [#"\"#, "\u{2}", #"\ud83d"#, #"" "#, #"","x":"y"#]

  @Test(arguments: dialects.indices)
  func `streams say the same whether events are compared or read`(_ index: Int) throws {
    let dialect = Self.dialects[index]
    let request = try Wire.request(dialect.front, Samples.streaming(dialect.front), to: dialect.back)
    var random = SplitMix(seed: 7)
    for _ in 0..<300 {
      let said = (0..<Int.random(in: 1...12, using: &random)).map { _ in
        let isMistake = Int.random(in: 0..<60, using: &random) == 0
        let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
          (isMistake ? Self.mistakes : Self.pieces).randomElement(using: &random) ?? ""
        }
        // Most events of a stream are of one kind.
        let kind = Int.random(in: 0..<8, using: &random) == 0 ? Int.random(in: 0..<3, using: &random) : 0
        return dialect.event(parts.joined(), kind)
      }
      let begin = dialect.begin + [dialect.nothing]
      let compared = begin + said + dialect.end
      let read = begin + said.flatMap { [dialect.nothing, $0] } + dialect.end
      let agree = Self.hear(compared, request) == Self.hear(read, request)
      #expect(agree, "\(said)")
    }
  }

  private static func hear(_ events: [String], _ request: ProviderRequest) -> [String] {
    let stream = events.map { "data: \($0)\n\n" }.joined()
    return Wire.events(Wire.stream(stream, request)).map { "\($0.name) \($0.data)" }
  }
}
