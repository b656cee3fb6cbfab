import COpenSSL

/// The oldest version of TLS that is spoken.
public enum TLSVersion: String, Sendable, CaseIterable {
  case v12 = "1.2"
  case v13 = "1.3"

  fileprivate var number: CInt { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

/// One context of the library with the defaults that hold everywhere: forward secrecy and authenticated ciphers only.
// SAFETY: the library's contexts are made for many threads; nothing is set in one after it was made.
@safe
final class TLSContext: @unchecked Sendable {
  let pointer: OpaquePointer

  static let ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
  static let ciphersOf13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
  static let groups = "X25519:P-256:P-384"

  init(isServer: Bool, minimum: TLSVersion) throws(TLSFailure) {
    // SAFETY: freed in deinit; the texts are copied.
    guard let made = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
      throw TLSFailure(.malformed, TLSFailure.lastReason())
    }
    unsafe pointer = made
    unsafe co_ctx_harden(made)
    let isSet =
      unsafe co_ctx_set_minimum(made, minimum.number) == 1 && SSL_CTX_set_cipher_list(made, Self.ciphers) == 1
      && SSL_CTX_set_ciphersuites(made, Self.ciphersOf13) == 1 && co_ctx_set_groups(made, Self.groups) == 1
    if !isSet { throw TLSFailure(.malformed, TLSFailure.lastReason()) }
  }

  // SAFETY: made in init; the library keeps it while sessions use it.
  deinit { unsafe SSL_CTX_free(pointer) }
}

/// Names of protocols as ALPN sends them (RFC 7301 §3.1).
enum ProtocolNames {
  static func wire(_ names: [String]) -> [UInt8] {
    names.flatMap { name in
      let bytes = [UInt8](name.utf8.prefix(255))
      return [UInt8(bytes.count)] + bytes
    }
  }
}
