public import PluginKit

/// Why a token is refused.
enum TokenMistake: Error, CaseIterable {
  case malformed, algorithm, critical, type, unknownKey, signature, noExpiry, expired, notYetValid, issuer, audience
}

extension TokenMistake {
  /// For the operator, who may read more of it than the caller.
  var words: String {
    switch self {
    case .malformed: "the token is no JWS in compact form"
    case .algorithm: "the token's `alg` is not its key's, or not one of `algorithms`"
    case .critical: "the token names what must be understood in `crit`"
    case .type: "the token's `typ` is not one of `types`"
    case .unknownKey: "there is no key for the token's `kid`"
    case .signature: "no key has made the token's signature"
    case .noExpiry: "the token has no `exp`"
    case .expired: "the token's `exp` has passed"
    case .notYetValid: "the token's `nbf` or `iat` is in the future"
    case .issuer: "the token's `iss` is none of `issuer`"
    case .audience: "the token's `aud` has none of `audience`"
    }
  }

  var fault: Fault {
    switch self {
    case .malformed: .malformedToken
    case .algorithm: .tokenAlgorithm
    case .critical: .tokenCritical
    case .type: .tokenType
    case .unknownKey: .tokenUnknownKey
    case .signature: .tokenSignature
    case .noExpiry: .tokenWithoutExpiry
    case .expired: .tokenExpired
    case .notYetValid: .tokenNotYetValid
    case .issuer: .tokenIssuer
    case .audience: .tokenAudience
    }
  }
}

extension Fault {
  public static let malformedToken = unauthenticated("token_malformed")
  public static let tokenAlgorithm = unauthenticated("token_algorithm")
  public static let tokenCritical = unauthenticated("token_critical")
  public static let tokenType = unauthenticated("token_type")
  public static let tokenUnknownKey = unauthenticated("token_unknown_key")
  public static let tokenSignature = unauthenticated("token_signature")
  public static let tokenWithoutExpiry = unauthenticated("token_without_expiry")
  public static let tokenExpired = unauthenticated("token_expired")
  public static let tokenNotYetValid = unauthenticated("token_not_yet_valid")
  public static let tokenIssuer = unauthenticated("token_issuer")
  public static let tokenAudience = unauthenticated("token_audience")
  public static let keysUnavailable = Fault(
    .upstream, 503, "keys_unavailable",
    "The keys that tokens are checked with cannot be fetched at the moment; try again later.", retryAfter: 1)
}
