import HTTP
import Kernel
import PluginKit
import Runtime

/// What came of asking for a connection.
enum LeaseOutcome {
  case connection(UpstreamConnection)
  case failed(AttemptFailure)
  case fault(Fault)
}

extension ServerConnection {
  /// Gets a connection that is established: one that rested, a new one, or one that others give back.
  func lease(
    _ slot: ExchangeSlot, pool: UpstreamPool, tried: inout TriedTargets, timeouts: CallTimeouts
  ) async -> LeaseOutcome {
    if slot.exchange.times.leaseBegan == 0 { slot.exchange.times.leaseBegan = worker.loop.now }
    defer { slot.exchange.times.leaseEnded = worker.loop.now }
    let queueDeadline = worker.loop.now + timeouts.queue
    // A request that may not be sent twice should not meet a connection that the target has just closed.
    let certain = !slot.exchange.request.method.isIdempotent
    while true {
      switch pool.lease(tried: tried, fresh: tried.takeStale(), certain: certain) {
      case .connection(let connection):
        connection.wake(waker)
        slot.account.target = connection.pool
        return .connection(connection)
      case .connecting(let connection):
        slot.account.target = connection.pool
        return await establish(connection, slot, timeouts: timeouts, tried: &tried)
      case .failed(let failure): return .failed(failure)
      case .fault(let fault): return .fault(fault)
      case .wait:
        if let fault = await queue(slot, pool: pool, until: queueDeadline) { return .fault(fault) }
      }
    }
  }

  /// Waits for a connect to end.
  private func establish(
    _ connection: UpstreamConnection, _ slot: ExchangeSlot, timeouts: CallTimeouts, tried: inout TriedTargets
  ) async -> LeaseOutcome {
    let began = worker.loop.now
    let deadline = began + timeouts.connect
    connection.wake(waker)
    while !connection.socket.isWritable {
      if socket.isPeerClosed {
        connection.pool.close(connection)
        return .fault(.clientGone)
      }
      let signals = await wait(until: deadline)
      if signals.contains(.deadline), worker.loop.now >= min(deadline, totalDeadline) {
        slot.account.attempts += 1
        tried.insert(connection.pool)
        connection.pool.connectFailed(connection)
        if worker.loop.now >= totalDeadline { return .fault(.totalTimeout) }
        return .failed(AttemptFailure(kind: .connect, fault: .connectTimeout, sent: false))
      }
    }
    slot.exchange.times.connecting += worker.loop.now - began
    guard connection.socket.isPeerClosed, connection.socket.error != 0 else { return .connection(connection) }
    slot.account.attempts += 1
    tried.insert(connection.pool)
    connection.pool.connectFailed(connection)
    return .failed(AttemptFailure(kind: .connect, fault: .connectRefused, sent: false))
  }

  /// Waits in the upstream's queue; nil when it is this call's turn to ask again.
  private func queue(_ slot: ExchangeSlot, pool: UpstreamPool, until deadline: Int) async -> Fault? {
    guard let ticket = pool.enqueue(waker) else { return .queueFull }
    let began = worker.loop.now
    defer { slot.exchange.times.queued += worker.loop.now - began }
    while ticket.isQueued {
      let signals = await wait(until: deadline)
      if !ticket.isQueued { break }
      if socket.isPeerClosed {
        pool.cancel(ticket)
        return .clientGone
      }
      if signals.contains(.deadline), worker.loop.now >= min(deadline, totalDeadline) {
        pool.cancel(ticket)
        return worker.loop.now >= totalDeadline ? .totalTimeout : .queueTimeout
      }
    }
    return nil
  }
}

/// The targets that one call has tried.
struct TriedTargets: ~Copyable {
  private var targets: [TargetPool] = []
  private var stale: TargetPool?
  var lastFault: Fault?

  mutating func insert(_ target: TargetPool) { targets.append(target) }

  /// Remembers a target whose resting connection was stale: it is asked once more, over a new one.
  mutating func insertStale(_ target: TargetPool) { stale = target }

  mutating func takeStale() -> TargetPool? {
    defer { stale = nil }
    return stale
  }

  var isEmpty: Bool { targets.isEmpty }
  func contains(_ target: TargetPool) -> Bool { targets.contains { $0 === target } }
}
