import AI
import HTTP
import JSON
import Kernel
import PluginKit
import Runtime

/// The way back of a call of a model: whole answers as one, streams event by event.
extension ServerConnection {
  /// Turns a provider's answer, whose head is there, into the client's.
  @inline(never)
  func answerConversation(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, _ call: ConversationCall, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    let head = AnswerFrame(
      slot.exchange.response.head, StreamingType.isAnswered(&slot.exchange.response),
      HeldCoding(ofResponse: &slot.exchange))
    slot.download.begin(head.framing, framing: .plain)
    call.isRepeatable = isReplayable(slot)
    // Nobody asked for a content coding. Who uses one all the same is read whole first.
    let isStream = head.coding == .identity && call.isStream(head)
    let body =
      isStream
      ? BodyCollector(piece: Self.streamPiece, capacity: 1024) : BodyCollector(head.framing, piece: Self.largestAnswer)
    do throws(BodyFlow.Failure) {
      _ = try slot.download.takePrefix(of: &slot.exchange.response.buffer, into: &body.content)
    } catch {
      return abandon(lease, .failed(malformedFailure(.upstreamTruncated)))
    }
    slot.lastProgress = worker.loop.now
    return isStream
      ? await relayStream(slot, lease, call, body, head, timeouts: timeouts)
      : await answerWhole(slot, lease, call, body, head, timeouts: timeouts)
  }

  private static let streamPiece = 64 << 10
  private static let eventStream = "text/event-stream; charset=utf-8"
  static let largestAnswer = 64 << 20

  /// Gives the connection back when the answer and nothing more came over it.
  func endCall(_ slot: ExchangeSlot, _ lease: UpstreamConnection, _ head: AnswerFrame) {
    let isClean =
      slot.upload.finished && slot.download.finished && slot.exchange.response.buffer.isEmpty
      && slot.download.surplus.isEmpty
    if isClean, head.keepsAlive, head.framing != .untilClose {
      lease.pool.giveBack(lease)
    } else {
      slot.download.abandon(small: worker.smallBuffers, large: worker.largeBuffers)
      lease.pool.close(lease)
    }
  }

  // MARK: A stream

  private func relayStream(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, _ call: ConversationCall, _ body: BodyCollector,
    _ head: AnswerFrame, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    // Until something of the answer itself has come, another model may still give it.
    var stream = ClientStream(isHeld: call.hasNext, isJudged: call.plan?.isAnswerJudged == true)
    if !stream.isHeld { begin(&stream, slot, call) }
    translate(body, call, &stream, slot)
    var isEnded = false
    while true {
      if call.answer.isOver, !stream.isHeld { slot.settleConversation() }
      guard sendWaiting(slot) else { return abandon(lease, .fault(.clientGone)) }
      let waitsForClient = slot.replySent < slot.reply.count
      if !waitsForClient {
        slot.reply.removeAll()
        slot.replySent = 0
        if isEnded { break }
        let isBroken = !readStream(slot, lease, body)
        translate(body, call, &stream, slot)
        if stream.isTooLong { return abandon(lease, .fault(.answerTooLarge)) }
        if isBroken || slot.download.finished || call.answer.isOver {
          if let outcome = await finish(&stream, slot, call, isBroken ? call.truncation : nil) {
            endCall(slot, lease, head)
            return outcome
          }
          isEnded = true
        }
        if !slot.reply.isEmpty { continue }
      }
      if socket.isPeerClosed { return abandon(lease, .fault(.clientGone)) }
      let deadline = waitsForClient ? slot.lastProgress + worker.limits.bodyTimeout : silence(slot, call, timeouts)
      let signals = await wait(until: deadline)
      if isCut { return abandon(lease, .fault(.cutByDrain)) }
      guard signals.contains(.deadline), worker.loop.now >= min(deadline, totalDeadline) else { continue }
      if waitsForClient, worker.loop.now >= deadline { return abandon(lease, .fault(.clientStalled)) }
      let isLate = worker.loop.now >= totalDeadline
      let failure = Failure(.timeout, isLate ? "The call took longer than it may in all." : "The model fell silent.")
      if let outcome = await finish(&stream, slot, call, failure) { return abandon(lease, outcome) }
      isEnded = true
    }
    endCall(slot, lease, head)
    noteFailure(slot, call)
    return .done
  }

  /// Until when the provider may be silent. What it sends before the first token does not count as one.
  private func silence(_ slot: ExchangeSlot, _ call: ConversationCall, _ timeouts: CallTimeouts) -> Int {
    let idle = slot.lastProgress + timeouts.idle
    return call.firstContent > 0 ? idle : min(idle, slot.exchange.times.sent + timeouts.firstByte)
  }

  /// Ends a stream once somebody has judged it, where that is asked for.
  func finish(
    _ stream: inout ClientStream, _ slot: ExchangeSlot, _ call: ConversationCall, _ failure: Failure?
  ) async -> AttemptOutcome? {
    if let outcome = await judge(&stream, slot, call, failure) { return outcome }
    return end(&stream, slot, call, failure)
  }

  /// Ends the client's stream, well or with an error; an outcome when it has not begun and another model is asked.
  private func end(
    _ stream: inout ClientStream, _ slot: ExchangeSlot, _ call: ConversationCall, _ failure: Failure?
  ) -> AttemptOutcome? {
    var text = ByteBuffer(capacity: 256)
    if let failure { call.answer.fail(failure, into: &text) } else { call.answer.end(into: &text) }
    if stream.isHeld, let failure = call.answer.failure, call.answer.broken == nil {
      call.learn(failure, RetryHint(now: 0), now: worker.loop.now)
      if worker.loop.now < totalDeadline, call.giveUp(failure, now: worker.loop.now) {
        return .fault(.upstreamTruncated)
      }
    }
    if stream.isHeld { begin(&stream, slot, call) }
    stream.append(text, to: &slot.reply)
    call.record(text)
    call.giveStream(contentType: Self.eventStream)
    if stream.isChunked { slot.reply.append("0\r\n\r\n") }
    return nil
  }

  /// Writes the head of the client's stream, and what was held back of it.
  func begin(_ stream: inout ClientStream, _ slot: ExchangeSlot, _ call: ConversationCall) {
    stream.isHeld = false
    slot.keepHeadsInStream(worker.smallBuffers)
    stream.isChunked = slot.exchange.request.head.minorVersion > 0
    if call.timeouts.total == nil { totalDeadline = .max }
    slot.exchange.response.begin(status: 200)
    slot.exchange.response.addHeader("Content-Type", Self.eventStream)
    slot.exchange.response.addHeader("Cache-Control", "no-cache")
    tellDropped(call, &slot.exchange)
    runResponseHooks(slot)
    slot.keepsConnection = slot.exchange.request.head.keepAlive && stream.isChunked && !isLeaving
    slot.account.status = 200
    worker.encodeLocalStream(slot, isChunked: stream.isChunked, keepAlive: slot.keepsConnection)
    stream.release(into: &slot.reply)
  }

  /// Sends what waits for the client; false when it is gone.
  private func sendWaiting(_ slot: ExchangeSlot) -> Bool {
    while slot.replySent < slot.reply.count, socket.isWritable {
      let result = socket.send(slot.reply.span.extracting(slot.replySent..<slot.reply.count))
      if result.isError { return false }
      if result.wouldBlock { break }
      slot.account.responseBegan = true
      slot.replySent += result.count
      slot.account.bytesOut += result.count
      slot.lastProgress = worker.loop.now
    }
    return true
  }

  /// Reads what the provider has sent; false when it broke off.
  private func readStream(_ slot: ExchangeSlot, _ lease: UpstreamConnection, _ body: BodyCollector) -> Bool {
    do throws(BodyFlow.Failure) {
      let moved = try slot.download.advance(
        from: lease.socket, to: body, small: worker.smallBuffers, large: worker.largeBuffers)
      if moved { slot.lastProgress = worker.loop.now }
      return true
    } catch { return false }
  }

  /// Appends what the client gets of what has come.
  func translate(
    _ body: BodyCollector, _ call: ConversationCall, _ stream: inout ClientStream, _ slot: ExchangeSlot
  ) {
    if body.content.isEmpty { return }
    var text = ByteBuffer(capacity: body.content.count + 256)
    call.answer.take(body.content.span, into: &text)
    call.hideKey(in: &text)
    call.record(text)
    body.clear()
    if call.firstContent == 0, call.answer.hasContent { call.firstContent = worker.loop.now }
    worker.metrics.observeChunks(call, now: worker.loop.now)
    if stream.isHeld, !stream.hold(text, call.answer) { begin(&stream, slot, call) }
    if !stream.isHeld { stream.append(text, to: &slot.reply) }
  }
}

extension ConversationCall {
  /// What it is that the connection breaks off: events that are passed may have no last one, so that only their end says
  /// that they are whole. A conversation says so itself.
  fileprivate var truncation: Failure? { request.operation == nil ? nil : .truncated }

  /// Whether the answer that begins is a stream of events. What is passed says so only itself.
  func isStream(_ head: AnswerFrame) -> Bool {
    head.status == 200 && head.isStream && (request.streams || request.operation != nil)
  }
}
