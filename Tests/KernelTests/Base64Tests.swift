import Kernel
import Testing

struct Base64Tests {
  /// RFC 4648 §10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `octets become text, and text octets again`(_ octets: String, _ text: String) {
    #expect(Base64.encode(Array(octets.utf8)) == text)
    #expect(Base64.decode(text) == Array(octets.utf8))
    #expect(Base64.decode(String(text.prefix { $0 != "=" })) == Array(octets.utf8))
  }

  @Test func `any octets come back as they were`() {
    var random = SplitMix(seed: 5)
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
  }

  @Test(arguments: ["Z", "Zm9v Zg==", "Zm9v\n", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Zm9v-_==", "====", "é"])
  func `what is no Base64 is nothing`(_ text: String) {
    #expect(Base64.decode(text) == nil)
  }
}
