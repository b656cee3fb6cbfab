/// The algorithms of JSON Web Signature (RFC 7518 §3.1, RFC 8037 §3.1), but for `none`, which is not one.
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
  case hs256 = "HS256"
  case hs384 = "HS384"
  case hs512 = "HS512"
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case ps256 = "PS256"
  case ps384 = "PS384"
  case ps512 = "PS512"
  case es256 = "ES256"
  case es384 = "ES384"
  case es512 = "ES512"
  case edDSA = "EdDSA"

  /// What kind of key it needs: no key fits two of them.
  public enum Family: Sendable { case secret, rsa, p256, p384, p521, edwards }

  public var family: Family {
    switch self {
    case .hs256, .hs384, .hs512: .secret
    case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
    case .es256: .p256
    case .es384: .p384
    case .es512: .p521
    case .edDSA: .edwards
    }
  }

  /// Bits of its digest; 0 for EdDSA, which has its own.
  var bits: Int {
    switch self {
    case .hs256, .rs256, .ps256, .es256: 256
    case .hs384, .rs384, .ps384, .es384: 384
    case .hs512, .rs512, .ps512, .es512: 512
    case .edDSA: 0
    }
  }

  var isPSS: Bool { self == .ps256 || self == .ps384 || self == .ps512 }
}
