import COpenSSL

/// Why TLS failed: what kind of trouble it is, and the library's sentence for it.
public struct TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// The other side spoke something else than TLS.
    case notTLS = "not_tls"
    /// The connection ended in the middle.
    case closed
    /// The other side sent an alert.
    case refused
    /// The other side speaks none of the protocols that ALPN offered.
    case noProtocol = "no_protocol"
    /// Both sides know no common version.
    case version
    /// Both sides know no common cipher.
    case cipher
    case certificateExpired = "certificate_expired"
    case certificateNotYetValid = "certificate_not_yet_valid"
    /// No authority that is trusted has signed the certificate.
    case unknownAuthority = "unknown_authority"
    /// The certificate is another host's.
    case wrongHost = "wrong_host"
    /// The certificate is missing or wrong in another way.
    case badCertificate = "bad_certificate"
    /// The other side broke the rules of the protocol.
    case malformed
  }

  public let kind: Kind
  public let reason: String

  public init(_ kind: Kind, _ reason: String) {
    self.kind = kind
    self.reason = reason
  }

  public var description: String { reason }

  /// What the library's queue of errors says, which is empty afterwards.
  ///
  /// - Parameter verification: the result of checking the peer's certificate.
  static func last(verification: Int) -> TLSFailure {
    let code = ERR_peek_last_error()
    defer { ERR_clear_error() }
    let number = Int(co_error_reason(code))
    let text = text(of: code)
    if number == Int(SSL_R_CERTIFICATE_VERIFY_FAILED) { return refusal(verification) }
    if number == Int(SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) { return TLSFailure(.noProtocol, text) }
    if number >= Int(co_alert_offset()) { return TLSFailure(.refused, text) }
    return TLSFailure(kinds[number] ?? .malformed, text)
  }

  /// The reason of the last error of any part of the library.
  static func lastReason() -> String {
    defer { ERR_clear_error() }
    return text(of: ERR_peek_last_error())
  }

  private static let kinds: [Int: Kind] = [
    Int(SSL_R_UNEXPECTED_EOF_WHILE_READING): .closed,
    Int(SSL_R_UNSUPPORTED_PROTOCOL): .version, Int(SSL_R_VERSION_TOO_LOW): .version,
    Int(SSL_R_WRONG_SSL_VERSION): .version, Int(SSL_R_NO_PROTOCOLS_AVAILABLE): .version,
    Int(SSL_R_NO_SHARED_CIPHER): .cipher, Int(SSL_R_NO_SHARED_GROUPS): .cipher,
    Int(SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS): .cipher, Int(SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM): .cipher,
    Int(SSL_R_WRONG_VERSION_NUMBER): .notTLS, Int(SSL_R_HTTP_REQUEST): .notTLS,
    Int(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE): .badCertificate,
  ]

  private static func refusal(_ verification: Int) -> TLSFailure {
    // SAFETY: the library's texts live for ever.
    let text = unsafe String(cString: X509_verify_cert_error_string(verification))
    let kind: Kind =
      switch CInt(truncatingIfNeeded: verification) {
      case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
      case X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
        X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
        .unknownAuthority
      case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .wrongHost
      default: .badCertificate
      }
    return TLSFailure(kind, text)
  }

  private static func text(of code: UInt) -> String {
    // SAFETY: the library's texts live for ever.
    unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "the library gives no reason"
  }
}
