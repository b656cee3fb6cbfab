import HTTP
import Kernel
import Testing

/// Base64 in pieces (RFC 4648 §4 and §10).
struct Base64Tests {
  private func encoded(_ text: String) -> String {
    var out = ByteBuffer(capacity: 16)
    Base64.append(text.utf8Span.span, to: &out)
    return String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self)
  }

  /// What the text says when it comes in two pieces; nil when it is no base64.
  private func decoded(_ text: String, splitAt split: Int) -> String? {
    var out = ByteBuffer(capacity: 16)
    var decoder = Base64Decoder()
    let bytes = Array(text.utf8)
    guard decoder.decode(bytes.span.extracting(0..<split), into: &out),
      decoder.decode(bytes.span.extracting(split..<bytes.count), into: &out), decoder.isComplete
    else { return nil }
    return String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self)
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"), ("??>>", "Pz8+Pg=="),
  ])
  func `text is written and read back at every split`(_ plain: String, _ text: String) {
    #expect(encoded(plain) == text)
    for split in 0...text.utf8.count { #expect(decoded(text, splitAt: split) == plain) }
  }

  @Test func `padded texts may follow each other`() {
    for split in 0...12 { #expect(decoded("Zg==Zm8=Zm9v", splitAt: split) == "ffofoo") }
  }

  @Test(arguments: ["Z", "Zg", "Zg=", "Zm9", "=", "Z===", "Zg=A", "Zm9v=", "Zm-v", "Zm 9v", "Zg==="])
  func `anything else is refused at every split`(_ text: String) {
    for split in 0...text.utf8.count { #expect(decoded(text, splitAt: split) == nil, "\(split)") }
  }
}
