import HTTP
import JSON
import Kernel
import PluginKit
import Runtime

/// Answers that the gateway makes itself: of local handlers and plugins, and faults.
extension ServerConnection {
  /// Renders a fault for its caller and sends it; whether the connection can go on.
  ///
  /// Once an answer has begun a fault can only cut it, so that the client sees that it is not complete.
  @discardableResult
  func refuse(_ cause: Fault, _ slot: ExchangeSlot) async -> Bool {
    let fault = isCut ? .cutByDrain : cause
    slot.exchange.fault = fault
    if slot.exchange.rpc != .none { slot.account.rpcStatus = GRPC.status(ofHTTP: fault.status) }
    if fault.status == 499 || slot.account.responseBegan {
      if fault.status == 499 { slot.account.clientGone = true }
      slot.account.requestComplete = true
      socket.close(reset: slot.account.responseBegan && !endsCall(fault, slot))
      return false
    }
    FaultPage.render(fault, into: &slot.exchange)
    return await respond(slot, closing: fault.closes)
  }

  /// Sends `exchange.response`, a local one.
  func respond(_ slot: ExchangeSlot, closing: Bool = false) async -> Bool {
    slot.settleConversation()
    if slot.exchange.fault == nil, let fault = runLocalBodyHooks(slot) { return await refuse(fault, slot) }
    let reusable = beginAnswer(slot, closing: closing)
    return await sendAnswer(slot) && reusable
  }

  /// Runs the hooks of the head and writes it; whether the connection can go on behind the answer.
  func beginAnswer(_ slot: ExchangeSlot, closing: Bool) -> Bool {
    runResponseHooks(slot)
    encodeHeldBody(slot)
    let reusable = consumeRequestBody(slot) && slot.exchange.request.head.keepAlive && !closing && !isLeaving
    let head = slot.exchange.request.method == .head
    worker.encodeLocalResponse(slot, keepAlive: reusable)
    if head {
      slot.exchange.response.stored = nil
    } else {
      slot.reply.append(slot.exchange.response.body.span)
    }
    slot.account.status = slot.exchange.response.head.status
    slot.account.responseBegan = true
    slot.account.isAnsweredHere = true
    return reusable
  }

  /// Sends what `beginAnswer` wrote; false when the client cannot take it.
  func sendAnswer(_ slot: ExchangeSlot) async -> Bool {
    if let fault = await sendReply(slot) {
      slot.exchange.fault = slot.exchange.fault ?? fault
      slot.account.clientGone = fault.status == 499
      return false
    }
    return true
  }

  /// A request without a route still passes the plugins of every route; a head that was refused passes none, as
  /// hooks may read its fields.
  func runResponseHooks(_ slot: ExchangeSlot) {
    if let route = slot.route { return route.chain.runResponseHead(&slot.exchange) }
    if slot.exchange.times.headComplete > 0 { worker.current.commonChain.runResponseHead(&slot.exchange) }
  }

  /// Sends what `reply` holds; a fault when the client cannot take it.
  func sendReply(_ slot: ExchangeSlot) async -> Fault? {
    var deadline = worker.loop.now + worker.limits.bodyTimeout
    var sent = slot.account.bytesOut
    while true {
      switch pushReply(slot) {
      case .sent: return nil
      case .failed: return .clientGone
      case .waiting: break
      }
      if slot.account.bytesOut > sent { deadline = worker.loop.now + worker.limits.bodyTimeout }
      sent = slot.account.bytesOut
      if socket.isWritable { continue }
      let signals = await wait(until: deadline)
      if signals.contains(.deadline), worker.loop.now >= min(deadline, totalDeadline) { return .clientStalled }
    }
  }

  enum ReplyProgress {
    case sent
    case waiting
    case failed
  }

  /// Sends what the client takes now of `reply`, and of the stored body behind it.
  func pushReply(_ slot: ExchangeSlot) -> ReplyProgress {
    let stored = slot.exchange.response.stored
    let total = stored?.count ?? 0
    while slot.replySent < slot.reply.count {
      let result = socket.send(slot.reply.span.extracting(slot.replySent..<slot.reply.count), more: total > 0)
      if result.wouldBlock { return .waiting }
      if result.isError { return .failed }
      slot.replySent += result.count
      slot.account.bytesOut += result.count
    }
    while let stored, slot.storedSent < total {
      let start = slot.storedSent
      let result = stored.withBytes { socket.send($0.extracting(start..<total)) }
      if result.wouldBlock { return .waiting }
      if result.isError { return .failed }
      slot.storedSent += result.count
      slot.account.bytesOut += result.count
    }
    return .sent
  }

  /// Passes over a body that nobody wants when all of it is here already; otherwise the connection must close.
  private func consumeRequestBody(_ slot: ExchangeSlot) -> Bool {
    if slot.account.requestComplete { return true }
    // Nobody knows what follows a head that was refused.
    guard slot.exchange.times.headComplete > 0 else { return false }
    switch slot.exchange.request.head.framing {
    case .none, .length(0): break
    case .length(let count) where slot.exchange.request.buffer.count >= count && !slot.uploadBegan:
      slot.exchange.request.buffer.advance(count)
      slot.account.bytesIn = count
    default: return false
    }
    slot.account.requestComplete = true
    return true
  }
}

/// The one place where a fault becomes an answer: problem+json (RFC 9457), or a status of gRPC for those who speak it.
enum FaultPage {
  static func render(_ fault: Fault, into exchange: inout Exchange) {
    if exchange.rpc != .none { return renderCall(fault, into: &exchange) }
    if exchange.faultShape == .call { return renderCallError(fault, into: &exchange) }
    if exchange.faultShape != .problem { return renderModelError(fault, into: &exchange) }
    exchange.response.begin(status: fault.status)
    exchange.response.addHeader("Content-Type", "application/problem+json")
    exchange.response.addHeader("X-Fault", fault.origin.rawValue)
    if fault.retryAfter > 0 { exchange.response.addHeader("Retry-After", "\(fault.retryAfter)") }
    if fault.status == 405 { exchange.response.addHeader("Allow", exchange.allowed) }
    if fault.status == 426 {
      exchange.response.addHeader("Connection", "Upgrade")
      exchange.response.addHeader("Upgrade", "websocket")
      exchange.response.addHeader("Sec-WebSocket-Version", "\(WebSocketHandshake.version)")
    }
    exchange.response.body.append(#"{"type":"about:blank","title":""#)
    exchange.response.body.append(Status.reason(fault.status))
    exchange.response.body.append(#"","status":"#)
    exchange.response.body.append(decimal: fault.status)
    exchange.response.body.append(#","detail":""#)
    exchange.response.body.append(fault.detail)
    append(note: exchange.faultNote, to: &exchange.response.body)
    exchange.response.body.append(#"","code":""#)
    exchange.response.body.append(fault.code)
    exchange.response.body.append(#"","request_id":""#)
    append(exchange.id, to: &exchange.response.body)
    exchange.response.body.append("\"")
    if !exchange.faultMembers.isEmpty {
      exchange.response.body.append(",")
      append(exchange.faultMembers, to: &exchange.response.body)
    }
    exchange.response.body.append("}\n")
  }

  private static func append(_ id: borrowing ByteBuffer, to body: inout ByteBuffer) { body.append(id.span) }

  /// Goes on with a text of JSON, whose quotes stand already.
  private static func append(note: String, to body: inout ByteBuffer) {
    if note.isEmpty { return }
    var text = ByteBuffer(capacity: note.utf8.count + 2)
    text.append(json: note)
    body.append(" ")
    body.append(text.span.extracting(1..<text.count - 1))
  }
}
