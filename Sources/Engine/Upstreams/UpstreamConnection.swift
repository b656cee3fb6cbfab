import Kernel
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

  init(to address: SocketAddress, pool: TargetPool, loop: Loop) throws(SocketError) {
    socket = try Socket(SocketCalls.connect(to: address), on: loop, connected: false)
    self.pool = pool
    idleWaker = Waker(loop)
    idleWaker.isParked = true
    idleWaker.parkedOwner = self
  }

  /// Whether it was used before, so that the target may have closed it meanwhile.
  var isReused: Bool { served > 0 }

  /// Whether the target has neither closed nor spoken, as far as the loop knows.
  var isFresh: Bool { !socket.isReadable && !socket.isPeerClosed }

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
