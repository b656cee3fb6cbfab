import AI
import HTTP
import Kernel
import PluginKit
import Runtime

/// What goes to a provider as it is: files, to the one that keeps them, and realtime conversations.
extension ServerConnection {
  // MARK: Files

  func passFile(_ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, path: String) async -> Bool {
    guard models.accepts(.chat), let provider = models.fileKeeper else { return await refuse(.notFound, slot) }
    switch slot.exchange.request.method {
    case .get, .head, .post, .delete: break
    default:
      slot.exchange.allowed = "GET, HEAD, POST, DELETE"
      return await refuse(.methodNotAllowed, slot)
    }
    let query = PassedQuery.text(&slot.exchange)
    let target = provider.target(of: path, query: query.isEmpty ? [] : [query])
    switch begin(provider, model: path, { ProviderPass(provider, key: $0, target: target) }) {
    case .refused(let fault): return await refuse(fault, slot)
    case .begun(let pass):
      guard let fault = await self.pass(pass, slot, route: route) else { return slot.keepsConnection }
      return await refuse(fault, slot)
    }
  }

  // MARK: Realtime

  func passRealtime(_ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute) async -> Bool {
    guard models.accepts(.chat), models.settings.realtime else { return await refuse(.notFound, slot) }
    if let fault = checkUpgrade(slot) { return await refuse(fault, slot) }
    guard slot.asksWebSocket else {
      return await refuse(Refusal(nil, "`/v1/realtime` is spoken over WebSocket."), .chat, slot)
    }
    if route.chain.readsModelTexts { return await refuse(.unreadableRealtime, slot) }
    guard let name = PassedQuery.model(&slot.exchange) else {
      return await refuse(Refusal("model", "`model` is missing in the query."), .chat, slot)
    }
    let choice = models.candidates(for: name, &slot.exchange, &worker.random)
    if choice.candidates.isEmpty { return await refuse(.unknownModel, slot) }
    let able = choice.candidates.filter {
      $0.provider.settings.speaks == .openai || $0.provider.settings.speaks == .azure
    }
    guard let first = able.first else {
      return await refuse(Refusal("model", "The provider of this model has no realtime conversations."), .chat, slot)
    }
    let plan = ModelCall.realtime(name, first)
    switch await route.chain.runModelCall(plan, &slot.exchange) {
    case .proceed: break
    case .respond: return await end(plan) { await respond(slot) }
    case .fail(let fault): return await end(plan) { await refuse(fault, slot) }
    }
    var fault = Fault.noTarget
    for candidate in able {
      switch begin(candidate.provider, model: candidate.model.model, { candidate.realtime(name, $0, &slot.exchange) }) {
      case .refused(let reason): fault = reason
      case .begun(let pass):
        pass.plan = plan
        guard let reason = await self.pass(pass, slot, route: route) else { return slot.keepsConnection }
        fault = reason
        if fault.origin != .upstream || slot.account.responseBegan { return await refuse(fault, slot) }
      }
    }
    return await end(plan) { await refuse(fault, slot) }
  }

  private func end(_ plan: ModelCall, _ answer: () async -> Bool) async -> Bool {
    plan.settle(ModelOutcome())
    return await answer()
  }

  // MARK: Either

  private enum Beginning {
    case begun(ProviderPass)
    case refused(Fault)
  }

  /// Takes a key of the provider's.
  private func begin(
    _ provider: ModelProvider, model: String, _ make: (String?) -> ProviderPass
  ) -> Beginning {
    let now = worker.loop.now
    switch provider.key(for: model, now: now) {
    case .keyless: return .begun(make(nil))
    case .key(let key): return .begun(make(key))
    case .none(let until):
      var fault = Fault.noUsableKey
      fault.retryAfter = max(1, (until - now + 999_999_999) / 1_000_000_000)
      return .refused(fault)
    }
  }

  /// Carries the request there and the answer back, as any other's; nil when the client has the whole answer.
  private func pass(_ pass: ProviderPass, _ slot: ExchangeSlot, route: WorkerRoute) async -> Fault? {
    let pool = pass.provider.pool
    if slot.pass != nil { prepareRetry(slot) }
    slot.pass = pass
    slot.history.reset()
    slot.download.reset()
    if let total = route.timeouts(of: pool).total { totalDeadline = slot.exchange.times.headComplete + total }
    slot.account.upstream = pool
    pool.upstream.retryBudget.countRequest(now: worker.loop.now)
    let framing = slot.exchange.request.head.framing
    slot.upload.begin(framing, framing: framing == .chunked ? .chunked : .plain)
    slot.upload.limit = slot.exchange.requestBodyLimit
    slot.uploadBegan = true
    pass.writeHead(&slot.exchange, asksWebSocket: slot.asksWebSocket, into: &slot.outgoing)
    do throws(BodyFlow.Failure) {
      _ = try slot.upload.takePrefix(of: &slot.exchange.request.buffer, into: &slot.outgoing)
    } catch { return uploadFault(error) ?? .clientGone }
    slot.account.bytesIn = slot.upload.received
    slot.account.requestComplete = slot.upload.finished
    slot.prefixLength = slot.upload.received
    return await tryTargets(slot, route: route, pool: pool, resuming: nil)
  }
}

extension ModelCall {
  /// A conversation whose length nobody knows before: limits set aside what they do for any answer.
  fileprivate static func realtime(_ asked: String, _ candidate: ModelCandidate) -> ModelCall {
    let price = candidate.provider.price(of: candidate.model.model)
    return ModelCall(
      asked: asked, provider: candidate.model.provider, model: candidate.model.model, streams: true, inputTokens: 1,
      outputTokens: nil, price: price.map { TokenPrice(input: $0.input, output: $0.output) })
  }
}

extension ModelCandidate {
  fileprivate func realtime(_ asked: String, _ key: String?, _ exchange: inout Exchange) -> ProviderPass {
    let name = PassedQuery.encoded(model.model)
    let rest = PassedQuery.text(&exchange, without: "model")
    let said =
      [provider.settings.speaks == .azure ? "deployment=\(name)" : "model=\(name)"] + (rest.isEmpty ? [] : [rest])
    return ProviderPass(
      provider, key: key, target: provider.target(of: "/realtime", query: said), asked: asked, model: model.model)
  }
}

extension ModelProvider {
  /// The path behind the provider's own, and the query.
  fileprivate func target(of path: String, query: [String]) -> String {
    guard settings.speaks == .azure else { return path + (query.isEmpty ? "" : "?" + query.joined(separator: "&")) }
    return "/openai\(path)?" + (["api-version=\(settings.apiVersion ?? "")"] + query).joined(separator: "&")
  }
}
