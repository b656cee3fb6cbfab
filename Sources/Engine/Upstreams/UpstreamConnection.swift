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
    self.pool = pool
    idleWaker = Waker(loop)
    idleWaker.isParked = true
    idleWaker.parkedOwner = self
  }

  /// Whether it was used before, so that the target may have closed it meanwhile.
  var isReused: Bool { served > 0 }

  /// Whether the target has neither closed nor spoken, as far as the loop knows.
  var isFresh: Bool { !socket.isReadable && !socket.isPeerClosed }

  /// Why TLS failed; nil when it did not.
  var tlsFault: Fault? { (socket as? TLSSocket)?.failure.map { .tlsFailed($0.kind) } }

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
    case .notTLS, .closed, .version, .cipher, .malformed: .targetHandshakeFailed
    }
  }
}
