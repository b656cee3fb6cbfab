import HTTP
import Kernel
import PluginKit
import Runtime

/// How one attempt at a target ended.
enum AttemptOutcome {
  /// The answer is complete at the client.
  case done
  /// It failed before anything of the answer was sent to the client.
  case failed(AttemptFailure)
  /// It cannot be tried again: the client's fault, or the answer has begun.
  case fault(Fault)
}

/// A failure that another target might mend.
struct AttemptFailure {
  enum Kind {
    case connect
    /// A connection that had rested was closed by the target when the request came.
    case stale
    case reset
    case firstByteTimeout
    case malformed
    case status(Int)
  }

  var kind: Kind
  var fault: Fault
  /// Whether any byte of the request may have reached the target.
  var sent: Bool
}

/// The handler that carries an exchange to an upstream and back.
extension ServerConnection {
  /// Forwards the exchange; nil when the client has the whole answer, otherwise what to tell it.
  func forward(_ slot: ExchangeSlot, route: WorkerRoute, pool: UpstreamPool) async -> Fault? {
    let timeouts = route.timeouts(of: pool)
    if let total = timeouts.total { totalDeadline = slot.exchange.times.headComplete + total }
    slot.account.upstream = pool
    if let fault = prepareUpload(slot, route: route) { return fault }
    var history = AttemptHistory()
    var retries = RetryAllowance(pool.upstream.settings.retries, budget: pool.upstream.retryBudget)
    defer { retries.end() }
    retries.count(now: worker.loop.now)

    while true {
      let lease: UpstreamConnection
      switch await self.lease(slot, pool: pool, history: &history, timeouts: timeouts) {
      case .connection(let connection): lease = connection
      case .failed(let failure):
        history.lastFault = failure.fault
        if allowsRetry(&retries, failure, slot) {
          worker.metrics.retried(pool, reason: failure.kind.word)
          continue
        }
        return failure.fault
      case .fault(let fault): return history.lastFault ?? fault
      }
      slot.account.attempts += 1
      let target = lease.pool
      let began = worker.loop.now
      let outcome = await attempt(slot, lease, route: route, timeouts: timeouts, retries: retries)
      target.record(outcome, status: slot.account.status, &history)
      worker.metrics.attemptEnded(
        slot, upstream: pool, began: began, ended: worker.loop.now, failed: outcome.isFailure)
      switch outcome {
      case .done: return nil
      case .fault(let fault): return fault
      case .failed(let failure):
        if failure.kind.isStale { history.insertStale(target) } else { history.insert(target) }
        history.lastFault = failure.fault
        guard allowsRetry(&retries, failure, slot) else { return failure.fault }
        worker.metrics.retried(pool, reason: failure.kind.word)
        prepareRetry(slot)
      }
    }
  }

  /// Encodes the head for the target and takes the part of the body that came along with the client's head.
  private func prepareUpload(_ slot: ExchangeSlot, route: WorkerRoute) -> Fault? {
    let framing = slot.exchange.request.head.framing
    slot.upload.begin(framing, framing: framing == .chunked ? .chunked : .plain)
    slot.uploadBegan = true
    worker.encodeRequest(slot, route: route, listener: listener)
    let before = slot.exchange.request.buffer.count
    do {
      try slot.upload.takePrefix(of: &slot.exchange.request.buffer, into: &slot.outgoing)
    } catch { return uploadFault(error, slot) ?? .clientGone }
    slot.account.bytesIn += before - slot.exchange.request.buffer.count
    slot.account.requestComplete = slot.upload.finished
    slot.prefixLength = slot.upload.received
    return nil
  }

  private func allowsRetry(
    _ retries: inout RetryAllowance, _ failure: AttemptFailure, _ slot: ExchangeSlot
  ) -> Bool {
    retries.allows(failure, slot.exchange.request, replayable: isReplayable(slot), now: worker.loop.now)
  }

  private func prepareRetry(_ slot: ExchangeSlot) {
    slot.outgoingSent = 0
    slot.exchange.response.head.reset()
    slot.exchange.response.buffer.removeAll()
    slot.responseDecoder.reset()
    slot.reply.removeAll()
    slot.replySent = 0
  }

  /// Whether the request can be sent again: nothing was read of its body beyond what `outgoing` holds.
  private func isReplayable(_ slot: ExchangeSlot) -> Bool { slot.upload.received == slot.prefixLength }

  // MARK: Sending the request and awaiting the head

  /// One attempt over a connection that is established.
  private func attempt(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, route: WorkerRoute, timeouts: CallTimeouts,
    retries: borrowing RetryAllowance
  ) async -> AttemptOutcome {
    slot.lastProgress = worker.loop.now
    slot.exchange.response.buffer.lease(from: worker.smallBuffers)
    slot.exchange.response.buffer.removeAll()
    var informational = 0
    while true {
      if let outcome = pushRequest(slot, lease) { return abandon(lease, outcome) }
      switch pullResponseHead(slot, lease) {
      case .incomplete: break
      case .failed(let outcome): return abandon(lease, outcome)
      case .complete:
        if slot.exchange.response.head.isInformational {
          informational += 1
          if informational > Self.mostInformational { return abandon(lease, .fault(.tooManyInformational)) }
          if let fault = await passInformational(slot) { return abandon(lease, .fault(fault)) }
          continue
        }
        slot.exchange.times.firstByte = worker.loop.now
        let status = slot.exchange.response.head.status
        if status >= 500 {
          let failure = AttemptFailure(kind: .status(status), fault: .upstreamReset, sent: true)
          if retries.mayRetry(failure, slot.exchange.request, replayable: isReplayable(slot)) {
            return abandon(lease, .failed(failure))
          }
        }
        return await relay(slot, lease, route: route, timeouts: timeouts)
      }
      if socket.isPeerClosed, slot.account.requestComplete { return abandon(lease, .fault(.clientGone)) }
      let (deadline, expiry) = requestDeadline(slot, timeouts)
      let signals = await wait(until: deadline)
      if signals.contains(.deadline), let outcome = expired(deadline, expiry) { return abandon(lease, outcome) }
    }
  }

  private static let mostInformational = 16

  /// Sends what can be sent of the request; an outcome when that failed for good.
  private func pushRequest(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> AttemptOutcome? {
    while slot.outgoingSent < slot.outgoing.count, lease.socket.isWritable {
      let result = lease.socket.send(slot.outgoing.span.extracting(slot.outgoingSent..<slot.outgoing.count))
      if result.wouldBlock { break }
      // The target may have answered before it closed: that answer, if there is one, is read next.
      if result.isError { return lease.socket.isReadable ? nil : .failed(resetFailure(slot, lease)) }
      slot.outgoingSent += result.count
      slot.lastProgress = worker.loop.now
      if slot.outgoingSent == slot.outgoing.count { slot.exchange.times.sent = worker.loop.now }
    }
    guard slot.outgoingSent == slot.outgoing.count, !slot.upload.finished else { return nil }
    return pumpUpload(slot, lease)
  }

  /// Moves the rest of the request's body; an outcome when that failed for good.
  func pumpUpload(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> AttemptOutcome? {
    do {
      let before = slot.upload.received
      let moved = try slot.upload.advance(
        from: socket, to: lease.socket, small: worker.smallBuffers, large: worker.largeBuffers)
      slot.account.bytesIn += slot.upload.received - before
      if moved { slot.lastProgress = worker.loop.now }
    } catch {
      guard let fault = uploadFault(error, slot) else {
        slot.upload.abandon(small: worker.smallBuffers, large: worker.largeBuffers)
        return lease.socket.isReadable ? nil : .failed(resetFailure(slot, lease))
      }
      return .fault(fault)
    }
    if slot.upload.finished {
      slot.account.requestComplete = true
      slot.exchange.times.sent = worker.loop.now
    }
    return nil
  }

  /// What a failed upload means; nil when the target broke off.
  private func uploadFault(_ failure: BodyFlow.Failure, _ slot: ExchangeSlot) -> Fault? {
    switch failure {
    case .malformed(let error): .malformedRequest(error)
    case .truncated, .sourceFailed: .clientGone
    case .tooLarge: .bodyTooLarge
    case .sinkFailed: nil
    }
  }

  private enum HeadProgress {
    case incomplete
    case complete
    case failed(AttemptOutcome)
  }

  private func pullResponseHead(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> HeadProgress {
    if !slot.exchange.response.buffer.isEmpty {
      let progress = decodeResponseHead(slot)
      if case .incomplete = progress {} else { return progress }
    }
    while lease.socket.isReadable {
      if slot.exchange.response.buffer.room == 0 { return .failed(.fault(.headTooLong)) }
      let result = lease.socket.receive(into: &slot.exchange.response.buffer)
      if result.wouldBlock { break }
      if result.isEnd || result.isError { return .failed(.failed(resetFailure(slot, lease))) }
      slot.lastProgress = worker.loop.now
      // An answer to a request that was not sent yet is somebody else's, or an attack on the next exchange.
      if slot.outgoingSent == 0 { return .failed(.failed(malformedFailure(.malformedResponse(.invalidStatusLine)))) }
      let progress = decodeResponseHead(slot)
      if case .incomplete = progress { continue }
      return progress
    }
    return .incomplete
  }

  private func decodeResponseHead(_ slot: ExchangeSlot) -> HeadProgress {
    do {
      let method = slot.exchange.request.method
      guard try HeadDecoding.decode(&slot.responseDecoder, &slot.exchange.response, answering: method) else {
        return .incomplete
      }
      slot.exchange.response.buffer.advance(slot.exchange.response.head.length)
      return .complete
    } catch {
      return .failed(.failed(malformedFailure(.malformedResponse(error))))
    }
  }

  /// Forwards an interim answer; HTTP/1.0 knows none (RFC 9110 §15.2).
  private func passInformational(_ slot: ExchangeSlot) async -> Fault? {
    if slot.exchange.request.head.minorVersion > 0 {
      worker.encodeInformational(slot)
      if let fault = await sendReply(slot) { return fault }
    }
    slot.reply.removeAll()
    slot.replySent = 0
    slot.exchange.response.buffer.compact()
    slot.exchange.response.head.reset()
    slot.responseDecoder.reset()
    return nil
  }

  // MARK: Failures and deadlines

  private func resetFailure(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> AttemptOutcome.Failure {
    let untouched = slot.exchange.response.buffer.isEmpty
    return AttemptFailure(
      kind: lease.isReused && untouched ? .stale : .reset, fault: .upstreamReset, sent: slot.outgoingSent > 0)
  }

  private func malformedFailure(_ fault: Fault) -> AttemptFailure {
    AttemptFailure(kind: .malformed, fault: fault, sent: true)
  }

  /// Whose silence a deadline is about.
  enum Expiry { case clientBody, clientReads, targetIdle, firstByte }

  /// Until when to wait for the head, and what it means when that passes.
  private func requestDeadline(_ slot: ExchangeSlot, _ timeouts: CallTimeouts) -> (Int, Expiry) {
    if slot.outgoingSent < slot.outgoing.count || slot.upload.waitsForSink {
      return (slot.lastProgress + timeouts.idle, .targetIdle)
    }
    if !slot.upload.finished { return (slot.lastProgress + timeouts.clientBody, .clientBody) }
    return (max(slot.exchange.times.sent, slot.lastProgress) + timeouts.firstByte, .firstByte)
  }

  /// What a passed deadline means; nil when it has not passed after all.
  func expired(_ deadline: Int, _ expiry: Expiry) -> AttemptOutcome? {
    let now = worker.loop.now
    if now >= totalDeadline { return .fault(.totalTimeout) }
    guard now >= deadline else { return nil }
    return switch expiry {
    case .clientBody: .fault(.bodyTimeout)
    case .clientReads: .fault(.clientStalled)
    case .targetIdle: .fault(.idleTimeout)
    case .firstByte: .failed(AttemptFailure(kind: .firstByteTimeout, fault: .firstByteTimeout, sent: true))
    }
  }

  func abandon(_ lease: UpstreamConnection, _ outcome: AttemptOutcome) -> AttemptOutcome {
    lease.pool.close(lease)
    return outcome
  }
}

extension AttemptOutcome { typealias Failure = AttemptFailure }

extension AttemptOutcome {
  var isFailure: Bool { if case .done = self { false } else { true } }
}

extension AttemptFailure.Kind {
  /// For metrics.
  var word: String {
    switch self {
    case .connect: "connect"
    case .stale: "stale_connection"
    case .reset: "reset"
    case .firstByteTimeout: "first_byte_timeout"
    case .malformed: "malformed"
    case .status(let status): "\(status)"
    }
  }

  var isStale: Bool { if case .stale = self { true } else { false } }
}
