import AI
import HTTP
import JSON
import Kernel
import PluginKit
import Runtime

/// Calls of models: the request is read whole, made the provider's, and carried like any other call.
extension ServerConnection {
  /// Carries an exchange of a route with models; whether the connection can go on.
  func converse(_ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute) async -> Bool {
    if let prompt = models.prompt { return await answer(prompt, slot, route: route, models: models) }
    let front: Front
    var path: (model: String, streams: Bool)?
    var passed: PassedOperation?
    switch ModelEndpoint.find(slot.exchange) {
    case .unknown: return await refuse(.notFound, slot)
    case .list: return await list(slot) { ModelList.render(models.names, into: &$0) }
    case .listed(let name):
      guard models.has(name) else { return await refuse(.unknownModel, slot) }
      return await list(slot) { ModelList.render(one: name, into: &$0) }
    case .files(let path): return await passFile(slot, route: route, models: models, path: path)
    case .realtime: return await passRealtime(slot, route: route, models: models)
    case .generate(let streams):
      guard let model = ModelEndpoint.model(slot.exchange) else { return await refuse(.notFound, slot) }
      if streams, !ModelEndpoint.asksEvents(slot.exchange) {
        return await refuse(Refusal("alt", "A stream is sent as events: ask with `?alt=sse`."), .generate, slot)
      }
      (front, path) = (.generate, (model, streams))
    case .passed(let operation) where operation.takesForm && Self.isForm(&slot.exchange):
      return await converseForm(slot, route: route, models: models, operation)
    case .passed(let operation):
      (front, passed) = (operation.front, operation)
      if front == .generate, let model = ModelEndpoint.model(slot.exchange) { path = (model, false) }
    case .conversation(let spoken): front = spoken
    }
    return await converse(slot, route: route, models: models, front, path: path, passed)
  }

  @inline(never)
  private func list(_ slot: ExchangeSlot, _ render: (inout Exchange) -> Void) async -> Bool {
    guard slot.exchange.request.method == .get || slot.exchange.request.method == .head else {
      slot.exchange.allowed = "GET, HEAD"
      return await refuse(.methodNotAllowed, slot)
    }
    render(&slot.exchange)
    return await respond(slot)
  }

  @inline(never)
  private func converse(
    _ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, _ front: Front, path: (model: String, streams: Bool)?,
    _ operation: PassedOperation?
  ) async -> Bool {
    if let fault = mayConverse(slot, models, front) { return await refuse(fault, slot) }
    let body = BodyCollector(slot.exchange.request.head.framing)
    if let fault = await readBody(slot, into: body) { return await refuse(fault, slot) }
    return await call(slot, route: route, models: models, front, body.take(), path: path, operation)
  }

  private func call(
    _ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, _ front: Front, _ body: [UInt8],
    path: (model: String, streams: Bool)?, _ operation: PassedOperation?
  ) async -> Bool {
    let asked: ModelRequest
    do throws(Refusal) { asked = try ModelRequest(front, body: body, path: path, operation: operation) } catch {
      return await refuse(error, front, slot)
    }
    return await call(slot, route: route, models: models, asked)
  }

  /// Whether the route speaks the dialect, and the request is one.
  func mayConverse(_ slot: ExchangeSlot, _ models: ModelRoute, _ front: Front) -> Fault? {
    guard models.accepts(front) else { return .notFound }
    if slot.exchange.request.method == .post { return nil }
    slot.exchange.allowed = "POST"
    return .methodNotAllowed
  }

  func call(_ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, _ asked: ModelRequest) async -> Bool {
    let choice = models.candidates(for: asked.model, &slot.exchange, &worker.random)
    if choice.candidates.isEmpty { return await refuse(.unknownModel, slot) }
    return await askModels(slot, route: route, models: models, asked, choice)
  }

  /// Tells the client which field cannot be read or said.
  @inline(never)
  func refuse(_ refusal: Refusal, _ front: Front, _ slot: ExchangeSlot) async -> Bool {
    // The operator's own words: the caller of a prompt has said none of them.
    if slot.prompt != nil { return await refuse(.promptUnavailable, slot) }
    slot.exchange.fault = .unreadableConversation
    ModelError.render(refusal.failure, front, .client, into: &slot.exchange)
    return await respond(slot)
  }

  // MARK: The request's body

  /// Reads the whole body; a fault when that failed.
  func readBody(_ slot: ExchangeSlot, into body: BodyCollector) async -> Fault? {
    if takeHeld(&slot.exchange, into: &body.content) {
      slot.prefixLength = slot.upload.received
      return nil
    }
    slot.upload.begin(slot.exchange.request.head.framing, framing: .plain)
    slot.upload.limit = slot.exchange.requestBodyLimit
    slot.uploadBegan = true
    slot.lastProgress = worker.loop.now
    do throws(BodyFlow.Failure) {
      _ = try slot.upload.takePrefix(of: &slot.exchange.request.buffer, into: &body.content)
      if !slot.upload.finished, slot.exchange.request.head.expectsContinue, let fault = await sendContinue(slot) {
        return fault
      }
      while !slot.upload.finished {
        let moved = try slot.upload.advance(
          from: socket, to: body, small: worker.smallBuffers, large: worker.largeBuffers)
        if slot.upload.finished { break }
        if moved { slot.lastProgress = worker.loop.now }
        if socket.isPeerClosed { return .clientGone }
        let deadline = slot.lastProgress + worker.limits.bodyTimeout
        let signals = await wait(until: deadline)
        if isCut { return .cutByDrain }
        if signals.contains(.deadline), worker.loop.now >= deadline { return .bodyTimeout }
      }
    } catch { return uploadFault(error) ?? .clientGone }
    slot.account.bytesIn = slot.upload.received
    slot.account.requestComplete = true
    slot.prefixLength = slot.upload.received
    return nil
  }

  /// Takes the body that was read for a plugin before, and may have been edited; false where none was.
  func takeHeld(_ exchange: inout Exchange, into content: inout ByteBuffer) -> Bool {
    guard exchange.request.holdsBody else { return false }
    content.append(exchange.request.body.span)
    return true
  }

  static func identifier(of slot: ExchangeSlot) -> String { text(slot.exchange.id) }

  private static func text(_ id: borrowing ByteBuffer) -> String {
    String(decoding: Array(copying: id.span), as: UTF8.self)
  }
}
