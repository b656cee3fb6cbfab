import Foreign
import HTTP
import Kernel
import PluginKit
import Runtime

/// Requests whose body a hook wants whole: it is gathered and decoded before anything is forwarded.
extension ServerConnection {
  /// Gathers the body if a hook wants it, and runs the hooks over it.
  func runRequestBodyHooks(_ slot: ExchangeSlot, route: WorkerRoute) async -> Verdict {
    guard slot.exchange.rpc == .none, !slot.exchange.request.head.asksUpgrade,
      let wish = route.chain.wishForRequestBody(&slot.exchange)
    else { return .proceed }
    if let fault = await gatherRequest(slot, route: route, limit: min(wish.limit, slot.exchange.requestBodyLimit)) {
      return .fail(fault)
    }
    let verdict = route.chain.runRequestBody(&slot.exchange)
    if slot.exchange.request.head.framing == .none, slot.exchange.request.body.isEmpty {
      slot.exchange.request.holdsBody = false
    }
    return verdict
  }

  /// Reads the whole body into `request.body`, out of its content coding; a fault when that cannot be.
  private func gatherRequest(_ slot: ExchangeSlot, route: WorkerRoute, limit: Int) async -> Fault? {
    let coding = HeldCoding(ofRequest: &slot.exchange)
    if coding == .unknown { return .unknownContentCoding }
    let framing = slot.exchange.request.head.framing
    if case .length(let count) = framing, count > limit { return .bodyTooLarge }
    slot.exchange.request.holdsBody = true
    slot.upload.begin(framing, framing: .plain)
    slot.upload.limit = limit
    slot.uploadBegan = true
    do throws(BodyFlow.Failure) {
      try Self.takeBuffered(&slot.exchange, &slot.upload)
      if !slot.upload.finished, slot.exchange.request.head.expectsContinue, let fault = await sendContinue(slot) {
        return fault
      }
      slot.lastProgress = worker.loop.now
      while try !gatherMore(slot) {
        if let fault = await waitForBody(slot, route: route) { return fault }
      }
    } catch { return uploadFault(error) ?? .clientGone }
    slot.account.bytesIn = slot.upload.received
    slot.account.requestComplete = true
    guard case .known(let coding) = coding else { return nil }
    return Self.decodeRequest(&slot.exchange, coding, limit: limit)
  }

  private static func takeBuffered(_ exchange: inout Exchange, _ flow: inout BodyFlow) throws(BodyFlow.Failure) {
    _ = try flow.takePrefix(of: &exchange.request.buffer, into: &exchange.request.body)
  }

  /// Takes what has come; whether the body is complete.
  private func gatherMore(_ slot: ExchangeSlot) throws(BodyFlow.Failure) -> Bool {
    if slot.upload.finished { return true }
    let moved = try slot.upload.gather(
      from: socket, into: &slot.exchange.request.body, limit: .max, small: worker.smallBuffers,
      large: worker.largeBuffers)
    if moved { slot.lastProgress = worker.loop.now }
    return slot.upload.finished
  }

  /// Waits for more of the body; a fault when none comes.
  func waitForBody(_ slot: ExchangeSlot, route: WorkerRoute) async -> Fault? {
    if socket.isPeerClosed { return .clientGone }
    let deadline = slot.lastProgress + route.clientBody
    let signals = await wait(until: deadline)
    if isCut { return .cutByDrain }
    return signals.contains(.deadline) && worker.loop.now >= deadline ? .bodyTimeout : nil
  }

  /// A client that waits to be told so sends its body (RFC 9110 §10.1.1); the upstream then gets it with the head.
  func sendContinue(_ slot: ExchangeSlot) async -> Fault? {
    slot.reply.append(HTTP1Encoder.continueResponse)
    slot.account.headBytesOut += slot.reply.count
    if let fault = await sendReply(slot) { return fault }
    slot.reply.removeAll()
    slot.replySent = 0
    return nil
  }

  private static func decodeRequest(_ exchange: inout Exchange, _ coding: ContentCoding, limit: Int) -> Fault? {
    if exchange.request.head.framing == .none { return nil }
    var decoded = ByteBuffer(capacity: 4 * exchange.request.body.count)
    do throws(ContentDecoder.Failure) {
      try ContentDecoder.decode(exchange.request.body.span, coding, into: &decoded, limit: limit)
    } catch { return error == .tooLarge ? .decodedBodyTooLarge : .malformedContentCoding }
    exchange.request.exchangeBody(with: &decoded)
    exchange.request.removeHeaders(HeldFields.coding)
    return nil
  }

  /// Encodes head and body of a request whose body was held.
  func prepareHeldUpload(_ slot: ExchangeSlot, route: WorkerRoute) {
    slot.exchange.request.head.headers.remove(.contentLength)
    slot.exchange.request.head.headers.remove(.expect)
    if slot.exchange.request.bodyIsChanged { slot.exchange.request.removeHeaders(HeldFields.digests) }
    worker.encodeRequest(slot, route: route, listener: listener)
    Self.appendBody(&slot.exchange, to: &slot.outgoing)
    slot.prefixLength = slot.upload.received
  }

  private static func appendBody(_ exchange: inout Exchange, to out: inout ByteBuffer) {
    out.append(exchange.request.body.span)
  }

  /// Lets the upstream answer in a way that hooks can read: whole, and in no content coding.
  func askForReadableAnswer(_ slot: ExchangeSlot) { slot.exchange.request.removeHeaders(HeldFields.refinements) }
}
