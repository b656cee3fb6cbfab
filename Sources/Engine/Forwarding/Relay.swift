import HTTP
import Kernel
import PluginKit
import Runtime

/// The way back: the target's head is edited and sent on, then both bodies are moved until the answer is complete.
extension ServerConnection {
  /// Edits and encodes the head of the answer; a failure when its body is broken in its first bytes.
  func beginRelay(_ slot: ExchangeSlot, route: WorkerRoute) -> AttemptFailure? {
    if !route.chain.answer.isEmpty, replacesAnswer(slot, route: route) { return nil }
    if let wish = wishForAnswer(slot, route: route) { return beginHolding(slot, wish) }
    let framing = slot.exchange.response.head.framing
    let coding = translateAnswer(slot)
    var out = coding == .none || framing == .none ? clientFraming(slot, framing) : clientFraming(slot, .chunked)
    if !route.chain.responseHead.isEmpty { route.chain.runResponseHead(&slot.exchange) }
    let encoder = coding == .none && framing != .none ? beginEncoding(slot) : nil
    if encoder != nil { out = clientFraming(slot, .chunked) }
    slot.keepsConnection =
      slot.exchange.request.head.keepAlive && slot.account.requestComplete && out != .untilClose
      && !isLeaving
    slot.download.begin(
      framing, framing: out == .chunked ? .chunked : .plain, coding: coding, encoder: encoder,
      recorder: takeRecorder(&slot.exchange.response))
    slot.account.status = slot.exchange.response.head.status
    // An answer whose length was told is no stream: most answers are spared the look at their type.
    if totalDeadline != .max, framing == .chunked || framing == .untilClose,
      StreamingType.isAnswered(&slot.exchange.response)
    {
      totalDeadline = slot.callerDeadline
    }
    worker.encodeResponse(slot, framing: out)
    do {
      slot.account.headBytesOut += try slot.download.takePrefix(of: &slot.exchange.response.buffer, into: &slot.reply)
      return nil
    } catch { return truncation(error) }
  }

  /// Moves both bodies until the answer is complete.
  @inline(never)
  func finishRelay(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    if let outcome = await pumpBoth(slot, lease, timeouts: timeouts) { return abandon(lease, outcome) }
    endRelay(slot, lease)
    return .done
  }

  /// Gives the connection back when it can carry another exchange: the answer and nothing more has come over it.
  func endRelay(_ slot: ExchangeSlot, _ lease: UpstreamConnection) {
    noteStatus(slot)
    let clean = slot.exchange.response.buffer.isEmpty && slot.download.surplus.isEmpty && slot.account.requestComplete
    if clean, !slot.hasDroppedAnswer, slot.exchange.response.head.framing != .untilClose,
      slot.exchange.response.head.keepAlive
    {
      lease.pool.giveBack(lease)
    } else {
      lease.pool.close(lease)
    }
  }

  /// How the client gets the body: HTTP/1.0 knows no chunks, so there the connection's end says it.
  func clientFraming(_ slot: ExchangeSlot, _ framing: BodyFraming) -> BodyFraming {
    switch framing {
    case .chunked, .untilClose: slot.exchange.request.head.minorVersion > 0 ? .chunked : .untilClose
    default: framing
    }
  }

  /// Moves both bodies until the answer is at the client; an outcome when that fails.
  private func pumpBoth(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, timeouts: CallTimeouts
  ) async -> AttemptOutcome? {
    slot.lastProgress = worker.loop.now
    while true {
      if !slot.upload.finished, let outcome = pumpUpload(slot, lease) {
        // The answer may still be whole although the target no longer reads; a client that left wants none.
        if case .fault(let fault) = outcome { return .fault(fault) }
        slot.upload.abandon(small: worker.smallBuffers, large: worker.largeBuffers)
      }
      switch pumpDownload(slot, lease) {
      case .finished: return nil
      case .failed(let fault): return .fault(fault)
      case .waiting: break
      }
      let waitsForClient =
        slot.replySent < slot.reply.count || slot.exchange.response.stored != nil || slot.download.waitsForSink
      let limit = waitsForClient ? worker.limits.bodyTimeout : timeouts.idle
      if socket.isPeerClosed, !waitsForClient { return .fault(.clientGone) }
      let deadline = slot.lastProgress + limit
      let signals = await wait(until: deadline)
      if signals.contains(.deadline), let outcome = expired(deadline, waitsForClient ? .clientReads : .targetIdle) {
        return outcome
      }
    }
  }

  enum DownloadProgress {
    case finished
    case waiting
    case failed(Fault)
  }

  func pumpDownload(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> DownloadProgress {
    if let wish = slot.holding, let progress = gatherAnswer(slot, lease, wish) { return progress }
    while slot.replySent < slot.reply.count {
      guard socket.isWritable else { return .waiting }
      let result = socket.send(slot.reply.span.extracting(slot.replySent..<slot.reply.count))
      if result.wouldBlock { return .waiting }
      if result.isError { return .failed(.clientGone) }
      slot.account.responseBegan = true
      slot.replySent += result.count
      slot.account.bytesOut += result.count
      slot.lastProgress = worker.loop.now
    }
    if slot.exchange.response.stored != nil {
      let sent = slot.storedSent
      let progress = pushReply(slot)
      if slot.storedSent > sent { slot.lastProgress = worker.loop.now }
      switch progress {
      case .sent: break
      case .waiting: return .waiting
      case .failed: return .failed(.clientGone)
      }
    }
    if slot.download.finished { return .finished }
    do {
      let before = slot.download.contentSent
      let moved = try slot.download.advance(
        from: lease.socket, to: socket, small: worker.smallBuffers, large: worker.largeBuffers)
      slot.account.bytesOut += slot.download.contentSent - before
      if moved { slot.lastProgress = worker.loop.now }
    } catch { return .failed(downloadFault(error)) }
    return slot.download.finished ? .finished : .waiting
  }

  func downloadFault(_ failure: BodyFlow.Failure) -> Fault {
    switch failure {
    case .malformed(let error): .malformedResponse(error)
    case .truncated, .sourceFailed, .tooLarge, .undecodable, .refused: .upstreamTruncated
    case .sinkFailed: .clientGone
    }
  }

  /// A body that is broken in its first bytes, before anything was sent to the client.
  func truncation(_ failure: BodyFlow.Failure) -> AttemptFailure {
    let fault: Fault =
      switch failure {
      case .malformed(let error): .malformedResponse(error)
      default: .upstreamTruncated
      }
    return AttemptFailure(kind: .malformed, fault: fault, sent: true)
  }
}
