import HTTP
import Kernel
import PluginKit
import Runtime

/// The handler that carries an exchange to an upstream and back.
extension ServerConnection {
  /// Forwards the exchange; nil when the client has the whole answer, otherwise what to tell it.
  func forward(_ slot: ExchangeSlot, route: WorkerRoute, pool: UpstreamPool) async -> Fault? {
    if let fault = prepareCall(slot, route: route, pool: pool) { return fault }
    return await tryTargets(slot, route: route, pool: pool, resuming: nil)
  }

  /// Everything that is done once for a call, whatever becomes of its attempts.
  func prepareCall(_ slot: ExchangeSlot, route: WorkerRoute, pool: UpstreamPool) -> Fault? {
    if let total = route.timeouts(of: pool).total { totalDeadline = slot.exchange.times.headComplete + total }
    boundByCaller(slot)
    slot.account.upstream = pool
    if let fault = checkUpgrade(slot) { return fault }
    pool.upstream.retryBudget.countRequest(now: worker.loop.now)
    if route.settings.mcp != nil, let home = MCPSession.takeHome(of: &slot.exchange, in: pool) {
      slot.history.choose(home)
    }
    return prepareUpload(slot, route: route)
  }

  /// Tries one target after another as long as that is allowed.
  ///
  /// - Parameter resuming: an attempt that was begun without a task.
  func tryTargets(
    _ slot: ExchangeSlot, route: WorkerRoute, pool: UpstreamPool, resuming: (UpstreamConnection, AttemptStage)?
  ) async -> Fault? {
    var timeouts = route.timeouts(of: pool)
    if let call = slot.conversation { timeouts = call.bound(timeouts) }
    defer { slot.retries.end(pool.upstream.retryBudget) }
    var resuming = resuming
    while true {
      var lease: UpstreamConnection
      var stage = AttemptStage.sending
      if let begun = resuming {
        (lease, stage) = begun
        resuming = nil
      } else {
        switch await self.lease(slot, pool: pool, history: &slot.history, timeouts: timeouts) {
        case .connection(let connection): lease = connection
        case .failed(let failure):
          if mayTryAgain(slot, pool, after: failure) { continue }
          return failure.fault
        case .fault(let fault): return slot.history.lastFault ?? fault
        }
        beginAttempt(slot)
      }
      if let hedge = pool.upstream.settings.hedge, case .sending = stage, mayHedge(slot) {
        (lease, stage) = await race(slot, lease, hedge, timeouts: timeouts)
      }
      let outcome = await attempt(slot, lease, from: stage, route: route, timeouts: timeouts)
      endAttempt(slot, lease.pool, outcome)
      switch outcome {
      case .done: return nil
      case .fault(let fault): return fault
      case .failed(let failure):
        if failure.kind.isStale { slot.history.insertStale(lease.pool) } else { slot.history.insert(lease.pool) }
        guard failure.kind.isDecided || mayTryAgain(slot, pool, after: failure) else { return failure.fault }
        prepareRetry(slot)
      }
    }
  }

  func beginAttempt(_ slot: ExchangeSlot) {
    slot.account.attempts += 1
    slot.attemptBegan = worker.loop.now
    slot.lastProgress = worker.loop.now
    slot.exchange.response.buffer.lease(from: worker.smallBuffers)
    slot.exchange.response.buffer.removeAll()
  }

  /// Tells breaker, health and metrics how an attempt ended.
  @inline(never)
  func endAttempt(_ slot: ExchangeSlot, _ target: TargetPool, _ outcome: AttemptOutcome) {
    target.record(outcome, status: slot.account.status, &slot.history)
    worker.metrics.attemptEnded(
      slot, upstream: target.pool, began: slot.attemptBegan, ended: worker.loop.now, outcome)
  }

  /// Encodes the head for the target and takes the part of the body that came along with the client's head.
  private func prepareUpload(_ slot: ExchangeSlot, route: WorkerRoute) -> Fault? {
    if !route.chain.responseBody.isEmpty { askForReadableAnswer(slot) }
    if slot.exchange.request.holdsBody {
      prepareHeldUpload(slot, route: route)
      return nil
    }
    let framing = slot.exchange.request.head.framing
    let coding = translateRequest(slot, route: route)
    slot.upload.begin(framing, framing: framing == .chunked || coding != .none ? .chunked : .plain, coding: coding)
    slot.upload.limit = slot.exchange.requestBodyLimit
    slot.uploadBegan = true
    worker.encodeRequest(slot, route: route, listener: listener)
    do {
      _ = try slot.upload.takePrefix(of: &slot.exchange.request.buffer, into: &slot.outgoing)
    } catch { return uploadFault(error) ?? .clientGone }
    slot.account.bytesIn = slot.upload.received
    slot.account.requestComplete = slot.upload.finished
    slot.prefixLength = slot.upload.received
    if let mirror = route.mirror { mirror.begin(slot, on: worker) }
    return nil
  }

  /// Decides, counts and takes from the budget; without another target there is nothing to decide.
  @inline(never)
  func mayTryAgain(_ slot: ExchangeSlot, _ pool: UpstreamPool, after failure: AttemptFailure) -> Bool {
    slot.history.lastFault = failure.fault
    if !failure.kind.isStale, !pool.hasUntried(slot.history) { return false }
    let decision = slot.retries.decide(
      failure, slot.exchange.request, replayable: isReplayable(slot), pool.upstream, now: worker.loop.now)
    switch decision {
    case .retry: worker.metrics.retried(pool, reason: failure.kind.word)
    case .denied: worker.metrics.retryDenied(pool)
    case .no: break
    }
    return decision == .retry
  }

  func prepareRetry(_ slot: ExchangeSlot) {
    slot.outgoingSent = 0
    slot.exchange.response.head.reset()
    slot.exchange.response.buffer.removeAll()
    slot.responseDecoder.reset()
    slot.reply.removeAll()
    slot.replySent = 0
  }

  /// Whether the request can be sent again: nothing was read of its body beyond what `outgoing` holds.
  func isReplayable(_ slot: ExchangeSlot) -> Bool { slot.upload.received == slot.prefixLength }
}
