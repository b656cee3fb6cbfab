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
    switch ModelEndpoint.find(slot.exchange) {
    case .unknown: return await refuse(.notFound, slot)
    case .list:
      guard slot.exchange.request.method == .get || slot.exchange.request.method == .head else {
        slot.exchange.allowed = "GET, HEAD"
        return await refuse(.methodNotAllowed, slot)
      }
      ModelList.render(models.names, into: &slot.exchange)
      return await respond(slot)
    case .generate(let streams):
      guard let model = ModelEndpoint.model(slot.exchange) else { return await refuse(.notFound, slot) }
      if streams, !ModelEndpoint.asksEvents(slot.exchange) {
        return await refuse(Refusal("alt", "A stream is sent as events: ask with `?alt=sse`."), .generate, slot)
      }
      return await converse(slot, route: route, models: models, .generate, path: (model, streams))
    case .conversation(let front):
      return await converse(slot, route: route, models: models, front, path: nil)
    }
  }

  private func converse(
    _ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, _ front: Front, path: (String, Bool)?
  ) async -> Bool {
    guard models.accepts(front) else { return await refuse(.notFound, slot) }
    guard slot.exchange.request.method == .post else {
      slot.exchange.allowed = "POST"
      return await refuse(.methodNotAllowed, slot)
    }
    let body = BodyCollector()
    if let fault = await readBody(slot, into: body) { return await refuse(fault, slot) }
    return await call(slot, route: route, models: models, front, body.bytes, path: path)
  }

  private func call(
    _ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, _ front: Front, _ body: [UInt8],
    path: (String, Bool)?
  ) async -> Bool {
    do throws(Refusal) {
      let asked = try ModelRequest(front, body: body, path: path)
      guard let (provider, model) = models.find(asked.model) else { return await refuse(.unknownModel, slot) }
      let request = try asked.prepare(
        for: provider.settings.dialect, model: model.model, unsupported: models.settings.unsupported)
      slot.conversation = ConversationCall(
        asked: asked.model, model: model, provider: provider, request: request, id: Self.text(slot.exchange.id))
    } catch { return await refuse(error, front, slot) }
    guard let call = slot.conversation else { return await refuse(.unknownModel, slot) }
    let pool = call.provider.pool
    if let total = route.timeouts(of: pool).total { totalDeadline = slot.exchange.times.headComplete + total }
    slot.account.upstream = pool
    pool.upstream.retryBudget.countRequest(now: worker.loop.now)
    ProviderHead.write(call, &slot.exchange, into: &slot.outgoing)
    let sent = call.request.body
    slot.outgoing.append(sent.span)
    slot.prefixLength = slot.upload.received
    guard let fault = await tryTargets(slot, route: route, pool: pool, resuming: nil) else {
      return slot.keepsConnection
    }
    return await refuse(fault, slot)
  }

  /// Tells the client which field cannot be read or said.
  private func refuse(_ refusal: Refusal, _ front: Front, _ slot: ExchangeSlot) async -> Bool {
    slot.exchange.fault = .unreadableConversation
    ModelError.render(refusal.failure, front, .client, into: &slot.exchange)
    return await respond(slot)
  }

  // MARK: The request's body

  /// Reads the whole body; a fault when that failed.
  private func readBody(_ slot: ExchangeSlot, into body: BodyCollector) async -> Fault? {
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
    return nil
  }

  /// Who asks before it sends is told to (RFC 9110 §10.1.1): nobody else will.
  private func sendContinue(_ slot: ExchangeSlot) async -> Fault? {
    slot.reply.append("HTTP/1.1 100 Continue\r\n\r\n")
    slot.account.headBytesOut += slot.reply.count
    let fault = await sendReply(slot)
    slot.reply.removeAll()
    slot.replySent = 0
    return fault
  }

  private static func text(_ id: borrowing ByteBuffer) -> String {
    let span = id.span
    return String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
  }
}

/// The head of a request as a provider gets it.
private enum ProviderHead {
  static func write(_ call: ConversationCall, _ exchange: inout Exchange, into out: inout ByteBuffer) {
    out.removeAll()
    guard let url = call.provider.settings.url else { return }
    out.append("POST ")
    out.append(url.path)
    switch call.request.back {
    case .openai: out.append("/chat/completions")
    case .anthropic: out.append("/v1/messages")
    case .gemini:
      out.append("/v1beta/models/")
      out.append(call.model.model)
      out.append(call.request.streams ? ":streamGenerateContent?alt=sse" : ":generateContent")
    }
    out.append(" HTTP/1.1\r\nHost: ")
    out.append(url.host)
    out.append("\r\nContent-Type: application/json\r\nAccept-Encoding: identity\r\nAccept: ")
    out.append(call.request.streams ? "text/event-stream" : "application/json")
    out.append("\r\nUser-Agent: sluice\r\nX-Request-Id: ")
    append(exchange.id, to: &out)
    out.append("\r\n")
    writeKey(call, exchange, into: &out)
    out.append("Content-Length: ")
    out.append(decimal: call.request.body.count)
    out.append("\r\n\r\n")
  }

  private static func writeKey(_ call: ConversationCall, _ exchange: borrowing Exchange, into out: inout ByteBuffer) {
    let key = call.provider.nextKey()
    switch call.request.back {
    case .gemini:
      if let key { field("x-goog-api-key", key, to: &out) }
    case .openai:
      if let key { field("Authorization", "Bearer \(key)", to: &out) }
    case .anthropic:
      if let key { field("x-api-key", key, to: &out) }
      // A client of the same dialect knows which version it speaks, and which features it tries.
      let given = call.request.isNative ? exchange.request.header(named: "anthropic-version") : nil
      out.append("anthropic-version: ")
      if let given { out.append(given) } else { out.append("2023-06-01") }
      out.append("\r\n")
      if call.request.isNative, let beta = exchange.request.header(named: "anthropic-beta") {
        out.append("anthropic-beta: ")
        out.append(beta)
        out.append("\r\n")
      }
    }
  }

  private static func field(_ name: StaticString, _ value: String, to out: inout ByteBuffer) {
    out.append(name)
    out.append(": ")
    out.append(value)
    out.append("\r\n")
  }

  private static func append(_ id: borrowing ByteBuffer, to out: inout ByteBuffer) { out.append(id.span) }
}
