import COpenSSL

/// How a listener speaks TLS: who it is by which name, what it asks of clients, what it offers.
///
/// Several identities stand side by side: a client gets those whose certificate names the host that it asks for, of
/// each type of key one, and the library chooses between them. A host that nobody names gets the first identity's.
// SAFETY: shared by all workers. Nothing changes after init, but for the ticket keys behind their lock; sessions hold
// this object, so that callbacks always find it.
@safe
public final class TLSServerContext: @unchecked Sendable {
  /// Whether clients show certificates.
  public enum ClientCertificates: String, Sendable, CaseIterable {
    case none
    /// One that is shown must be good.
    case optional
    case required
  }

  let tickets: TLSTicketKeys
  /// ALPN's list in the order of preference.
  private let protocols: UnsafeMutableBufferPointer<UInt8>
  /// The first holds what a client without a name gets.
  private let contexts: [TLSContext]
  /// The index of a host's context; wildcards without their star, `.example.com`.
  private let byHost: [String: Int]

  /// - Parameters:
  ///   - identities: at least one.
  ///   - protocols: what ALPN offers, the preferred first; empty: no ALPN.
  ///   - scope: tickets of another scope are not taken: the listener's name.
  public init(
    _ identities: [TLSIdentity], minimum: TLSVersion = .v12, protocols names: [String] = [],
    clientCertificates: ClientCertificates = .none, authority: TLSAuthority? = nil, tickets: TLSTicketKeys,
    scope: String = ""
  ) throws(TLSFailure) {
    precondition(!identities.isEmpty, "a listener has an identity")
    let wire = ProtocolNames.wire(names)
    self.tickets = tickets
    let groups = Self.groups(identities)
    byHost = groups.byHost
    var made: [TLSContext] = []
    for members in groups.members {
      let context = try TLSContext(isServer: true, minimum: minimum)
      for index in members {
        // SAFETY: the context is alive.
        guard unsafe identities[index].install(in: context.pointer) else {
          throw TLSFailure(.badCertificate, TLSFailure.lastReason())
        }
      }
      made.append(context)
    }
    contexts = made
    // SAFETY: freed in deinit; the library points into it during a handshake, which a session that holds us makes.
    unsafe protocols = .allocate(capacity: max(1, wire.count))
    unsafe protocols.initialize(repeating: 0)
    for (index, byte) in wire.enumerated() { unsafe protocols[index] = byte }
    let sessions = Self.sessionContext(scope, clientCertificates, authority)
    for context in made {
      unsafe prepare(context.pointer, sessions: sessions, clientCertificates, authority, hasALPN: !wire.isEmpty)
    }
  }

  // SAFETY: allocated in init.
  deinit { unsafe protocols.deallocate() }

  /// Where a session begins.
  var initial: OpaquePointer { unsafe contexts[0].pointer }

  private func prepare(
    _ context: OpaquePointer, sessions: [UInt8], _ clients: ClientCertificates, _ authority: TLSAuthority?,
    hasALPN: Bool
  ) {
    // SAFETY: the pointer to this object is used during handshakes only, whose sessions hold it.
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe SSL_CTX_set_ex_data(context, 0, me)
    unsafe co_ctx_cache_off(context)
    unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticketKey)
    unsafe SSL_CTX_set_session_id_context(context, sessions, CUnsignedInt(sessions.count))
    unsafe co_ctx_on_server_name(context, chooseContext, me)
    if hasALPN { unsafe SSL_CTX_set_alpn_select_cb(context, chooseProtocol, me) }
    if let authority, clients != .none {
      unsafe authority.install(in: context, announced: true)
      let demand = clients == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
      unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | demand, nil)
    }
  }

  static func of(_ context: OpaquePointer?) -> TLSServerContext? {
    // SAFETY: only `prepare` sets this, with a server context that the running session holds.
    unsafe SSL_CTX_get_ex_data(context, 0).map {
      unsafe Unmanaged<TLSServerContext>.fromOpaque($0).takeUnretainedValue()
    }
  }

  /// The context for a host; nil when no certificate names it.
  fileprivate func context(for host: String) -> OpaquePointer? {
    let name = host.lowercased()
    // SAFETY: the contexts live as long as this object.
    if let index = byHost[name] { return unsafe contexts[index].pointer }
    guard let dot = name.firstIndex(of: "."), let index = byHost[String(name[dot...])] else { return nil }
    return unsafe contexts[index].pointer
  }

  fileprivate func select(
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ count: CUnsignedInt
  ) -> CInt {
    var found: UnsafeMutablePointer<UInt8>?
    // SAFETY: both lists live through the handshake; the library checks their form before it calls.
    let result = unsafe SSL_select_next_proto(
      &found, length, protocols.baseAddress, CUnsignedInt(protocols.count), offered, count)
    guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    unsafe chosen?.pointee = UnsafePointer(found)
    return SSL_TLSEXT_ERR_OK
  }

  /// Which identities each host gets, as indices: of each type of key the first that names it.
  private static func groups(_ identities: [TLSIdentity]) -> (members: [[Int]], byHost: [String: Int]) {
    var ofHost: [String: [Int]] = [:]
    for (index, identity) in identities.enumerated() {
      for host in identity.certificate.hosts {
        let key = host.hasPrefix("*.") ? String(host.dropFirst()) : host
        if ofHost[key, default: []].contains(where: { identities[$0].keyType == identity.keyType }) { continue }
        ofHost[key, default: []].append(index)
      }
    }
    // The first identity's hosts come first: a client that names no host gets what they have.
    let first = identities[0].certificate.hosts.first.map { $0.hasPrefix("*.") ? String($0.dropFirst()) : $0 }
    var members = [first.flatMap { ofHost[$0] } ?? [0]]
    var byHost: [String: Int] = [:]
    for host in ofHost.keys.sorted() {
      guard let wanted = ofHost[host] else { continue }
      if let known = members.firstIndex(of: wanted) {
        byHost[host] = known
      } else {
        byHost[host] = members.count
        members.append(wanted)
      }
    }
    return (members, byHost)
  }

  /// What tickets are bound to: a ticket says what its client has shown, so it counts only where the same was demanded, of
  /// the same authority. Without the demand, one from when a certificate was optional would do where it is required.
  private static func sessionContext(
    _ scope: String, _ clients: ClientCertificates, _ authority: TLSAuthority?
  ) -> [UInt8] {
    let trusted = authority?.all.map(\.fingerprint) ?? []
    let text = [UInt8](([scope, "\(clients)"] + trusted).joined(separator: "\n").utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    // SAFETY: SHA-256 writes 32 bytes.
    unsafe digest.withUnsafeMutableBufferPointer {
      unsafe _ = EVP_Digest(text, text.count, $0.baseAddress, nil, EVP_sha256(), nil)
    }
    return digest
  }
}

/// The client has said which host it wants, or will not.
@c private func chooseContext(
  _ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<CInt>?, _ argument: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the argument is the server context, which the session holds; the name lives through the handshake.
  guard let argument = unsafe argument, let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
    return SSL_TLSEXT_ERR_NOACK
  }
  let server = unsafe Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
  guard let context = unsafe server.context(for: String(cString: name)) else { return SSL_TLSEXT_ERR_NOACK }
  unsafe SSL_set_SSL_CTX(ssl, context)
  return SSL_TLSEXT_ERR_OK
}

/// The client has said which protocols it speaks.
@c private func chooseProtocol(
  _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
  _ offered: UnsafePointer<UInt8>?, _ count: CUnsignedInt, _ argument: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: as above.
  guard let argument = unsafe argument else { return SSL_TLSEXT_ERR_NOACK }
  let server = unsafe Unmanaged<TLSServerContext>.fromOpaque(argument).takeUnretainedValue()
  return unsafe server.select(chosen, length, offered, count)
}
