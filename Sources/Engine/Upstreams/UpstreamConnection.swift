import Foreign
import Kernel
import PluginKit
import Runtime

/// A connection to one target: leased to one exchange at a time, kept open between them.
///
/// While it rests in the pool nobody waits on it; anything that happens then (the target closes, or speaks without
/// being asked) makes it useless, and it leaves the pool at once.
final class UpstreamConnection: WakerOwner {
  let socket: Transport
  /// The same where the target speaks HTTP/2 and the connection is shared by many calls.
  let stream: HTTP2ClientStream?
  let pool: TargetPool
  /// Exchanges it has carried.
  var served = 0
  /// Monotonic nanoseconds since when it rests.
  var idleSince = 0
  /// Its place among the resting ones; -1 while it is leased.
  var idleIndex = -1
  private let idleWaker: Waker

  init(to target: Target, pool: TargetPool, loop: Loop) throws(SocketError) {
    socket = try target.connect(on: loop, resumption: pool.resumption)
    stream = nil
    self.pool = pool
    idleWaker = Waker(loop)
    idleWaker.isParked = true
    idleWaker.parkedOwner = self
  }

  init(_ stream: HTTP2ClientStream, pool: TargetPool, loop: Loop) {
    socket = stream
    self.stream = stream
    self.pool = pool
    idleWaker = Waker(loop)
  }

  /// Whether it was used before, so that the target may have closed it meanwhile.
  var isReused: Bool {
    guard let stream else { return served > 0 }
    if stream.fault != nil { return false }
    return stream.isUnprocessed || stream.isLost && stream.carrier.served > 0
  }

  /// Whether the target did nothing with a request that was sent to it.
  var isUnprocessed: Bool { stream?.isUnprocessed ?? false }

  /// What it is that broke, if it did.
  var breakage: AttemptFailure.Kind { stream.map { $0.isLost } ?? true ? .reset : .streamReset }

  /// Whether the target has neither closed nor spoken, as far as the loop knows.
  var isFresh: Bool { !socket.isReadable && !socket.isPeerClosed }

  /// Why TLS or HTTP/2 could not be agreed on; nil when they were.
  var protocolFault: Fault? {
    if let stream { return stream.fault ?? stream.carrier.failure }
    return (socket as? TLSSocket)?.failure.map { .tlsFailed($0.kind) }
  }

  func rest(until deadline: Int) {
    socket.waker = idleWaker
    idleWaker.arm(at: deadline)
  }

  func wake(_ waker: Waker) {
    idleWaker.cancelDeadline()
    socket.waker = waker
  }

  func wokenWhileParked(_ signals: Signals) {
    guard idleIndex >= 0, signals.contains(.deadline) || !isFresh else { return }
    pool.discardIdle(self)
  }

  func close() {
    idleWaker.cancelDeadline()
    idleWaker.parkedOwner = nil
    socket.close()
  }
}

extension Target {
  /// Starts to connect, and then to shake hands if it is spoken to under TLS.
  func connect(on loop: Loop, resumption: TLSResumption? = nil) throws(SocketError) -> Socket {
    let descriptor = try SocketCalls.connect(to: address)
    guard let security else { return try Socket(descriptor, on: loop, connected: false) }
    do throws(TLSSocketError) {
      return try TLSSocket(
        connecting: descriptor, on: loop, client: security.context, host: security.host, resumption: resumption)
    } catch {
      switch error {
      case .socket(let error): throw error
      case .tls: throw SocketError(call: "SSL_new", code: Errno.inputOutput.number)
      }
    }
  }
}

extension Fault {
  /// What a handshake with a target failed of.
  static func tlsFailed(_ kind: TLSFailure.Kind) -> Fault {
    switch kind {
    case .certificateExpired: .targetCertificateExpired
    case .certificateNotYetValid: .targetCertificateNotYetValid
    case .unknownAuthority: .targetUnknownAuthority
    case .wrongHost: .targetWrongHost
    case .badCertificate: .targetBadCertificate
    case .refused: .targetRefusedTLS
    case .noProtocol: .targetNotHTTP2
    case .notTLS, .closed, .version, .cipher, .malformed: .targetHandshakeFailed
    }
  }
}
