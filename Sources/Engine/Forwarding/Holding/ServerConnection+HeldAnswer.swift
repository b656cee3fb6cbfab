import Foreign
import HTTP
import Kernel
import PluginKit
import Runtime

/// Answers whose body a hook wants whole: the head is held back until the body is complete and the hooks have run.
extension ServerConnection {
  /// How hooks want the body of the answer whose head has come; nil when none does, or it cannot be read.
  func wishForAnswer(_ slot: ExchangeSlot, route: WorkerRoute) -> BodyWish? {
    if route.chain.responseBody.isEmpty || slot.exchange.rpc != .none { return nil }
    if slot.exchange.response.head.framing == .none { return tellsNoLength(slot, route) }
    if slot.exchange.response.head.status == 206 { return nil }
    guard let wish = route.chain.wishForResponseBody(&slot.exchange) else { return nil }
    if !wish.holdsStreams, StreamingType.isAnswered(&slot.exchange.response) { return nil }
    return wish.passesUnread && !Self.isReadable(&slot.exchange, limit: wish.limit) ? nil : wish
  }

  /// Takes the length away that an answer to HEAD tells where a hook would make another body of it: how long GET's is
  /// nobody knows (RFC 9110 §8.6).
  private func tellsNoLength(_ slot: ExchangeSlot, _ route: WorkerRoute) -> BodyWish? {
    if slot.exchange.request.head.method == .head, route.chain.wishForResponseBody(&slot.exchange) != nil {
      slot.exchange.response.head.headers.remove(.contentLength)
    }
    return nil
  }

  private static func isReadable(_ exchange: inout Exchange, limit: Int) -> Bool {
    if HeldCoding(ofResponse: &exchange) == .unknown { return false }
    if case .length(let count) = exchange.response.head.framing { return count <= limit }
    return true
  }

  /// Takes what came of the body along with the head; a failure when it is broken.
  func beginHolding(_ slot: ExchangeSlot, _ wish: BodyWish) -> AttemptFailure? {
    guard Self.isReadable(&slot.exchange, limit: wish.limit) else {
      return AttemptFailure(kind: .malformed, fault: .unreadableAnswer, sent: true)
    }
    slot.holding = wish
    slot.exchange.response.body.removeAll()
    slot.account.status = slot.exchange.response.head.status
    slot.download.begin(
      slot.exchange.response.head.framing, framing: .plain, recorder: takeRecorder(&slot.exchange.response))
    do throws(BodyFlow.Failure) {
      try Self.takeBuffered(&slot.exchange, &slot.download)
      return nil
    } catch { return truncation(error) }
  }

  private static func takeBuffered(_ exchange: inout Exchange, _ flow: inout BodyFlow) throws(BodyFlow.Failure) {
    _ = try flow.takePrefix(of: &exchange.response.buffer, into: &exchange.response.body)
  }

  /// Gathers more of the body; nil once `reply` holds the answer, or the beginning of one that is passed on unread.
  func gatherAnswer(_ slot: ExchangeSlot, _ lease: UpstreamConnection, _ wish: BodyWish) -> DownloadProgress? {
    do throws(BodyFlow.Failure) {
      let moved = try slot.download.gather(
        from: lease.socket, into: &slot.exchange.response.body, limit: wish.limit, small: worker.smallBuffers,
        large: worker.largeBuffers)
      if moved { slot.lastProgress = worker.loop.now }
    } catch { return .failed(downloadFault(error)) }
    guard let route = slot.route else { return .failed(.pluginFailed) }
    if slot.exchange.response.body.count > wish.limit {
      if !wish.passesUnread { return .failed(.unreadableAnswer) }
      passOn(slot, route: route)
      return nil
    }
    guard slot.download.finished else { return .waiting }
    if let fault = finishHolding(slot, wish, route: route) { return .failed(fault) }
    return nil
  }

  /// Runs the hooks over the complete body and writes head and body.
  private func finishHolding(_ slot: ExchangeSlot, _ wish: BodyWish, route: WorkerRoute) -> Fault? {
    if case .known(let coding) = HeldCoding(ofResponse: &slot.exchange),
      !Self.decode(&slot.exchange, coding, limit: wish.limit)
    {
      return .unreadableAnswer
    }
    slot.exchange.response.holdsBody = true
    if case .fail(let fault) = route.chain.runResponseBody(&slot.exchange) { return fault }
    slot.exchange.response.head.headers.remove(.contentLength)
    if slot.exchange.response.bodyIsChanged { EntityTag.weaken(&slot.exchange) }
    runHeldHooks(slot, route: route)
    encodeHeldBody(slot)
    beginHeldReply(slot, framing: .length(slot.exchange.response.body.count))
    Self.appendBody(&slot.exchange, to: &slot.reply)
    return nil
  }

  private static func decode(_ exchange: inout Exchange, _ coding: ContentCoding, limit: Int) -> Bool {
    var decoded = ByteBuffer(capacity: 4 * exchange.response.body.count)
    do throws(ContentDecoder.Failure) {
      try ContentDecoder.decode(exchange.response.body.span, coding, into: &decoded, limit: limit)
    } catch { return false }
    exchange.response.exchangeBody(with: &decoded)
    exchange.response.removeHeaders(HeldFields.coding)
    return true
  }

  private static func appendBody(_ exchange: inout Exchange, to out: inout ByteBuffer) {
    out.append(exchange.response.body.span)
  }

  /// Sends on what was gathered and lets the rest follow as it comes.
  private func passOn(_ slot: ExchangeSlot, route: WorkerRoute) {
    let framing = slot.exchange.response.head.framing
    runHeldHooks(slot, route: route)
    let encoder = beginEncoding(slot)
    let out = clientFraming(slot, encoder == nil ? framing : .chunked)
    beginHeldReply(slot, framing: out)
    slot.account.headBytesOut += Self.passOn(&slot.exchange, &slot.download, out, encoder, into: &slot.reply)
  }

  private static func passOn(
    _ exchange: inout Exchange, _ flow: inout BodyFlow, _ framing: BodyFraming, _ encoder: BodyEncoder?,
    into out: inout ByteBuffer
  ) -> Int {
    flow.passOn(
      exchange.response.body.span, framing: framing == .chunked ? .chunked : .plain, encoder: encoder, into: &out)
  }

  private func runHeldHooks(_ slot: ExchangeSlot, route: WorkerRoute) {
    slot.holding = nil
    route.chain.runResponseHead(&slot.exchange)
  }

  private func beginHeldReply(_ slot: ExchangeSlot, framing: BodyFraming) {
    slot.keepsConnection =
      slot.exchange.request.head.keepAlive && slot.account.requestComplete && framing != .untilClose
      && !isLeaving
    worker.encodeResponse(slot, framing: framing)
  }

  /// Runs the hooks over the body of an answer that a handler or a plugin made; a fault when one fails.
  func runLocalBodyHooks(_ slot: ExchangeSlot) -> Fault? {
    guard let route = slot.route, !route.chain.responseBody.isEmpty, slot.exchange.response.heldCount > 0 else {
      return nil
    }
    // What was stored is what an upstream sent to whom asked for no coding; with one it cannot be read.
    if slot.exchange.response.stored != nil, slot.exchange.response.header(.contentEncoding) != nil {
      return .unreadableAnswer
    }
    slot.exchange.response.unfoldStored()
    guard
      route.chain.wishForResponseBody(&slot.exchange) != nil,
      case .fail(let fault) = route.chain.runResponseBody(&slot.exchange)
    else { return nil }
    return fault
  }
}

/// The name of a version of something (RFC 9110 §8.8.3).
enum EntityTag {
  /// Makes it a weak one, as the body is no longer the origin's byte for byte, and takes away what was true of those
  /// bytes alone.
  static func weaken(_ exchange: inout Exchange) {
    exchange.response.removeHeaders(HeldFields.digests)
    exchange.response.removeHeaders(HeldFields.ranges)
    var tag = ByteBuffer(capacity: 80)
    append(exchange, to: &tag)
    if !tag.isEmpty { exchange.response.setHeader(.etag, tag.span) }
  }

  /// Appends a strong tag as a weak one; nothing for what is weak already.
  private static func append(_ exchange: borrowing Exchange, to out: inout ByteBuffer) {
    guard let tag = exchange.response.header(.etag), tag.count >= 2, tag[0] == UInt8(ascii: "\"") else { return }
    out.append("W/")
    out.append(tag)
  }
}
