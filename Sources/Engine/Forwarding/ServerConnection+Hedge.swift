import HTTP
import Kernel
import PluginKit
import Runtime

/// A further call beside the first, at another target.
private final class Rival {
  let lease: UpstreamConnection
  let began: Int
  var history = AttemptHistory()
  var isConnected: Bool
  var sent = 0
  var sentAt = 0

  init(_ lease: UpstreamConnection, isConnected: Bool, began: Int) {
    self.lease = lease
    self.isConnected = isConnected
    self.began = began
  }
}

/// Hedging: when an answer is late, another target is asked too, and the first answer is taken.
///
/// It stands before the attempt, which then goes on with the connection that won, as if it had been the only one.
extension ServerConnection {
  /// Whether the same request may be at work twice: it is safe (RFC 9110 §9.2.1), and all of it is in `outgoing`.
  func mayHedge(_ slot: ExchangeSlot) -> Bool {
    slot.exchange.request.method.isSafe && slot.exchange.request.head.framing == .none && !slot.asksWebSocket
  }

  /// Waits for the first octets of an answer, over the connection of the call or one of its rivals.
  ///
  /// Whatever else happens on the first one ends the race too, and the attempt sees to it.
  func race(
    _ slot: ExchangeSlot, _ first: UpstreamConnection, _ hedge: HedgeSettings, timeouts: CallTimeouts
  ) async -> (UpstreamConnection, AttemptStage) {
    let pool = first.pool.pool
    var rivals: [Rival] = []
    var (asked, reserved) = (0, 0)
    defer { for _ in 0..<reserved { pool.upstream.retryBudget.release() } }
    while true {
      let isOver =
        pushRequest(slot, first) != nil || first.socket.isReadable || first.socket.isPeerClosed || socket.isPeerClosed
      let (deadline, _) = requestDeadline(slot, timeouts)
      if isOver || worker.loop.now >= min(deadline, totalDeadline) {
        if !rivals.isEmpty { worker.metrics.hedged(pool, "lost") }
        for rival in rivals { cancel(rival) }
        return (first, .sending)
      }
      if let (rival, stage) = winner(of: &rivals, slot) {
        for other in rivals { cancel(other) }
        first.pool.settle(&slot.history, .abandoned)
        first.pool.close(first)
        takeOver(rival, slot)
        worker.metrics.hedged(pool, "won")
        return (rival.lease, stage)
      }
      let began = max(slot.exchange.times.sent, slot.attemptBegan)
      let next = asked < hedge.maximum ? began + hedge.after * (asked + 1) : .max
      guard worker.loop.now >= next else {
        _ = await wait(until: min(deadline, next))
        continue
      }
      asked += 1
      if !pool.upstream.retryBudget.acquire(now: worker.loop.now) {
        asked = hedge.maximum
        worker.metrics.hedged(pool, "denied")
      } else {
        reserved += 1
        if let rival = makeRival(slot, beside: first, rivals) { rivals.append(rival) }
      }
    }
  }

  /// Moves every rival on; the one that has an answer, without those that failed, when there is one.
  private func winner(of rivals: inout [Rival], _ slot: ExchangeSlot) -> (Rival, AttemptStage)? {
    for (index, rival) in rivals.enumerated().reversed() {
      switch advance(rival, slot) {
      case .waiting: break
      case .lost: rivals.remove(at: index)
      case .won(let stage):
        rivals.remove(at: index)
        return (rival, stage)
      }
    }
    return nil
  }

  /// Asks a target for a connection that nobody of this call has asked.
  private func makeRival(_ slot: ExchangeSlot, beside first: UpstreamConnection, _ others: [Rival]) -> Rival? {
    var history = AttemptHistory()
    history.insert(first.pool)
    for other in others { history.insert(other.lease.pool) }
    let pool = first.pool.pool
    let rival: Rival
    switch pool.lease(&history, hash: pool.hash(of: slot), certain: false) {
    case .connection(let lease): rival = Rival(lease, isConnected: true, began: worker.loop.now)
    case .connecting(let lease): rival = Rival(lease, isConnected: false, began: worker.loop.now)
    case .wait, .failed, .fault: return nil
    }
    rival.history = history
    rival.lease.wake(waker)
    slot.account.attempts += 1
    return rival
  }

  private enum RivalProgress {
    case waiting
    case lost
    case won(AttemptStage)
  }

  private func advance(_ rival: Rival, _ slot: ExchangeSlot) -> RivalProgress {
    let socket = rival.lease.socket
    if !rival.isConnected {
      if !socket.isWritable, !socket.isPeerClosed { return .waiting }
      if socket.isPeerClosed, socket.error != 0 {
        rival.lease.pool.connectFailed(rival.lease, &rival.history, why: "connect refused")
        return .lost
      }
      rival.isConnected = true
    }
    while rival.sent < slot.outgoing.count, socket.isWritable {
      let result = socket.send(slot.outgoing.span.extracting(rival.sent..<slot.outgoing.count))
      if result.wouldBlock { break }
      if result.isError { return lose(rival) }
      rival.sent += result.count
      rival.sentAt = worker.loop.now
    }
    if rival.sent < slot.outgoing.count { return socket.isPeerClosed ? lose(rival) : .waiting }
    switch pullResponseHead(slot, rival.lease) {
    case .incomplete: return slot.exchange.response.buffer.isEmpty ? .waiting : .won(.sending)
    case .complete where slot.exchange.response.head.status < 500: return .won(.head)
    case .complete, .failed:
      // An error wins nothing: the first one may still answer.
      slot.exchange.response.head.reset()
      slot.exchange.response.buffer.removeAll()
      slot.responseDecoder.reset()
      return lose(rival)
    }
  }

  private func lose(_ rival: Rival) -> RivalProgress {
    rival.lease.pool.settle(&rival.history, .failure)
    rival.lease.pool.close(rival.lease)
    return .lost
  }

  private func cancel(_ rival: Rival) {
    rival.lease.pool.settle(&rival.history, .abandoned)
    rival.lease.pool.close(rival.lease)
  }

  /// From now on the exchange is as if the rival had been its only attempt.
  private func takeOver(_ rival: Rival, _ slot: ExchangeSlot) {
    slot.history.pass = rival.history.pass
    slot.account.target = rival.lease.pool
    slot.attemptBegan = rival.began
    slot.outgoingSent = rival.sent
    slot.exchange.times.sent = rival.sentAt
    slot.lastProgress = worker.loop.now
  }
}
