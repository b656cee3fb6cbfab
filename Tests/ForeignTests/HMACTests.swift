import Testing

@testable import Foreign

@Suite("HMAC-SHA-256 gives what RFC 4231 says")
struct HMACTests {
  /// RFC 4231, sections 4.2 to 4.4, 4.7: key, data, code.
  static let vectors: [(key: [UInt8], data: [UInt8], code: String)] = [
    (
      [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
  ]

  @Test func `Each vector has its code, and a second code of the same key is the same`() throws {
    for vector in Self.vectors {
      let keyed = try #require(HMAC(key: vector.key))
      for _ in 0..<2 {
        let code = keyed.code(of: vector.data.span)
        #expect(code?.hexadecimal == vector.code)
      }
    }
  }

  /// The empty key over the empty text, as any implementation gives it (RFC 2104 pads a short key with zeros).
  @Test func `A key of no bytes is a key`() throws {
    let keyed = try #require(HMAC(key: []))
    let code = keyed.code(of: [UInt8]().span)
    #expect(code?.hexadecimal == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }
}
