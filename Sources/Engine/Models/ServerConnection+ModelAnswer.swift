import AI
import HTTP
import Kernel
import PluginKit
import Runtime

/// The way back of a call of a model: whole answers as one, streams event by event.
extension ServerConnection {
  /// Turns a provider's answer, whose head is there, into the client's.
  func answerConversation(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, _ call: ConversationCall, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    let head = AnswerFrame(slot.exchange.response.head, StreamingType.isAnswered(&slot.exchange.response))
    slot.download.begin(head.framing, framing: .plain)
    let isStream = head.status == 200 && head.isStream && call.request.streams
    let body = BodyCollector(piece: isStream ? Self.streamPiece : Self.largestAnswer)
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
  private static let largestAnswer = 64 << 20

  // MARK: A whole answer

  private func answerWhole(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, _ call: ConversationCall, _ body: BodyCollector,
    _ head: AnswerFrame, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    while !slot.download.finished {
      do throws(BodyFlow.Failure) {
        let moved = try slot.download.advance(
          from: lease.socket, to: body, small: worker.smallBuffers, large: worker.largeBuffers)
        if moved { slot.lastProgress = worker.loop.now }
      } catch { return abandon(lease, .fault(.upstreamTruncated)) }
      if slot.download.finished { break }
      if !body.isWritable { return abandon(lease, .fault(.answerTooLarge)) }
      if socket.isPeerClosed { return abandon(lease, .fault(.clientGone)) }
      let deadline = slot.lastProgress + timeouts.idle
      let signals = await wait(until: deadline)
      if signals.contains(.deadline), let outcome = expired(deadline, .targetIdle) { return abandon(lease, outcome) }
    }
    endCall(slot, lease, head)
    var out = ByteBuffer(capacity: body.content.count + 256)
    let status = call.answer.translate(body.bytes, status: head.status, into: &out)
    let retryAfter = Self.retryAfter(&slot.exchange)
    slot.exchange.response.begin(status: status)
    slot.exchange.response.addHeader("Content-Type", "application/json")
    if let retryAfter { slot.exchange.response.addHeader("Retry-After", retryAfter) }
    if call.answer.failure != nil, status != head.status {
      slot.exchange.fault = .malformedAnswer
      slot.exchange.response.addHeader("X-Fault", Fault.Origin.upstream.rawValue)
    }
    tellDropped(call, &slot.exchange)
    slot.exchange.response.body.append(out.span)
    call.firstContent = slot.exchange.times.firstByte
    slot.keepsConnection = await respond(slot)
    return .done
  }

  private static func retryAfter(_ exchange: inout Exchange) -> String? {
    guard let value = exchange.response.header(named: "retry-after") else { return nil }
    return String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
  }

  private func tellDropped(_ call: ConversationCall, _ exchange: inout Exchange) {
    if call.request.dropped.isEmpty { return }
    let fields = call.request.dropped.joined(separator: ", ").utf8.prefix(Self.longestWarning)
    // Names of fields are the client's own words: no octet of them may end the line.
    let text = String(decoding: fields.map { 0x20..<0x7F ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    exchange.response.addHeader("X-Sluice-Dropped", text)
  }

  private static let longestWarning = 1024

  /// Gives the connection back when the answer and nothing more came over it.
  private func endCall(_ slot: ExchangeSlot, _ lease: UpstreamConnection, _ head: AnswerFrame) {
    let isClean = slot.download.finished && slot.exchange.response.buffer.isEmpty && slot.download.surplus.isEmpty
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
    let isChunked = beginStream(slot, call)
    translate(body, call, isChunked, into: &slot.reply)
    var isEnded = false
    while true {
      guard sendWaiting(slot) else { return abandon(lease, .fault(.clientGone)) }
      let waitsForClient = slot.replySent < slot.reply.count
      if !waitsForClient {
        slot.reply.removeAll()
        slot.replySent = 0
        if isEnded { break }
        let isBroken = !readStream(slot, lease, body)
        translate(body, call, isChunked, into: &slot.reply)
        if isBroken || slot.download.finished || call.answer.isOver {
          endStream(call, isChunked, into: &slot.reply)
          isEnded = true
        }
        if !slot.reply.isEmpty { continue }
      }
      if socket.isPeerClosed { return abandon(lease, .fault(.clientGone)) }
      let deadline = slot.lastProgress + (waitsForClient ? worker.limits.bodyTimeout : timeouts.idle)
      let signals = await wait(until: deadline)
      if isCut { return abandon(lease, .fault(.cutByDrain)) }
      guard signals.contains(.deadline), worker.loop.now >= deadline else { continue }
      if waitsForClient { return abandon(lease, .fault(.clientStalled)) }
      fail(call, Failure(.timeout, "The model fell silent."), isChunked, into: &slot.reply)
      isEnded = true
    }
    endCall(slot, lease, head)
    if call.answer.failure != nil { slot.exchange.fault = .upstreamTruncated }
    return .done
  }

  /// Writes the head of the client's stream; whether its body is chunked.
  private func beginStream(_ slot: ExchangeSlot, _ call: ConversationCall) -> Bool {
    let isChunked = slot.exchange.request.head.minorVersion > 0
    totalDeadline = .max
    slot.exchange.response.begin(status: 200)
    slot.exchange.response.addHeader("Content-Type", "text/event-stream; charset=utf-8")
    slot.exchange.response.addHeader("Cache-Control", "no-cache")
    tellDropped(call, &slot.exchange)
    runResponseHooks(slot)
    slot.keepsConnection = slot.exchange.request.head.keepAlive && isChunked && !worker.isLeaving
    slot.account.status = 200
    worker.encodeLocalStream(slot, isChunked: isChunked, keepAlive: slot.keepsConnection)
    return isChunked
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
  private func translate(
    _ body: BodyCollector, _ call: ConversationCall, _ isChunked: Bool, into reply: inout ByteBuffer
  ) {
    if body.content.isEmpty { return }
    var text = ByteBuffer(capacity: body.content.count + 256)
    call.answer.take(body.content.span, into: &text)
    body.clear()
    if call.firstContent == 0, call.answer.hasContent { call.firstContent = worker.loop.now }
    append(text, isChunked, to: &reply)
  }

  private func endStream(_ call: ConversationCall, _ isChunked: Bool, into reply: inout ByteBuffer) {
    var text = ByteBuffer(capacity: 256)
    call.answer.end(into: &text)
    append(text, isChunked, to: &reply)
    if isChunked { reply.append("0\r\n\r\n") }
  }

  private func fail(_ call: ConversationCall, _ failure: Failure, _ isChunked: Bool, into reply: inout ByteBuffer) {
    var text = ByteBuffer(capacity: 256)
    call.answer.fail(failure, into: &text)
    append(text, isChunked, to: &reply)
    if isChunked { reply.append("0\r\n\r\n") }
  }

  private func append(_ text: borrowing ByteBuffer, _ isChunked: Bool, to reply: inout ByteBuffer) {
    if text.isEmpty { return }
    if isChunked { HTTP1Encoder.chunkHeader(text.count, into: &reply) }
    reply.append(text.span)
    if isChunked { reply.append("\r\n") }
  }
}

/// What the head of a provider's answer said, before the client's takes its place.
private struct AnswerFrame {
  let status: Int
  let framing: BodyFraming
  let keepsAlive: Bool
  let isStream: Bool

  init(_ head: borrowing ResponseHead, _ isStream: Bool) {
    status = head.status
    framing = head.framing
    keepsAlive = head.keepAlive
    self.isStream = isStream
  }
}
