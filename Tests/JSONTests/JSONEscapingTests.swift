import JSON
import Kernel
import Testing

@Suite struct JSONEscapingTests {
  @Test(arguments: [
    ("", #""""#), ("plain", #""plain""#), ("\"\\/", #""\"\\/""#), ("a\nb\rc\td", #""a\nb\rc\td""#),
    ("\u{0}\u{1}\u{1f}\u{7f}", "\"\\u0000\\u0001\\u001f\u{7f}\""), ("grüße 🚲", #""grüße 🚲""#),
    ("\u{8}\u{c}", #""\u0008\u000c""#),
  ])
  func `text is escaped as RFC 8259 says`(text: String, expected: String) {
    #expect(escaped(Array(text.utf8)) == expected)
  }

  @Test(arguments: 0..<40)
  func `an escape is found wherever it stands in a long run`(position: Int) {
    var text = [UInt8](repeating: UInt8(ascii: "x"), count: 40)
    text[position] = UInt8(ascii: "\"")
    let x = String(repeating: "x", count: position)
    #expect(escaped(text) == "\"" + x + #"\""# + String(repeating: "x", count: 39 - position) + "\"")
  }

  /// Expectations from the Unicode standard, section 3.9, "U+FFFD substitution of maximal subparts".
  @Test(
    arguments: [
      ([0x80], 1), ([0xFF], 1), ([0xC0, 0xAF], 2), ([0xE0, 0x80, 0xBF], 3), ([0xED, 0xA0, 0x80], 3),
      ([0xF0, 0x9F, 0x9A], 1), ([0xE2, 0x82], 1), ([0xF4, 0x90, 0x80, 0x80], 4), ([0xF5, 0x80], 2),
      ([0xF0, 0x80, 0x80, 0x41], 3), ([0xC3], 1),
    ] as [([UInt8], Int)])
  func `what is not UTF-8 becomes one replacement for each maximal part`(bytes: [UInt8], replacements: Int) {
    let tail = bytes.last == 0x41 ? "A" : ""
    #expect(escaped(bytes) == "\"" + String(repeating: "\u{FFFD}", count: replacements) + tail + "\"")
    #expect(escaped([0x61] + bytes + [0x62]) == "\"a" + String(decoding: bytes, as: UTF8.self) + "b\"")
  }

  @Test func `random bytes come out as the standard library repairs them`() {
    var generator = SplitMix(state: 42)
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
        UInt8.random(in: 0x80...0xFF, using: &generator)
      }
      #expect(escaped(bytes) == "\"" + String(decoding: bytes, as: UTF8.self) + "\"")
    }
  }

  private func escaped(_ bytes: [UInt8]) -> String {
    var json = JSONWriter()
    json.value(bytes.span)
    return json.text
  }
}

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
