import COpenSSL
import Kernel

/// A key that signatures are checked with: a public key, or a secret that both sides know.
///
/// A key belongs to one family of algorithms, so that a public key can never be taken for a secret, whatever a token
/// says of itself (RFC 8725 §3.1).
// SAFETY: the library counts references with atomics, and nothing changes the key once it is made.
@safe
public final class SignatureKey: @unchecked Sendable {
  /// What is wrong with a key.
  public struct Mistake: Error, Sendable, Equatable {
    public let reason: String
  }

  public let family: SignatureAlgorithm.Family
  private let key: OpaquePointer?
  private let secret: [UInt8]

  /// At least 2048 bits (RFC 7518 §3.3) and at most 8192, so that checking one signature has a bound.
  public static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(Mistake) -> SignatureKey {
    guard modulus.count <= 1025, exponent.count <= 8 else { throw Mistake(reason: "it has more than 8192 bits") }
    return try SignatureKey(encoded: PublicKeyEncoding.rsa(modulus: modulus, exponent: exponent))
  }

  /// - Parameter curve: one of those with a point: P-256, P-384, P-521.
  public static func point(
    x: [UInt8], y: [UInt8], on curve: SignatureAlgorithm.Family
  ) throws(Mistake) -> SignatureKey {
    guard let encoded = PublicKeyEncoding.point(x: x, y: y, on: curve) else {
      throw Mistake(reason: "its coordinates have another length than its curve")
    }
    return try SignatureKey(encoded: encoded)
  }

  public static func edwards(_ bytes: [UInt8]) throws(Mistake) -> SignatureKey {
    guard let encoded = PublicKeyEncoding.edwards(bytes) else {
      throw Mistake(reason: "it has neither the 32 bytes of Ed25519 nor the 57 of Ed448")
    }
    return try SignatureKey(encoded: encoded)
  }

  /// A secret of at least 16 bytes; a shorter one is guessed.
  public init(secret: [UInt8]) throws(Mistake) {
    guard secret.count >= 16 else { throw Mistake(reason: "it has \(secret.count) bytes, fewer than 16") }
    self.secret = secret
    unsafe key = nil
    family = .secret
  }

  private convenience init(encoded: [UInt8]) throws(Mistake) {
    // SAFETY: the library reads the array's memory during the call and moves only its own copy of the pointer.
    let key = unsafe encoded.withUnsafeBufferPointer { bytes in
      var start = bytes.baseAddress
      return unsafe d2i_PUBKEY(nil, &start, bytes.count)
    }
    try unsafe self.init(adopting: key)
  }

  /// A public key in PEM, or the one of a certificate.
  public convenience init(pem: [UInt8]) throws(Mistake) {
    // SAFETY: the stream reads memory that lives during the call; the certificate is freed here.
    let key = unsafe pem.withUnsafeBytes { bytes -> OpaquePointer? in
      guard let stream = unsafe BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return nil }
      defer { unsafe _ = BIO_free(stream) }
      if let key = unsafe PEM_read_bio_PUBKEY(stream, nil, nil, nil) { return unsafe key }
      guard let again = unsafe BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return nil }
      defer { unsafe _ = BIO_free(again) }
      guard let certificate = unsafe PEM_read_bio_X509(again, nil, nil, nil) else { return nil }
      defer { unsafe X509_free(certificate) }
      return unsafe X509_get_pubkey(certificate)
    }
    try unsafe self.init(adopting: key)
  }

  private init(adopting key: OpaquePointer?) throws(Mistake) {
    guard let key = unsafe key else { throw Mistake(reason: "it is no public key: \(TLSFailure.lastReason())") }
    ERR_clear_error()
    guard let family = unsafe Self.family(of: key) else {
      // SAFETY: the key is ours, and nobody else has it.
      unsafe EVP_PKEY_free(key)
      throw Mistake(reason: "it is neither RSA of 2048 to 8192 bits nor P-256, P-384, P-521, Ed25519 or Ed448")
    }
    unsafe self.key = key
    self.family = family
    secret = []
  }

  // SAFETY: adopted in init.
  deinit { if let key = unsafe key { unsafe EVP_PKEY_free(key) } }

  private static func family(of key: OpaquePointer) -> SignatureAlgorithm.Family? {
    // SAFETY: the caller holds the key.
    let bits = unsafe EVP_PKEY_get_bits(key)
    switch unsafe EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA: return (2048...8192).contains(bits) ? .rsa : nil
    case EVP_PKEY_ED25519, EVP_PKEY_ED448: return .edwards
    case EVP_PKEY_EC:
      var name = [CChar](repeating: 0, count: 32)
      var count = 0
      // SAFETY: the library writes at most 32 bytes and says how many.
      guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else { return nil }
      switch String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
      case "prime256v1", "P-256": return .p256
      case "secp384r1", "P-384": return .p384
      case "secp521r1", "P-521": return .p521
      default: return nil
      }
    default: return nil
    }
  }

  /// Whether this is the signature of the message by this key; false for an algorithm of another family.
  public func verifies(_ signature: [UInt8], of message: Span<UInt8>, by algorithm: SignatureAlgorithm) -> Bool {
    guard algorithm.family == family else { return false }
    guard let key = unsafe key else { return verifiesSecret(signature, of: message, by: algorithm) }
    var encoded = signature
    if family != .rsa && family != .edwards {
      guard let both = PublicKeyEncoding.signature(signature, of: family) else { return false }
      encoded = both
    }
    defer { ERR_clear_error() }
    // SAFETY: the context is freed here; key, signature and message live during the call.
    guard let context = unsafe EVP_MD_CTX_new() else { return false }
    defer { unsafe EVP_MD_CTX_free(context) }
    var parameters: OpaquePointer?
    guard unsafe EVP_DigestVerifyInit(context, &parameters, Self.digest(algorithm), nil, key) == 1 else { return false }
    if algorithm.isPSS {
      guard unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
        unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
      else { return false }
    }
    return unsafe message.withUnsafeBufferPointer { text in
      unsafe encoded.withUnsafeBufferPointer { bytes in
        unsafe EVP_DigestVerify(context, bytes.baseAddress, bytes.count, text.baseAddress, text.count) == 1
      }
    }
  }

  private func verifiesSecret(
    _ signature: [UInt8], of message: Span<UInt8>, by algorithm: SignatureAlgorithm
  ) -> Bool {
    var expected = [UInt8](repeating: 0, count: 64)
    var count: UInt32 = 0
    // SAFETY: the library writes at most the 64 bytes of SHA-512 and says how many.
    let done = unsafe message.withUnsafeBufferPointer { text in
      unsafe secret.withUnsafeBufferPointer { secret in
        unsafe expected.withUnsafeMutableBufferPointer { out in
          unsafe COpenSSL.HMAC(
            Self.digest(algorithm), secret.baseAddress, CInt(secret.count), text.baseAddress, text.count,
            out.baseAddress, &count) != nil
        }
      }
    }
    guard done, signature.count == Int(count) else { return false }
    var difference: UInt8 = 0
    for index in signature.indices { difference |= signature[index] ^ expected[index] }
    return difference == 0
  }

  /// Nil for EdDSA, which takes the message whole.
  private static func digest(_ algorithm: SignatureAlgorithm) -> OpaquePointer? {
    switch algorithm.bits {
    case 256: unsafe EVP_sha256()
    case 384: unsafe EVP_sha384()
    case 512: unsafe EVP_sha512()
    default: nil
    }
  }
}
