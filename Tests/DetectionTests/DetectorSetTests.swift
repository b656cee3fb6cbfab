import Detection
import Kernel
import Testing

@Suite struct DetectorSetTests {
  /// What is recognised, as `kind:text`.
  private func find(_ text: String, _ detectors: [Detector] = Detector.allCases) -> [String] {
    let bytes = Array(text.utf8)
    var found: [Detection] = []
    DetectorSet(detectors).find(in: bytes.span, into: &found)
    return found.map { "\($0.detector.rawValue):\(String(decoding: bytes[$0.range], as: UTF8.self))" }
  }

  @Test(arguments: [
    ("write to a.b+c@mail.example.co.uk, please", ["email:a.b+c@mail.example.co.uk"]),
    ("<x@example.com>.", ["email:x@example.com"]), ("x@example.com.", ["email:x@example.com"]),
    ("4111 1111 1111 1111", ["card:4111 1111 1111 1111"]), ("pan=5500005555555559!", ["card:5500005555555559"]),
    ("378282246310005", ["card:378282246310005"]),
    ("DE89 3704 0044 0532 0130 00 and more", ["iban:DE89 3704 0044 0532 0130 00"]),
    ("GB82WEST12345698765432", ["iban:GB82WEST12345698765432"]), ("nl91abna0417164300", ["iban:nl91abna0417164300"]),
    ("from 192.0.2.17.", ["ip:192.0.2.17"]), ("[2001:db8::1]:443", ["ip:2001:db8::1"]),
    ("fe80:0:0:0:1:2:3:4", ["ip:fe80:0:0:0:1:2:3:4"]),
    ("call +49 30 123456-78 now", ["phone:+49 30 123456-78"]), ("(030) 123 45 67", ["phone:(030) 123 45 67"]),
    ("é+4930123456é", ["phone:+4930123456"]),
    ("a@b.de, 192.0.2.1", ["email:a@b.de", "ip:192.0.2.1"]),
  ])
  func `what is personal is recognised`(text: String, expected: [String]) { #expect(find(text) == expected) }

  @Test(arguments: [
    "", "a@b", "@example.com", "a@.com", "a@b.c", "4111 1111 1111 1112", "41111111111111111111",
    "DE89370400440532013002", "XX89370400440532013000", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "12:30:45",
    "::", "order 1234567", "2026-06-01T12:00:00", "1.50", "x4111111111111111", "3.14159265358979",
  ])
  func `what only looks like it is left alone`(text: String) { #expect(find(text) == []) }

  @Test func `only what is asked for is recognised`() {
    #expect(find("a@b.de 192.0.2.1", [.ip]) == ["ip:192.0.2.1"])
    #expect(find("a@b.de", []) == [])
  }

  @Test func `a stream cut anywhere gives what the whole gives`() {
    let text = Array(
      "Hello a.b@example.com and 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00; +49 30 123456 ok".utf8)
    let set = DetectorSet(Detector.allCases)
    var whole: [Detection] = []
    set.find(in: text.span, into: &whole)
    #expect(whole.count == 4)
    for cut in 0...text.count {
      var found: [Detection] = []
      let settled = set.find(in: text.span.extracting(0..<cut), isEnd: false, into: &found)
      #expect(settled <= cut)
      var rest: [Detection] = []
      set.find(in: text.span.extracting(settled..<text.count), into: &rest)
      let all =
        found
        + rest.map {
          Detection(detector: $0.detector, range: $0.range.lowerBound + settled..<$0.range.upperBound + settled)
        }
      #expect(all == whole, "\(cut), \(settled)")
    }
  }

  @Test func `plain prose is hardly held back`() {
    let text = Array("This is a sentence about nothing in particular".utf8)
    var found: [Detection] = []
    let settled = DetectorSet([.email]).find(in: text.span, isEnd: false, into: &found)
    #expect(text.count - settled == "particular".utf8.count)
  }
}
