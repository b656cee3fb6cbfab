/// Writes public keys as SubjectPublicKeyInfo in DER (RFC 5280 §4.1), which is how the library reads them.
enum PublicKeyEncoding {
  static func rsa(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
    let key = sequence(integer(modulus) + integer(exponent))
    // rsaEncryption, with NULL for its parameters (RFC 3279 §2.3.1).
    let algorithm: [UInt8] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]
    return sequence(sequence(algorithm) + bits(key))
  }

  /// A point in uncompressed form on a named curve (RFC 5480 §2).
  static func point(x: [UInt8], y: [UInt8], on curve: SignatureAlgorithm.Family) -> [UInt8]? {
    let name: [UInt8]
    switch curve {
    case .p256: name = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]
    case .p384: name = [0x2b, 0x81, 4, 0, 0x22]
    case .p521: name = [0x2b, 0x81, 4, 0, 0x23]
    case .secret, .rsa, .edwards: return nil
    }
    guard x.count == size(of: curve), y.count == x.count else { return nil }
    let algorithm: [UInt8] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1] + tagged(6, name)
    return sequence(sequence(algorithm) + bits([4] + x + y))
  }

  /// Ed25519 with 32 bytes, or Ed448 with 57 (RFC 8410 §3).
  static func edwards(_ key: [UInt8]) -> [UInt8]? {
    switch key.count {
    case 32: sequence(sequence([6, 3, 0x2b, 0x65, 0x70]) + bits(key))
    case 57: sequence(sequence([6, 3, 0x2b, 0x65, 0x71]) + bits(key))
    default: nil
    }
  }

  /// A signature of two numbers of equal length side by side (RFC 7518 §3.4) as the library wants it; nil when it has
  /// another length.
  static func signature(_ bytes: [UInt8], of curve: SignatureAlgorithm.Family) -> [UInt8]? {
    let size = size(of: curve)
    guard size > 0, bytes.count == 2 * size else { return nil }
    return sequence(integer(Array(bytes[..<size])) + integer(Array(bytes[size...])))
  }

  /// Bytes of a coordinate.
  private static func size(of curve: SignatureAlgorithm.Family) -> Int {
    switch curve {
    case .p256: 32
    case .p384: 48
    case .p521: 66
    case .secret, .rsa, .edwards: 0
    }
  }

  private static func sequence(_ content: [UInt8]) -> [UInt8] { tagged(0x30, content) }
  private static func bits(_ content: [UInt8]) -> [UInt8] { tagged(3, [0] + content) }

  /// A number that is not negative.
  private static func integer(_ bytes: [UInt8]) -> [UInt8] {
    var digits = Array(bytes.drop { $0 == 0 })
    if digits.isEmpty || digits[0] >= 0x80 { digits.insert(0, at: 0) }
    return tagged(2, digits)
  }

  private static func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    let count = content.count
    if count < 0x80 { return [tag, UInt8(count)] + content }
    if count < 0x100 { return [tag, 0x81, UInt8(count)] + content }
    precondition(count < 0x10000, "keys are bounded before they are encoded")
    return [tag, 0x82, UInt8(count >> 8), UInt8(count & 0xff)] + content
  }
}
