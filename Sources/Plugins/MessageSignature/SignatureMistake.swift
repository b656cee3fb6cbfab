import PluginKit

/// Why a signed request is refused.
enum SignatureMistake: Error, CaseIterable {
  /// Signature-Input or Signature is no dictionary of the kind, or one has a label that the other lacks.
  case malformed
  case unknownKey
  case algorithm
  case tag
  /// It covers what is not read here, or a field that the request does not have.
  case component
  /// It leaves out what it must cover.
  case uncovered
  case noTime
  case expired
  case notYetValid
  case signature
  case replayed
  /// So many requests were signed within the window that no more can be remembered.
  case windowFull
  case noDigest
  case digest
  /// The digest is of the coded body, and hooks read the one out of its coding.
  case codedBody

  /// What an explanation says of it.
  var words: String {
    switch self {
    case .malformed: "`Signature-Input` and `Signature` are no pair of dictionaries (RFC 9421 §4)"
    case .unknownKey: "no consumer has the signature's `keyid`"
    case .algorithm: "the signature's `alg` is not hmac-sha256"
    case .tag: "the signature's `tag` is not that of `tag`"
    case .component: "the signature covers what is not read here, or a field that the request does not have"
    case .uncovered: "the signature leaves out one of `components`"
    case .noTime: "the signature has no `created`"
    case .expired: "the signature's `created` is longer ago than `skew`, or its `expires` has passed"
    case .notYetValid: "the signature's `created` is in the future by more than `skew`"
    case .signature: "the consumer's key has not made the signature over this request"
    case .replayed: "the signature came before"
    case .windowFull: "more signatures came than can be remembered"
    case .noDigest: "there is no SHA-256 in `Content-Digest`"
    case .digest: "the body is not that of `Content-Digest`"
    case .codedBody: "a signed body comes with `Content-Encoding`"
    }
  }

  var fault: Fault {
    switch self {
    case .malformed: .malformedSignature
    case .unknownKey: .signatureUnknownKey
    case .algorithm: .signatureAlgorithm
    case .tag: .signatureTag
    case .component: .signatureComponent
    case .uncovered: .signatureUncovered
    case .noTime: .signatureWithoutTime
    case .expired: .signatureExpired
    case .notYetValid: .signatureNotYetValid
    case .signature: .wrongSignature
    case .replayed: .signatureReplayed
    case .windowFull: .replayWindowFull
    case .noDigest: .noContentDigest
    case .digest: .wrongContentDigest
    case .codedBody: .signedBodyIsCoded
    }
  }
}

extension Fault {
  static let malformedSignature = unauthenticated("signature_malformed")
  static let signatureUnknownKey = unauthenticated("signature_unknown_key")
  static let signatureAlgorithm = unauthenticated("signature_algorithm")
  static let signatureTag = unauthenticated("signature_tag")
  static let signatureComponent = unauthenticated("signature_component")
  static let signatureUncovered = unauthenticated("signature_uncovered")
  static let signatureWithoutTime = unauthenticated("signature_without_time")
  static let signatureExpired = unauthenticated("signature_expired")
  static let signatureNotYetValid = unauthenticated("signature_not_yet_valid")
  static let wrongSignature = unauthenticated("signature_wrong")
  static let signatureReplayed = unauthenticated("signature_replayed")
  static let noContentDigest = unauthenticated("content_digest_missing")
  static let wrongContentDigest = unauthenticated("content_digest_wrong")
  static let replayWindowFull = Fault(
    .gateway, 503, "replay_window_full", "More signed requests came than the gateway can tell from repeated ones.",
    retryAfter: 5)
  static let signedBodyIsCoded = Fault(
    .client, 415, "signed_body_is_coded", "The body of a signed request must come without Content-Encoding.")
}
