import Detection
import Kernel
import Testing

/// Texts that are changed on their way: however they are cut, the same comes out, and no more is held back than must be.
@Suite struct TextFilterTests {
  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private static func run(_ filter: any TextFilter, _ pieces: [ArraySlice<UInt8>]) -> String {
    var out: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
      filter.take(Array(piece).span, isEnd: index == pieces.count - 1, into: &out)
    }
    return text(out)
  }

  /// The text in one piece, cut in two at every octet, and octet by octet.
  private static func cuts(of text: String) -> [[ArraySlice<UInt8>]] {
    let bytes = Array(text.utf8)
    return [[bytes[...]]] + bytes.indices.map { [bytes[..<$0], bytes[$0...]] }
      + [bytes.indices.map { bytes[$0...$0] } + [[]]]
  }

  private static let personal =
    "Grüße 😀 an a.b@example.com, Karte 4111 1111 1111 1111; DE89 3704 0044 0532 0130 00, x@y.z@example.org."

  @Test func `personal data is masked the same wherever the text is cut`() {
    let masked = "Grüße 😀 an [email], Karte [card]; [iban], x@[email]."
    for pieces in Self.cuts(of: Self.personal) {
      let filter = MaskFilter(DetectorSet([.email, .card, .iban])) { kind, _ in "[\(kind.rawValue)]" }
      #expect(Self.run(filter, pieces) == masked, "\(pieces.map(\.count))")
    }
  }

  @Test func `what cannot become anything passes at once`() {
    let filter = MaskFilter(DetectorSet([.email])) { _, _ in "?" }
    var out: [UInt8] = []
    filter.take(Array("Hello, my dear ".utf8).span, isEnd: false, into: &out)
    #expect(Self.text(out).hasPrefix("Hello, my dear"))
    filter.take(Array("friend".utf8).span, isEnd: false, into: &out)
    filter.take(Array(" of old".utf8).span, isEnd: false, into: &out)
    #expect(Self.text(out).hasPrefix("Hello, my dear friend "))
  }

  @Test func `the same value has the same placeholder, and it is put back wherever the text is cut`() {
    let places = Placeholders()
    let masked = MaskFilter(DetectorSet([.email, .card])) { places.name(of: $1, $0) }
      .filter(Array("a@example.com, b@example.com, a@example.com, 4111111111111111".utf8).span)
    #expect(Self.text(masked) == "[EMAIL_1], [EMAIL_2], [EMAIL_1], [CARD_1]")
    let said = "Dear [EMAIL_2], not [EMAIL_3], [EMAIL_], [[CARD_1]] nor [x_1]; [EMAIL_1"
    for pieces in Self.cuts(of: said) {
      #expect(
        Self.run(RestoreFilter(places), pieces)
          == "Dear b@example.com, not [EMAIL_3], [EMAIL_], [4111111111111111] nor [x_1]; [EMAIL_1")
    }
  }

  @Test func `a placeholder that the client wrote itself stands for nothing`() {
    let places = Placeholders()
    places.avoid("What is [EMAIL_1], or [EMAIL_2]? And [EMAIL_03]")
    #expect(places.name(of: "a@example.com", .email) == "[EMAIL_3]")
    let restored = RestoreFilter(places).filter(Array("[EMAIL_1] [EMAIL_3]".utf8).span)
    #expect(Self.text(restored) == "[EMAIL_1] a@example.com")
  }

  @Test func `a bracket that goes on for ever is not held for ever`() {
    let filter = RestoreFilter(Placeholders())
    var out: [UInt8] = []
    filter.take(Array(("[" + String(repeating: "A", count: 50)).utf8).span, isEnd: false, into: &out)
    #expect(out.count == 51)
  }
}
