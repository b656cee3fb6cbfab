import COpenSSL
public import Kernel

/// What a step of TLS came to.
public enum TLSStep: Equatable, Sendable {
  /// So many octets of content; 0 for a handshake that is done.
  case moved(Int)
  /// Nothing more can be done until the socket has something to read.
  case wantRead
  /// The same until it takes something.
  case wantWrite
  /// The peer has said that no more comes.
  case end
  /// See `failure`.
  case failed
}

/// One TLS connection over a socket that does not block. It belongs to one loop.
///
/// It reads and writes the socket by itself, but only as long as `mayRead` and `mayWrite` say that this makes sense:
/// who watches the socket sets them, and a call that finds it empty or full clears them. So no system call is made to
/// learn what is known already.
// SAFETY: the library's object is this one's alone, and its callbacks run within calls of this object.
@safe
public final class TLSSession {
  private let ssl: OpaquePointer
  /// Kept for the callbacks of handshakes and the contexts' lifetime.
  private let owner: AnyObject
  private(set) var descriptor: CInt
  public let isServer: Bool
  let resumption: TLSResumption?

  /// Whether the socket may have something to read, or may take something.
  public var mayRead = true
  public var mayWrite = true
  /// The socket's peer has closed its side: an end must be read, even behind less than was asked for.
  public var peerHasClosed = false

  public private(set) var isEstablished = false
  /// Why it broke.
  public private(set) var failure: TLSFailure?
  private var hasSaidGoodbye = false

  // What the wire's callbacks leave.
  var isFirstRead = true
  var isNotTLS = false
  var hasEnded = false
  /// The errno that broke the socket.
  var errorNumber: CInt = 0
  /// More is written at once.
  var expectsMore = false

  /// The server's side of a connection.
  public init(_ context: TLSServerContext, descriptor: CInt) throws(TLSFailure) {
    // SAFETY: freed in deinit.
    guard let made = unsafe SSL_new(context.initial) else { throw TLSFailure(.malformed, TLSFailure.lastReason()) }
    unsafe ssl = made
    owner = context
    isServer = true
    resumption = nil
    self.descriptor = descriptor
    unsafe SSL_set_accept_state(made)
    try attach()
  }

  /// The client's side.
  ///
  /// - Parameters:
  ///   - host: the name or address that the certificate must be for, and that the target is asked for by name.
  ///   - resumption: the last session with the target.
  public init(
    _ context: TLSClientContext, descriptor: CInt, host: String, resumption: TLSResumption? = nil
  ) throws(TLSFailure) {
    // SAFETY: freed in deinit; the library copies the name.
    guard let made = unsafe SSL_new(context.initial) else { throw TLSFailure(.malformed, TLSFailure.lastReason()) }
    unsafe ssl = made
    owner = context
    isServer = false
    self.resumption = resumption
    self.descriptor = descriptor
    unsafe SSL_set_connect_state(made)
    let isSet: Bool
    if IPAddress(host) != nil {
      isSet = unsafe !context.verifies || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(made), host) == 1
    } else {
      unsafe SSL_set_hostflags(made, CUnsignedInt(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
      isSet = unsafe co_set_server_name(made, host) == 1 && (!context.verifies || SSL_set1_host(made, host) == 1)
    }
    if !isSet { throw TLSFailure(.wrongHost, TLSFailure.lastReason()) }
    unsafe resumption?.offer(in: made)
    try attach()
  }

  // SAFETY: made in init; the wire goes with it.
  deinit { unsafe SSL_free(ssl) }

  private func attach() throws(TLSFailure) {
    guard let wire = unsafe BIO_new(TLSWire.method) else { throw TLSFailure(.malformed, TLSFailure.lastReason()) }
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe BIO_set_data(wire, me)
    unsafe SSL_set_bio(ssl, wire, wire)
    unsafe SSL_set_ex_data(ssl, 0, me)
  }

  static func of(_ ssl: OpaquePointer?) -> TLSSession? {
    unsafe SSL_get_ex_data(ssl, 0).map { unsafe Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
  }

  // MARK: Steps

  /// Goes on with the handshake; `moved(0)` when it is done.
  public func handshake() -> TLSStep {
    if failure != nil { return .failed }
    ERR_clear_error()
    let result = unsafe SSL_do_handshake(ssl)
    guard result == 1 else { return stopped(result) }
    isEstablished = true
    return .moved(0)
  }

  /// Reads content into the buffer's room, which must not be empty: at most what one record holds.
  public func read(into buffer: inout IOBuffer) -> TLSStep {
    precondition(buffer.room > 0)
    if failure != nil { return .failed }
    ERR_clear_error()
    var count = 0
    var space = buffer.freeSpace
    let result = unsafe space.withUnsafeMutableBufferPointer {
      unsafe SSL_read_ex(ssl, $0.baseAddress, $0.count, &count)
    }
    guard result == 1 else { return stopped(result) }
    buffer.commit(count)
    return .moved(count)
  }

  /// Looks whether there is content, without taking it; what is no content is dealt with.
  public func peek() -> TLSStep {
    if failure != nil { return .failed }
    ERR_clear_error()
    var count = 0
    var byte: UInt8 = 0
    let result = unsafe SSL_peek_ex(ssl, &byte, 1, &count)
    return result == 1 ? .moved(count) : stopped(result)
  }

  /// Whether a read may find something without the socket.
  public var hasPending: Bool { unsafe SSL_has_pending(ssl) == 1 }

  /// Writes content, one record at most. After `wantRead` or `wantWrite` the same content must be written again.
  ///
  /// - Parameter more: more follows at once.
  public func write(_ bytes: Span<UInt8>, more: Bool) -> TLSStep {
    if failure != nil { return .failed }
    ERR_clear_error()
    expectsMore = more || bytes.count > Self.largestRecord
    var count = 0
    let result = unsafe bytes.withUnsafeBufferPointer {
      unsafe SSL_write_ex(ssl, $0.baseAddress, $0.count, &count)
    }
    return result == 1 ? .moved(count) : stopped(result)
  }

  /// Says that no more comes; nothing when the connection never got that far, or broke.
  public func sayGoodbye() {
    guard isEstablished, failure == nil, !hasSaidGoodbye else { return }
    hasSaidGoodbye = true
    ERR_clear_error()
    expectsMore = false
    unsafe _ = SSL_shutdown(ssl)
    ERR_clear_error()
  }

  /// Lets go of the socket, whose number may soon be another's.
  public func detach() { descriptor = -1 }

  private static let largestRecord = 16384

  private func stopped(_ result: CInt) -> TLSStep {
    switch unsafe SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return .wantRead
    case SSL_ERROR_WANT_WRITE: return .wantWrite
    case SSL_ERROR_ZERO_RETURN: return .end
    default: break
    }
    if isNotTLS {
      failure = TLSFailure(.notTLS, "the peer does not speak TLS")
    } else if errorNumber != 0 {
      failure = TLSFailure(.closed, Errno(errorNumber).message)
    } else {
      failure = TLSFailure.last(verification: unsafe SSL_get_verify_result(ssl))
    }
    ERR_clear_error()
    return .failed
  }

  // MARK: What was agreed

  /// `TLSv1.3`.
  public var version: String { unsafe String(cString: SSL_get_version(ssl)) }

  public var cipher: String {
    unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { unsafe String(cString: $0) } ?? ""
  }

  /// The host that the client asked for.
  public var serverName: String? {
    unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { unsafe String(cString: $0) }
  }

  /// What ALPN agreed on.
  public var negotiatedProtocol: String? {
    var start: UnsafePointer<UInt8>?
    var count: CUnsignedInt = 0
    unsafe SSL_get0_alpn_selected(ssl, &start, &count)
    guard let start = unsafe start, count > 0 else { return nil }
    return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
  }

  /// Whether an earlier session went on.
  public var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

  /// What the peer has shown and, where that is asked for, proved.
  public var peerCertificate: TLSCertificate? {
    guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
    defer { unsafe X509_free(certificate) }
    return unsafe TLSCertificate(certificate)
  }
}
