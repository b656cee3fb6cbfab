import AI
import HTTP
import Kernel
import PluginKit
import Runtime

/// Whole answers of models.
extension ServerConnection {
  /// Reads the whole answer, makes it the client's, and sends it.
  func answerWhole(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, _ call: ConversationCall, _ body: BodyCollector,
    _ head: AnswerFrame, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    while !slot.download.finished {
      // A provider may answer before it has read all of a form.
      if !slot.upload.finished, let outcome = pumpUpload(slot, lease) { return abandon(lease, outcome) }
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
    guard decode(body, head.coding) else { return .fault(.malformedAnswer) }
    if call.isStream(head) { return await replayStream(slot, call, body) }
    let answer = translate(body, slot, call, head)
    if let outcome = answer.outcome { return outcome }
    if call.answer.failure == nil, let fault = await judge(slot, call) { return await withhold(fault, slot) }
    if let prompt = slot.prompt { return await self.answer(prompt, slot, call, body.bytes, answer.retryAfter) }
    write(answer, body, slot, call, head)
    slot.keepsConnection = await respond(slot)
    return .done
  }

  /// A whole answer in the client's dialect, whose text stands in the place of the provider's.
  private struct WholeAnswer {
    /// How the attempt ended, if the client does not get it.
    var outcome: AttemptOutcome?
    var status = 0
    /// Seconds, where the provider said so.
    var retryAfter: Int?
  }

  /// Makes the provider's answer the client's.
  ///
  /// Not inlined, as `write`: what only they need would stand in the frame of what waits.
  @inline(never)
  private func translate(
    _ body: BodyCollector, _ slot: ExchangeSlot, _ call: ConversationCall, _ head: AnswerFrame
  ) -> WholeAnswer {
    var answer = WholeAnswer()
    var out = ByteBuffer(capacity: body.content.count + 256)
    let bytes = body.bytes
    call.answer.countedInput = AnswerFields.countedInput(&slot.exchange)
    let isText = AnswerFields.isText(&slot.exchange)
    answer.status = call.answer.translate(bytes, status: head.status, isText: isText, into: &out)
    call.hideKey(in: &out)
    body.content = out
    if let rule = call.answer.broken {
      answer.outcome = .fault(call.deny(rule, &slot.exchange))
      return answer
    }
    if let failure = call.answer.failure {
      let hint = AnswerFields.retryHint(&slot.exchange, bytes)
      answer.retryAfter = hint.seconds
      call.learn(failure, hint, now: worker.loop.now)
      if call.giveUp(failure, now: worker.loop.now) {
        answer.outcome = .fault(.upstreamStatus(head.status))
        return answer
      }
      if failure.kind == .authentication {
        answer.outcome = .fault(call.keyFault(now: worker.loop.now))
        return answer
      }
    }
    call.firstContent = slot.exchange.times.firstByte
    return answer
  }

  @inline(never)
  private func write(
    _ answer: WholeAnswer, _ body: BodyCollector, _ slot: ExchangeSlot, _ call: ConversationCall, _ head: AnswerFrame
  ) {
    let isOwn = call.request.operation == nil || answer.status >= 400
    let type = (isOwn ? nil : AnswerFields.contentType(&slot.exchange)) ?? "application/json"
    slot.exchange.response.begin(status: answer.status)
    slot.exchange.response.addHeader("Content-Type", type)
    if answer.status >= 400, let seconds = answer.retryAfter {
      slot.exchange.response.addHeader("Retry-After", "\(seconds)")
    }
    if call.answer.failure != nil, answer.status != head.status { tellMalformed(&slot.exchange) }
    tellDropped(call, &slot.exchange)
    slot.exchange.response.body.append(body.content.span)
    call.give(body.content, contentType: type)
  }

  private func tellMalformed(_ exchange: inout Exchange) {
    exchange.fault = .malformedAnswer
    exchange.response.addHeader("X-Fault", Fault.Origin.upstream.rawValue)
  }

  func tellDropped(_ call: ConversationCall, _ exchange: inout Exchange) {
    if call.request.dropped.isEmpty { return }
    let fields = call.request.dropped.joined(separator: ", ").utf8.prefix(Self.longestWarning)
    // Names of fields are the client's own words: no octet of them may end the line.
    let text = String(decoding: fields.map { 0x20..<0x7F ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    exchange.response.addHeader("X-Sluice-Dropped", text)
  }

  private static let longestWarning = 1024
}
