public import Foreign
public import Kernel

/// A socket under TLS.
///
/// The handshake goes on by itself whenever the socket is ready; until it is done the socket is neither readable nor
/// writable, so that to its user it looks like a connect under way. What the flags say is about content: a socket from
/// which all octets were read may still be readable, because a record of them waits to be opened, and one with octets
/// may not be, because they are no content. An end without the peer's goodbye is an error, not an end: whoever cuts a
/// connection must not be able to pass a part of a body off as the whole (RFC 8446 §6.1).
public final class TLSSocket: Socket {
  public enum Handshake: Sendable, Equatable {
    case running
    case done
    case failed(TLSFailure)
  }

  public private(set) var handshake = Handshake.running
  /// Where to the connection of a client goes, which may itself be under way.
  private var isConnected: Bool
  private let session: TLSSession
  /// What broke the connection before TLS had a chance.
  private var connectError: CInt = 0
  // A key update may make a read wait until something is written, and a write until something is read.
  private var readAwaitsWrite = false
  private var writeAwaitsRead = false

  /// The server's side of a connection that was accepted; the handshake begins with the loop's next turn at the latest.
  public init(
    _ descriptor: consuming FileDescriptor, on loop: Loop, server context: TLSServerContext
  ) throws(TLSSocketError) {
    isConnected = true
    do { session = try TLSSession(context, descriptor: descriptor.number) } catch { throw .tls(error) }
    do { try super.init(descriptor, on: loop, connected: true) } catch { throw .socket(error) }
    isWritable = false
  }

  /// The client's side of a connection that is being made.
  public init(
    connecting descriptor: consuming FileDescriptor, on loop: Loop, client context: TLSClientContext, host: String,
    resumption: TLSResumption? = nil
  ) throws(TLSSocketError) {
    isConnected = false
    do {
      session = try TLSSession(context, descriptor: descriptor.number, host: host, resumption: resumption)
    } catch { throw .tls(error) }
    do { try super.init(descriptor, on: loop, connected: false) } catch { throw .socket(error) }
  }

  // MARK: What was agreed

  /// What ALPN agreed on; nil: nothing, which means HTTP/1.1.
  public var negotiatedProtocol: String? { session.negotiatedProtocol }
  public var version: String { session.version }
  public var cipher: String { session.cipher }
  public var serverName: String? { session.serverName }
  public var isResumed: Bool { session.isResumed }
  public var peerCertificate: TLSCertificate? { session.peerCertificate }
  /// Why the connection broke, if TLS broke it.
  public var failure: TLSFailure? { session.failure }

  // MARK: Readiness

  public override func ready(_ readiness: Readiness) {
    if readiness.endsPeer { session.peerHasClosed = true }
    if readiness.allowsReading { session.mayRead = true }
    if readiness.allowsWriting { session.mayWrite = true }
    switch handshake {
    case .running:
      isConnected ? shakeHands() : finishConnect(readiness)
      if handshake == .running { return }
    case .done: update(readiness)
    case .failed: isReadable = true
    }
    waker?.ring(.socket)
  }

  private func finishConnect(_ readiness: Readiness) {
    guard readiness.allowsWriting else { return }
    connectError = super.error
    if connectError != 0 { return fail(TLSFailure(.closed, Errno(connectError).message)) }
    isConnected = true
    shakeHands()
  }

  /// Begins or goes on with the handshake; called by `ready`.
  private func shakeHands() {
    switch session.handshake() {
    case .wantRead, .wantWrite: break
    case .moved:
      handshake = .done
      isWritable = true
      isPeerClosed = session.peerHasClosed
      refreshReadable()
    case .end: fail(TLSFailure(.closed, "the peer closed the connection in the handshake"))
    case .failed: fail(session.failure ?? TLSFailure(.malformed, "the handshake failed"))
    }
  }

  /// Wakes whoever waits: every further call is answered with the error.
  private func fail(_ failure: TLSFailure) {
    handshake = .failed(failure)
    isPeerClosed = true
    isReadable = true
    isWritable = true
  }

  /// A client's connection is readable only for content or an end: a ticket that arrives late must not look like an
  /// answer to nothing. A server reads what it is sent at once, so that the look would be work for nothing.
  private func refreshReadable() {
    if session.isServer {
      isReadable = session.mayRead || session.hasPending
      return
    }
    switch session.peek() {
    case .moved: isReadable = true
    case .wantRead: isReadable = false
    case .wantWrite:
      readAwaitsWrite = true
      isReadable = false
    case .end, .failed:
      isReadable = true
      isPeerClosed = true
    }
  }

  private func update(_ readiness: Readiness) {
    if readiness.endsPeer { isPeerClosed = true }
    if readiness.allowsReading {
      if writeAwaitsRead {
        writeAwaitsRead = false
        isWritable = true
      }
      refreshReadable()
    }
    if readiness.allowsWriting {
      if !writeAwaitsRead { isWritable = true }
      if readAwaitsWrite {
        readAwaitsWrite = false
        isReadable = true
      }
    }
  }

  // MARK: Content

  public override func receive(into buffer: inout IOBuffer) -> IOResult {
    guard handshake == .done else { return handshake == .running ? waitForHandshake() : .reset }
    var total = 0
    while buffer.room > 0 {
      switch session.read(into: &buffer) {
      case .moved(let count):
        total += count
        if !session.mayRead, !session.hasPending {
          isReadable = false
          return .moved(total)
        }
      case .wantRead:
        isReadable = false
        return total > 0 ? .moved(total) : .notNow
      case .wantWrite:
        readAwaitsWrite = true
        isReadable = false
        return total > 0 ? .moved(total) : .notNow
      case .end:
        isPeerClosed = true
        return total > 0 ? .moved(total) : .end
      case .failed:
        isPeerClosed = true
        return total > 0 ? .moved(total) : .reset
      }
    }
    return .moved(total)
  }

  public override func send(_ bytes: Span<UInt8>, more: Bool = false) -> IOResult {
    guard handshake == .done else { return handshake == .running ? waitForHandshake() : .reset }
    var total = 0
    while total < bytes.count {
      switch session.write(bytes.extracting(total..<bytes.count), more: more) {
      case .moved(let count): total += count
      case .wantWrite:
        isWritable = false
        return total > 0 ? .moved(total) : .notNow
      case .wantRead:
        writeAwaitsRead = true
        isWritable = false
        return total > 0 ? .moved(total) : .notNow
      case .end, .failed: return total > 0 ? .moved(total) : .reset
      }
    }
    return .moved(total)
  }

  private func waitForHandshake() -> IOResult {
    isReadable = false
    isWritable = false
    return .notNow
  }

  /// Sends octets in the clear; for the answer to a client that does not speak TLS.
  public func sendPlain(_ bytes: Span<UInt8>) -> IOResult { super.send(bytes) }

  /// Reads and drops what still comes in the clear; false at the end, or when it is too much.
  public func discardPlain(_ pool: BufferPool) -> Bool {
    var buffer = IOBuffer()
    buffer.lease(from: pool)
    defer { buffer.return(to: pool) }
    for _ in 0..<Self.mostDiscards where isReadable {
      buffer.removeAll()
      let result = super.receive(into: &buffer)
      if result.isEnd || result.isError { return false }
    }
    return !isReadable
  }

  private static let mostDiscards = 64

  // MARK: The rest

  public override var error: CInt {
    if connectError != 0 { return connectError }
    if session.failure != nil { return IOResult.reset.error }
    return isConnected ? super.error : 0
  }

  /// Octets that are no content, such as a ticket, do not disturb the quiet.
  public override var isQuiet: Bool {
    if handshake != .done || isReadable || isPeerClosed { return false }
    if super.isQuiet { return !session.hasPending }
    session.mayRead = true
    if case .wantRead = session.peek() { return true }
    isReadable = true
    return false
  }

  public override func shutdownWrite() {
    session.sayGoodbye()
    super.shutdownWrite()
  }

  public override func close(reset: Bool = false) {
    guard isOpen else { return }
    if !reset { session.sayGoodbye() }
    session.detach()
    super.close(reset: reset)
  }
}

/// Why a socket under TLS could not be made.
public enum TLSSocketError: Error, Sendable {
  case socket(SocketError)
  case tls(TLSFailure)
}
