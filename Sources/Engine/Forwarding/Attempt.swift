import HTTP
import Kernel
import PluginKit
import Runtime

/// One try at one target: the request is sent, the head of the answer awaited.
///
/// Every step does what can be done now and says what came of it, so that the same steps serve a task and the path
/// that needs none.
extension ServerConnection {
  /// One attempt over a connection that is established, or the rest of one.
  func attempt(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, from stage: AttemptStage, route: WorkerRoute,
    timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    var informational = 0
    var progress: HeadProgress?
    switch stage {
    case .sending: break
    case .head: progress = .complete
    case .relaying: return await finishRelay(slot, lease, timeouts: timeouts)
    case .ended(let outcome): return abandon(lease, outcome)
    }
    while true {
      if progress == nil, let outcome = pushRequest(slot, lease) { return abandon(lease, outcome) }
      switch progress ?? pullResponseHead(slot, lease) {
      case .incomplete: break
      case .failed(let outcome): return abandon(lease, outcome)
      case .complete:
        progress = nil
        guard slot.exchange.response.head.isInformational else {
          return await answer(slot, lease, route: route, timeouts: timeouts)
        }
        informational += 1
        if informational > Self.mostInformational { return abandon(lease, .fault(.tooManyInformational)) }
        if let fault = await passInformational(slot) { return abandon(lease, .fault(fault)) }
        continue
      }
      if socket.isPeerClosed, slot.account.requestComplete { return abandon(lease, .fault(.clientGone)) }
      let (deadline, expiry) = requestDeadline(slot, timeouts)
      let signals = await wait(until: deadline)
      if signals.contains(.deadline), let outcome = expired(deadline, expiry) { return abandon(lease, outcome) }
    }
  }

  /// Relays a final answer, unless its status is one that may be tried again.
  private func answer(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, route: WorkerRoute, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    if let outcome = lookAtHead(slot, lease, route: route) { return abandon(lease, outcome) }
    if slot.exchange.response.head.status == 101 {
      return await switchProtocols(slot, lease, route: route, timeouts: timeouts)
    }
    if let call = slot.conversation {
      if call.passesOn(&slot.exchange.response) {
        return await passAnswer(slot, lease, call, route: route, timeouts: timeouts)
      }
      return await answerConversation(slot, lease, call, timeouts: timeouts)
    }
    if let failure = beginRelay(slot, route: route) { return abandon(lease, .failed(failure)) }
    return await finishRelay(slot, lease, timeouts: timeouts)
  }

  /// Notes a final head; an outcome if its status is one that may be tried again.
  ///
  /// Not inlined: what only it needs would stand in the frame of what waits.
  @inline(never)
  private func lookAtHead(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, route: WorkerRoute
  ) -> AttemptOutcome? {
    slot.exchange.times.firstByte = worker.loop.now
    let status = slot.exchange.response.head.status
    if route.settings.mcp != nil { MCPSession.tag(&slot.exchange, by: lease.pool) }
    if let pass = slot.pass { pass.look(&slot.exchange, now: worker.loop.now) }
    guard status >= 500 else { return nil }
    let failure = AttemptFailure(kind: .status(status), fault: .upstreamReset, sent: true)
    let pool = lease.pool.pool
    // Decided before the answer is given up: without another target or budget it is the best there is.
    if pool.hasAlternative(to: lease.pool, slot.history), mayTryAgain(slot, pool, after: failure) {
      return .failed(failure)
    }
    if let fallback = route.fallback, fallback.covers(status: status), mayFallBack(slot, fallback) {
      return .fault(.upstreamStatus(status))
    }
    return nil
  }

  private static let mostInformational = 16

  /// Sends what can be sent of the request; an outcome when that failed for good.
  func pushRequest(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> AttemptOutcome? {
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
      guard let fault = uploadFault(error) else {
        slot.upload.abandon(small: worker.smallBuffers, large: worker.largeBuffers)
        return lease.socket.isReadable ? nil : .failed(resetFailure(slot, lease))
      }
      return .fault(fault)
    }
    if slot.upload.finished {
      slot.upload.copy?.send()
      slot.account.requestComplete = true
      slot.exchange.times.sent = worker.loop.now
    }
    return nil
  }

  /// What a failed upload means; nil when the target broke off.
  func uploadFault(_ failure: BodyFlow.Failure) -> Fault? {
    switch failure {
    case .malformed(let error): .malformedRequest(error)
    case .truncated, .sourceFailed: .clientGone
    case .tooLarge: .bodyTooLarge
    case .undecodable: .invalidBase64
    case .refused: .ambiguousForm
    case .sinkFailed: nil
    }
  }

  enum HeadProgress {
    case incomplete
    case complete
    case failed(AttemptOutcome)
  }

  func pullResponseHead(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> HeadProgress {
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
      let isComplete = try HeadDecoding.decode(
        &slot.responseDecoder, &slot.exchange.response, answering: method, mayUpgrade: slot.asksWebSocket)
      guard isComplete else { return .incomplete }
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
}
