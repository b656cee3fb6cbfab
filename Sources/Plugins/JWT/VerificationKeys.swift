import Foreign
import HTTP
import JSON
import Kernel

/// A key with what its owner says of it.
struct VerificationKey: Sendable {
  let id: String?
  let key: SignatureKey
  /// What it may be used for: all algorithms of its family, or the one that its JWK names.
  let algorithms: Set<SignatureAlgorithm>

  init(id: String?, key: SignatureKey, only: SignatureAlgorithm? = nil) {
    self.id = id
    self.key = key
    algorithms = Set(SignatureAlgorithm.allCases.filter { $0.family == key.family && (only ?? $0) == $0 })
  }
}

/// The keys of an issuer: a JWK Set (RFC 7517), PEM, or a secret.
struct VerificationKeys: Sendable {
  let all: [VerificationKey]

  init(_ all: [VerificationKey]) { self.all = all }

  /// So many keys are tried for a token that names none of them.
  private static let mostTried = 8

  enum Choice {
    case keys([VerificationKey])
    /// The token names a key that is not among these.
    case unknownID
    /// No key that may be meant takes this algorithm.
    case otherAlgorithm
  }

  /// The keys that may have made a token's signature.
  func candidates(id: String?, algorithm: SignatureAlgorithm) -> Choice {
    var meant = all
    if let id {
      meant = all.filter { $0.id == id }
      // Keys without a name may be any.
      if meant.isEmpty { meant = all.filter { $0.id == nil } }
      if meant.isEmpty { return .unknownID }
    }
    let fitting = meant.filter { $0.algorithms.contains(algorithm) }
    return fitting.isEmpty ? .otherAlgorithm : .keys(Array(fitting.prefix(Self.mostTried)))
  }

  /// What is wrong with a JWK Set.
  struct Mistake: Error { let reason: String }

  private static let mostKeys = 100

  /// Reads a JWK Set; keys of kinds that are not known are passed over (RFC 7517 §5), and those for encryption.
  ///
  /// - Parameter isLenient: passes also over keys that cannot be used: what an issuer adds for others must not lock out
  ///   everybody, while in a file of the operator's own a mistake is to be mended.
  init(jwks: [UInt8], isLenient: Bool = false) throws(Mistake) {
    var document = JSONDocument()
    let bytes = jwks.span
    do throws(JSONError) { try document.parse(bytes) } catch {
      throw Mistake(reason: "it is no JSON: \(error.text), at byte \(error.offset)")
    }
    guard let list = try Self.member("keys", of: 0, document, bytes), document.kind(list) == .array else {
      throw Mistake(reason: "it has no list of `keys`")
    }
    var keys: [VerificationKey] = []
    var node = list + 1
    while node < document.next(list) {
      do throws(Mistake) {
        if let key = try Self.key(node, document, bytes) { keys.append(key) }
      } catch { if !isLenient { throw error } }
      if keys.count > Self.mostKeys { throw Mistake(reason: "it has more than \(Self.mostKeys) keys") }
      node = document.next(node)
    }
    if keys.isEmpty { throw Mistake(reason: "it has no key that signatures could be checked with") }
    all = keys
  }

  private static func key(
    _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) throws(Mistake) -> VerificationKey? {
    guard document.kind(node) == .object else { throw Mistake(reason: "one of its `keys` is no object") }
    if let use = try text("use", node, document, bytes), use != "sig" { return nil }
    let id = try text("kid", node, document, bytes)
    let named = try text("alg", node, document, bytes)
    let only = named.flatMap { SignatureAlgorithm(rawValue: $0) }
    // An algorithm that is not known is one for encryption, or none that may be trusted.
    if named != nil, only == nil { return nil }
    guard let key = try signatureKey(node, document, bytes) else { return nil }
    let made = VerificationKey(id: id, key: key, only: only)
    if made.algorithms.isEmpty {
      throw Mistake(reason: "the key \(id ?? "without `kid`") has the `alg` of another kind")
    }
    return made
  }

  /// Nil for a kind that is not known.
  private static func signatureKey(
    _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) throws(Mistake) -> SignatureKey? {
    switch try text("kty", node, document, bytes) {
    case "RSA":
      let (n, e) = (try octets("n", node, document, bytes), try octets("e", node, document, bytes))
      return try usable { () throws(SignatureKey.Mistake) in try SignatureKey.rsa(modulus: n, exponent: e) }
    case "EC":
      let curves: [String: SignatureAlgorithm.Family] = ["P-256": .p256, "P-384": .p384, "P-521": .p521]
      guard let curve = curves[try text("crv", node, document, bytes) ?? ""] else { return nil }
      let (x, y) = (try octets("x", node, document, bytes), try octets("y", node, document, bytes))
      return try usable { () throws(SignatureKey.Mistake) in try SignatureKey.point(x: x, y: y, on: curve) }
    case "OKP":
      guard ["Ed25519", "Ed448"].contains(try text("crv", node, document, bytes) ?? "") else { return nil }
      let x = try octets("x", node, document, bytes)
      return try usable { () throws(SignatureKey.Mistake) in try SignatureKey.edwards(x) }
    case "oct":
      let secret = try octets("k", node, document, bytes)
      return try usable { () throws(SignatureKey.Mistake) in try SignatureKey(secret: secret) }
    default: return nil
    }
  }

  private static func usable(
    _ make: () throws(SignatureKey.Mistake) -> SignatureKey
  ) throws(Mistake) -> SignatureKey {
    do throws(SignatureKey.Mistake) { return try make() } catch {
      throw Mistake(reason: "a key cannot be used: \(error.reason)")
    }
  }

  private static func octets(
    _ name: String, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) throws(Mistake) -> [UInt8] {
    guard let text = try text(name, node, document, bytes), let octets = Base64URL.decode(text.utf8Span.span) else {
      throw Mistake(reason: "a key has no `\(name)` in base64url")
    }
    return octets
  }

  private static func text(
    _ name: String, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) throws(Mistake) -> String? {
    guard let value = try member(name, of: node, document, bytes) else { return nil }
    guard document.kind(value) == .string else { throw Mistake(reason: "the `\(name)` of a key is no text") }
    return TokenText.string(value, document, bytes)
  }

  private static func member(
    _ name: String, of node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) throws(Mistake) -> Int? {
    do throws(JSONError) { return try document.member(name.utf8Span.span, of: node, in: bytes) } catch {
      throw Mistake(reason: "`\(name)` stands twice, at byte \(error.offset)")
    }
  }
}

/// Strings of a document.
enum TokenText {
  static func string(_ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> String {
    var text = ByteBuffer(capacity: 64)
    JSONString.append(decoding: document.content(node, in: bytes), to: &text)
    return String(decoding: text.span.indices.map { text.span[$0] }, as: UTF8.self)
  }

  /// A value as JSON writes it.
  static func raw(_ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> String {
    let text = document.text(node, in: bytes)
    return String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
  }
}
