import AI
import HTTP
import Kernel
import PluginKit
import Runtime

/// Asks one model after the other, until one answers or nobody is left.
extension ServerConnection {
  /// - Parameter candidates: at least one.
  func askModels(
    _ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, _ asked: ModelRequest,
    _ choice: (candidates: [ModelCandidate], timeouts: ModelTimeouts)
  ) async -> Bool {
    if let refusal = beginCall(slot, route, models, asked, choice) { return await refuse(refusal, asked.front, slot) }
    guard let call = slot.conversation else { return await refuse(.unknownModel, slot) }
    call.log = models.settings.log
    if call.log.prompts { call.said = asked.userTexts }
    if let ended = await runModelHooks(slot, asked, call, choice.candidates, route: route, models: models) {
      return ended
    }
    if let total = choice.timeouts.total ?? route.timeouts(of: call.provider.pool).total {
      totalDeadline = slot.exchange.times.headComplete + total
    }
    var fault = Fault.noTarget
    var isFirst = call.content?.edited == nil
    while let candidate = call.takeNext() {
      let request = isFirst ? call.request : prepareNext(slot, route, models, asked, call, candidate)
      isFirst = false
      guard let request else {
        call.note(candidate, "inexpressible")
        continue
      }
      switch call.attempt(candidate, request, now: worker.loop.now) {
      case .refused(let reason): fault = reason
      case .begun(let pass):
        let outcome = await ask(slot, route: route, candidate, call)
        call.tellBreaker(candidate, pass, outcome, now: worker.loop.now)
        guard let outcome else { return slot.keepsConnection }
        guard call.isGivenUp || mayMoveOn(outcome, slot) else { return await refuse(outcome, slot) }
        call.note(candidate, call.isGivenUp ? Self.word(of: call.failure) : "\(outcome.reason)")
        fault = outcome
        setAside(slot, call, outcome)
      }
    }
    if call.isGivenUp, let failure = call.failure { return await tell(failure, slot, call) }
    return await refuse(fault, slot)
  }

  // MARK: What waits for nothing

  // Not inlined: what only these need would stand in the frame of what waits.

  /// Begins the call; why it cannot be said to the first who is to be asked.
  @inline(never)
  private func beginCall(
    _ slot: ExchangeSlot, _ route: WorkerRoute, _ models: ModelRoute, _ asked: ModelRequest,
    _ choice: (candidates: [ModelCandidate], timeouts: ModelTimeouts)
  ) -> Refusal? {
    do throws(Refusal) {
      let request = try asked.prepare(
        for: choice.candidates[0], models.settings.unsupported, isRead: route.chain.readsModelTexts)
      slot.conversation = ConversationCall(
        asked: asked.model, choice.candidates, choice.timeouts, request: request, id: Self.identifier(of: slot))
      return nil
    } catch { return error }
  }

  /// What another is sent, as plugins want it; a repair of a prompt's output too. Nil where it cannot be said there.
  @inline(never)
  private func prepareNext(
    _ slot: ExchangeSlot, _ route: WorkerRoute, _ models: ModelRoute, _ asked: ModelRequest, _ call: ConversationCall,
    _ candidate: ModelCandidate
  ) -> ProviderRequest? {
    var current = call.content?.edited ?? asked
    if let repair = slot.prompt?.repair {
      guard let filtered = try? call.content?.filtered(repair) ?? repair else { return nil }
      current = filtered
    }
    return try? current.prepare(
      for: candidate, models.settings.unsupported, isRead: route.chain.readsModelTexts)
  }

  /// Accounts for an attempt whose answer nobody gets.
  @inline(never)
  private func setAside(_ slot: ExchangeSlot, _ call: ConversationCall, _ fault: Fault) {
    // Who took too long may have worked on it, and says nothing of it any more.
    let isLate = fault.status == 504 && slot.exchange.times.sent > 0
    worker.metrics.count(call.setAside(wasWorkedOn: isLate), of: call)
  }

  // MARK: One after the other

  /// One attempt; nil when the client has its answer.
  private func ask(
    _ slot: ExchangeSlot, route: WorkerRoute, _ candidate: ModelCandidate, _ call: ConversationCall
  ) async -> Fault? {
    let pool = candidate.provider.pool
    prepareRetry(slot)
    slot.history.reset()
    slot.download.reset()
    slot.account.upstream = pool
    pool.upstream.retryBudget.countRequest(now: worker.loop.now)
    ProviderHead.write(call, &slot.exchange, length: bodyLength(slot, call.request), into: &slot.outgoing)
    let body = call.request.body
    BodyFlow.append(body.span, slot.upload.framing, to: &slot.outgoing)
    return await tryTargets(slot, route: route, pool: pool, resuming: nil)
  }

  private func mayMoveOn(_ fault: Fault, _ slot: ExchangeSlot) -> Bool {
    fault.origin == .upstream && !slot.account.responseBegan && isReplayable(slot) && worker.loop.now < totalDeadline
  }

  /// Answers with the failure of the last who was asked.
  @inline(never)
  func tell(_ failure: Failure, _ slot: ExchangeSlot, _ call: ConversationCall) async -> Bool {
    if failure.kind == .authentication { return await refuse(call.keyFault(now: worker.loop.now), slot) }
    if slot.prompt != nil { return await refuse(.modelsFailed(retryAfter: call.retryAfter), slot) }
    slot.exchange.fault = .modelsFailed
    ModelError.render(failure, call.request.front, .upstream, into: &slot.exchange)
    if call.retryAfter > 0 { slot.exchange.response.addHeader("Retry-After", "\(call.retryAfter)") }
    return await respond(slot)
  }

  /// For the call log.
  private static func word(of failure: Failure?) -> String {
    guard let failure else { return "failed" }
    if failure.exceedsContext { return "context" }
    return failure.status >= 400 ? "\(failure.status)" : failure.kind.rawValue
  }
}

extension ModelRequest {
  /// - Parameter isRead: whether guardrails read what is said. What a provider keeps, and does itself, they could not.
  fileprivate func prepare(
    for candidate: ModelCandidate, _ unsupported: ProviderRequest.Unsupported, isRead: Bool
  ) throws(Refusal) -> ProviderRequest {
    let (provider, model) = (candidate.provider.settings, candidate.model.model)
    if asksEmbeddings {
      return try prepareEmbeddings(for: provider.embeddings(model), model: model, unsupported: unsupported)
    }
    let isPassed = front == .responses && candidate.provider.hasResponses && !isRead
    let back: Back = isPassed ? .responses : provider.back
    return try prepare(for: back, model: model, variant: candidate.provider.variant, unsupported: unsupported)
  }
}
