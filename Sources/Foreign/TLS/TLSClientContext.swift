import COpenSSL

/// How TLS is spoken to the targets of an upstream.
// SAFETY: as `TLSServerContext`.
@safe
public final class TLSClientContext: @unchecked Sendable {
  private let context: TLSContext
  public let verifies: Bool

  /// - Parameters:
  ///   - authority: who must have signed the target's certificate; nil: whom the system trusts.
  ///   - verifies: whether the certificate is checked at all.
  ///   - protocols: what ALPN offers, the preferred first; empty: no ALPN.
  public init(
    authority: TLSAuthority? = nil, identity: TLSIdentity? = nil, verifies: Bool = true, protocols: [String] = []
  ) throws(TLSFailure) {
    context = try TLSContext(isServer: false, minimum: .v12)
    self.verifies = verifies
    // SAFETY: the context is alive, and takes references and copies of its own.
    let pointer = unsafe context.pointer
    if let authority {
      unsafe authority.install(in: pointer, announced: false)
    } else if verifies {
      guard unsafe SSL_CTX_set_default_verify_paths(pointer) == 1 else {
        throw TLSFailure(.unknownAuthority, "the system's certificates cannot be read")
      }
    }
    unsafe SSL_CTX_set_verify(pointer, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    if let identity, unsafe !identity.install(in: pointer) {
      throw TLSFailure(.badCertificate, TLSFailure.lastReason())
    }
    let wire = ProtocolNames.wire(protocols)
    if !wire.isEmpty { unsafe _ = SSL_CTX_set_alpn_protos(pointer, wire, CUnsignedInt(wire.count)) }
    unsafe co_ctx_cache_client(pointer)
    unsafe SSL_CTX_sess_set_new_cb(pointer, keepSession)
  }

  var initial: OpaquePointer { unsafe context.pointer }
}

/// The last session with one target, so that the next handshake is short (RFC 8446 §2.2). It belongs to one loop.
// SAFETY: the library counts references to sessions; this object has one of its own.
@safe
public final class TLSResumption {
  private var session: OpaquePointer?

  public init() { unsafe session = nil }

  // SAFETY: ours since `keep`.
  deinit { unsafe SSL_SESSION_free(session) }

  /// - Parameter session: with a reference that passes to this object.
  fileprivate func keep(_ session: OpaquePointer) {
    unsafe SSL_SESSION_free(self.session)
    unsafe self.session = session
  }

  func offer(in ssl: OpaquePointer) {
    guard let session = unsafe session, unsafe SSL_SESSION_is_resumable(session) == 1 else { return }
    unsafe _ = SSL_set_session(ssl, session)
  }
}

/// The target has sent a ticket: 1 when its session was taken over.
@c private func keepSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> CInt {
  // SAFETY: the library passes a session with a reference for us if we say so.
  guard let session = unsafe session, let resumption = unsafe TLSSession.of(ssl)?.resumption else { return 0 }
  unsafe resumption.keep(session)
  return 1
}
