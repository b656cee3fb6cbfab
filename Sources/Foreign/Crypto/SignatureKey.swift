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
  /// Those that nobody uses at the moment.
  private let verifiers = Lock<[Verifier]>([])

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
    if family == .edwards { return unsafe verifiesWhole(encoded, of: message, by: key) }
    guard let digest = unsafe Self.digest(algorithm) else { return false }
    var hash: InlineArray<64, UInt8> = .init(repeating: 0)
    var count: UInt32 = 0
    var room = hash.mutableSpan
    // SAFETY: the library writes at most the 64 bytes of SHA-512 and says how many.
    let isHashed = unsafe message.withUnsafeBufferPointer { text in
      unsafe room.withUnsafeMutableBufferPointer { out in
        unsafe EVP_Digest(text.baseAddress, text.count, out.baseAddress, &count, digest, nil) == 1
      }
    }
    guard isHashed, let verifier = unsafe takeVerifier(algorithm, digest, key) else { return false }
    // SAFETY: nobody else has the context; signature and hash live during the call.
    let isGood = unsafe hash.span.withUnsafeBufferPointer { hash in
      unsafe encoded.withUnsafeBufferPointer { bytes in
        unsafe EVP_PKEY_verify(verifier.context, bytes.baseAddress, bytes.count, hash.baseAddress, Int(count)) == 1
      }
    }
    if isGood { verifiers.withLock { $0.append(verifier) } } else { ERR_clear_error() }
    return isGood
  }

  /// What checks one signature after another by one algorithm: to make it costs a quarter of a check.
  ///
  /// SAFETY: used by one thread at a time, as it is taken out of the list for that; freed with the last reference.
  @safe
  private final class Verifier: @unchecked Sendable {
    let algorithm: SignatureAlgorithm
    let context: OpaquePointer

    init?(_ algorithm: SignatureAlgorithm, _ digest: OpaquePointer, _ key: OpaquePointer) {
      self.algorithm = algorithm
      // SAFETY: the context keeps the key for as long as it lives.
      guard let context = unsafe EVP_PKEY_CTX_new(key, nil) else { return nil }
      unsafe self.context = context
      guard unsafe EVP_PKEY_verify_init(context) == 1, unsafe EVP_PKEY_CTX_set_signature_md(context, digest) == 1 else {
        return nil
      }
      if algorithm.isPSS {
        guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1,
          unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1
        else { return nil }
      }
    }

    deinit { unsafe EVP_PKEY_CTX_free(context) }
  }

  private func takeVerifier(
    _ algorithm: SignatureAlgorithm, _ digest: OpaquePointer, _ key: OpaquePointer
  ) -> Verifier? {
    let kept = verifiers.withLock { verifiers in
      verifiers.lastIndex { $0.algorithm == algorithm }.map { verifiers.remove(at: $0) }
    }
    return unsafe kept ?? Verifier(algorithm, digest, key)
  }

  /// The same for EdDSA, which takes no hash of a message but the message.
  private func verifiesWhole(_ signature: [UInt8], of message: Span<UInt8>, by key: OpaquePointer) -> Bool {
    defer { ERR_clear_error() }
    // SAFETY: the context is freed here; key, signature and message live during the call.
    guard let context = unsafe EVP_MD_CTX_new() else { return false }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
    return unsafe message.withUnsafeBufferPointer { text in
      unsafe signature.withUnsafeBufferPointer { bytes in
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
    case 256: unsafe sha256.function
    case 384: unsafe sha384.function
    case 512: unsafe sha512.function
    default: nil
    }
  }

  /// A hash function that is looked up once: the library's own look-up comes with each use otherwise.
  // SAFETY: never changed nor freed.
  @safe
  private struct Digest: @unchecked Sendable {
    let function: OpaquePointer?

    init(_ name: StaticString) {
      unsafe function = EVP_MD_fetch(nil, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), nil)
    }
  }

  private static let sha256 = Digest("SHA2-256")
  private static let sha384 = Digest("SHA2-384")
  private static let sha512 = Digest("SHA2-512")
}
