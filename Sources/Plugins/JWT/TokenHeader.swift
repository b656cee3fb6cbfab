import Foreign
import HTTP
import JSON
import Kernel

/// The parts of a token in compact form (RFC 7515 §3.1).
struct TokenParts {
  /// Where the header ends, as the token writes it.
  let headerEnd: Int
  let payload: [UInt8]
  let signature: [UInt8]
  /// How much of the token is signed.
  let signed: Int

  /// Longer tokens are refused before they are looked at.
  static let longestToken = 16 << 10

  init(_ token: Span<UInt8>) throws(TokenMistake) {
    guard token.count <= Self.longestToken else { throw .malformed }
    let first = ByteScan.index(of: UInt8(ascii: "."), in: token)
    let second = ByteScan.index(of: UInt8(ascii: "."), in: token, from: min(first + 1, token.count))
    guard first < token.count, second < token.count,
      ByteScan.index(of: UInt8(ascii: "."), in: token, from: second + 1) == token.count,
      let payload = Base64URL.decode(token.extracting(first + 1..<second)),
      let signature = Base64URL.decode(token.extracting(second + 1..<token.count)), !signature.isEmpty
    else { throw .malformed }
    headerEnd = first
    self.payload = payload
    self.signature = signature
    signed = second
  }
}

/// What the header of a token says.
struct TokenHeader {
  /// As the token writes it.
  let text: [UInt8]
  let algorithm: SignatureAlgorithm
  let keyID: String?
  /// In lower case, without `application/`.
  let type: String?

  init(_ text: Span<UInt8>) throws(TokenMistake) {
    guard let header = Base64URL.decode(text) else { throw .malformed }
    let members = try TokenClaims.read(header)
    guard members.raw["alg"] != nil else { throw .malformed }
    // `none` and what nobody knows: there is no key for it.
    guard let algorithm = members.string("alg").flatMap({ SignatureAlgorithm(rawValue: $0) }) else { throw .algorithm }
    // It names what a reader must understand, and nothing of that kind is understood (RFC 7515 §4.1.11).
    if members.raw["crit"] != nil { throw .critical }
    self.text = Array(copying: text)
    self.algorithm = algorithm
    if members.raw["kid"] != nil, members.string("kid") == nil { throw .malformed }
    keyID = members.string("kid")
    if members.raw["typ"] != nil, members.string("typ") == nil { throw .malformed }
    type = members.string("typ").map {
      let type = $0.lowercased()
      return type.hasPrefix("application/") ? String(type.dropFirst("application/".utf8.count)) : type
    }
  }
}
