import Kernel
import Testing

/// The scans that the codec rests on, against their definition: every byte at every place of a block of sixteen.
@Suite struct ByteScanTests {
  private static let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)

  private func ends(
    _ scan: (Span<UInt8>, Int) -> Int, at expected: (UInt8) -> Bool, filler: UInt8 = UInt8(ascii: "a")
  ) {
    for byte in UInt8.min...UInt8.max {
      for count in [1, 15, 16, 17, 33] {
        for place in 0..<count {
          var bytes = [UInt8](repeating: filler, count: count)
          bytes[place] = byte
          let found = scan(bytes.span, 0)
          if found != (expected(byte) ? place : count) || scan(bytes.span, count) != count {
            Issue.record("byte \(byte) at \(place) of \(count): \(found)")
            return
          }
        }
      }
    }
  }

  @Test func `a name ends at what is no letter, digit or hyphen`() {
    ends({ ByteScan.endOfName(in: $0, from: $1) }, at: { !Self.letters.contains($0) && $0 != UInt8(ascii: "-") })
  }

  @Test func `a token ends at what is no tchar`() {
    let allowed = Self.letters.union("!#$%&'*+-.^_`|~".utf8)
    ends({ ByteScan.endOfToken(in: $0, from: $1) }, at: { !allowed.contains($0) })
  }

  @Test func `a host name ends at what is reserved`() {
    let allowed = Self.letters.union("-._~".utf8)
    ends({ ByteScan.endOfHostName(in: $0, from: $1) }, at: { !allowed.contains($0) })
  }

  @Test func `a field value ends at a control that is no tab`() {
    ends({ ByteScan.endOfFieldValue(in: $0, from: $1) }, at: { ($0 < 0x20 && $0 != 9) || $0 == 0x7f })
  }

  @Test func `a plain path ends at what needs a look`() {
    let special = Set("\"#%.<>?\\^`{}".utf8)
    ends({ ByteScan.endOfPlainPath(in: $0, from: $1) }, at: { $0 <= 0x20 || $0 >= 0x7f || special.contains($0) })
  }

  @Test func `a query ends at what is not visible or never stands in one`() {
    let special = Set("\"#<>".utf8)
    ends({ ByteScan.endOfQuery(in: $0, from: $1) }, at: { $0 <= 0x20 || $0 >= 0x7f || special.contains($0) })
  }

  @Test(arguments: [
    ("/v1/models/m", "/models/", 3..<11), ("/models", "/models/", nil), ("//models/", "/models/", 1..<9),
    ("", "a", nil),
    ("aab", "ab", 1..<3), ("abab", "ab", 0..<2), ("aaaaaaaaaaaaaaaaaaaab", "aab", 18..<21),
  ]) func `what is sought is found where it first begins`(_ text: String, _ sought: String, _ range: Range<Int>?) {
    #expect(ByteScan.range(of: Array(sought.utf8).span, in: Array(text.utf8).span) == range)
  }

  @Test func `a word is little-endian and padded with zeros`() {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    #expect(ByteScan.word(in: bytes.span) == 0x0807_0605_0403_0201)
    #expect(ByteScan.word(in: bytes.span, at: 1) == 0x0908_0706_0504_0302)
    for start in 2...9 {
      let expected = (start..<9).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
      #expect(ByteScan.word(in: bytes.span, at: start) == expected)
    }
  }

  @Test(arguments: [(0, 3, 4), (3, 0, 4), (2, 2, 3), (0, 7, 0), (0, 4, 3)])
  func `bytes may be moved onto themselves`(_ source: Int, _ target: Int, _ count: Int) {
    let original = Array(UInt8(0)..<7)
    var bytes = original
    var span = bytes.mutableSpan
    ByteScan.move(&span, from: source, to: target, count: count)
    var expected = original
    expected.replaceSubrange(target..<target + count, with: original[source..<source + count])
    #expect(bytes == expected)
  }
}
