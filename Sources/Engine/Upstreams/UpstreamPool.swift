import Kernel
import PluginKit
import Runtime

/// One worker's view of an upstream: a pool a target, and the calls that wait for a connection.
final class UpstreamPool {
  let upstream: Upstream
  let loop: Loop
  weak var worker: Worker?
  private(set) var targets: [TargetPool]
  private var waiters = WaitQueue()
  private var next = 0

  init(_ upstream: Upstream, loop: Loop) {
    self.upstream = upstream
    self.loop = loop
    targets = []
    targets = upstream.targets.targets.map { TargetPool($0, pool: self) }
  }

  var hasWaiters: Bool { !waiters.isEmpty }

  /// What asking for a connection led to.
  enum Lease {
    /// Established, and quiet.
    case connection(UpstreamConnection)
    /// Under way: wait until it is writable.
    case connecting(UpstreamConnection)
    /// Every target that may be used has as many connections as it may.
    case wait
    case failed(AttemptFailure)
    case fault(Fault)
  }

  /// Asks for a connection to a target that was not tried yet.
  ///
  /// - Parameter fresh: makes a new connection, after a resting one turned out to be stale.
  func lease(tried: borrowing TriedTargets, fresh: TargetPool?, certain: Bool) -> Lease {
    if let fresh { return connect(to: fresh) }
    guard let target = choose(tried: tried) else {
      return targets.contains { !$0.hasRoom } ? .wait : .fault(.noTarget)
    }
    if let connection = target.takeIdle(certain: certain) { return .connection(connection) }
    return connect(to: target)
  }

  private func connect(to target: TargetPool) -> Lease {
    do { return .connecting(try target.connect()) } catch {
      return .failed(AttemptFailure(kind: .connect, fault: .connectRefused, sent: false))
    }
  }

  private func choose(tried: borrowing TriedTargets) -> TargetPool? {
    for _ in targets.indices {
      next = next + 1 < targets.count ? next + 1 : 0
      if targets[next].hasRoom, !tried.contains(targets[next]) { return targets[next] }
    }
    return nil
  }

  /// Queues a call until a connection is free; nil when too many wait already.
  func enqueue(_ waker: Waker) -> WaitQueue.Ticket? {
    waiters.count < upstream.settings.connections.queue ? waiters.append(waker) : nil
  }

  func cancel(_ ticket: WaitQueue.Ticket) { waiters.remove(ticket) }

  /// A connection has become free, or there is room for one: the call that waits longest tries again.
  func connectionFreed() { waiters.wakeFirst() }

  var queueLength: Int { waiters.count }

  func retire() { for target in targets { target.retire() } }
}

/// Calls that wait for a connection, in the order in which they came.
struct WaitQueue {
  final class Ticket {
    fileprivate let waker: Waker
    fileprivate(set) var isQueued = true
    init(_ waker: Waker) { self.waker = waker }
  }

  private var tickets: [Ticket] = []
  private var head = 0

  var isEmpty: Bool { count == 0 }
  private(set) var count = 0

  mutating func append(_ waker: Waker) -> Ticket {
    let ticket = Ticket(waker)
    tickets.append(ticket)
    count += 1
    return ticket
  }

  mutating func remove(_ ticket: Ticket) {
    guard ticket.isQueued else { return }
    ticket.isQueued = false
    count -= 1
  }

  mutating func wakeFirst() {
    while head < tickets.count {
      let ticket = tickets[head]
      head += 1
      compact()
      if ticket.isQueued {
        remove(ticket)
        return ticket.waker.ring(.message)
      }
    }
  }

  private mutating func compact() {
    guard head > 64, head * 2 > tickets.count else { return }
    tickets.removeFirst(head)
    head = 0
  }
}
