import Configuration
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
  @inline(never)
  func lease(
    _ slot: ExchangeSlot, pool: UpstreamPool, history: inout AttemptHistory, timeouts: CallTimeouts
  ) async -> LeaseOutcome {
    if slot.exchange.times.leaseBegan == 0 { slot.exchange.times.leaseBegan = worker.loop.now }
    defer { slot.exchange.times.leaseEnded = worker.loop.now }
    let queueDeadline = worker.loop.now + timeouts.queue
    // A request that may not be sent twice should not meet a connection that the target has just closed.
    let certain = !slot.exchange.request.method.isIdempotent
    let hash = pool.hash(of: slot)
    while true {
      switch pool.lease(&history, hash: hash, certain: certain) {
      case .connection(let connection):
        connection.wake(waker)
        slot.account.target = connection.pool
        return .connection(connection)
      case .connecting(let connection):
        slot.account.target = connection.pool
        return await establish(connection, slot, timeouts: timeouts, history: &history)
      case .failed(let target, let failure):
        slot.account.target = target
        slot.account.attempts += 1
        return .failed(failure)
      case .fault(let fault): return .fault(fault)
      case .wait:
        if let fault = await queue(slot, pool: pool, until: queueDeadline) { return .fault(fault) }
      }
    }
  }

  /// Waits for a connect to end.
  private func establish(
    _ connection: UpstreamConnection, _ slot: ExchangeSlot, timeouts: CallTimeouts, history: inout AttemptHistory
  ) async -> LeaseOutcome {
    let began = worker.loop.now
    let deadline = began + timeouts.connect
    connection.wake(waker)
    defer { slot.exchange.times.connecting += worker.loop.now - began }
    while !connection.socket.isWritable {
      if socket.isPeerClosed {
        connection.pool.settle(&history, .abandoned)
        connection.pool.close(connection)
        // Nothing was asked of it.
        slot.account.target = nil
        return .fault(.clientGone)
      }
      let signals = await wait(until: deadline)
      if signals.contains(.deadline), worker.loop.now >= min(deadline, totalDeadline) {
        slot.account.attempts += 1
        history.insert(connection.pool)
        connection.pool.connectFailed(connection, &history, why: "connect timed out")
        if worker.loop.now >= totalDeadline { return .fault(.totalTimeout) }
        return .failed(AttemptFailure(kind: .connect, fault: .connectTimeout, sent: false))
      }
    }
    guard connection.socket.isPeerClosed, connection.socket.error != 0 else {
      connection.pool.connected(connection)
      return .connection(connection)
    }
    slot.account.attempts += 1
    history.insert(connection.pool)
    let fault = connection.protocolFault
    let why: StaticString = fault == nil ? "connect refused" : TargetPool.handshakeFailed
    connection.pool.connectFailed(connection, &history, why: why)
    return .failed(AttemptFailure(kind: .connect, fault: fault ?? .connectRefused, sent: false))
  }

  /// Waits in the upstream's queue; nil when it is this call's turn to ask again.
  private func queue(_ slot: ExchangeSlot, pool: UpstreamPool, until deadline: Int) async -> Fault? {
    guard let ticket = pool.enqueue(waker) else { return .queueFull }
    let began = worker.loop.now
    defer {
      slot.exchange.times.queued += worker.loop.now - began
      worker.metrics.queued(pool, nanoseconds: worker.loop.now - began)
    }
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

extension UpstreamPool {
  /// The hash of the value that the upstream balances by; nil when it does not, or the request has no such value.
  func hash(of slot: ExchangeSlot) -> UInt64? {
    guard upstream.settings.balance == .hash, let key = upstream.settings.hashKey else { return nil }
    return key.hash(in: slot.exchange, seed: Self.hashSeed)
  }

  /// The same in every gateway, so that many with one file send a key to the same target.
  private static let hashSeed: UInt64 = 0x51_75_69_63_65
}
