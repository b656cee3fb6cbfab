import AI
import Detection
import PluginKit

/// What a call came to in the end, and telling the plugins that reserved something for it.
extension ConversationCall {
  /// Whether the tokens that are noted are the provider's own or an estimate.
  struct Settlement {
    var usage = Usage()
    var isEstimated = false
    /// In billionths of a USD; nil when the model has no price, or nothing was used.
    var cost: Int?

    static func += (sum: inout Settlement, more: Settlement) {
      sum.usage += more.usage
      sum.isEstimated = sum.isEstimated || more.isEstimated
      if let cost = more.cost { sum.cost = min(.max / 4, (sum.cost ?? 0) + cost) }
    }
  }

  /// Fixes what was used, and settles it, once. The call is over: its client must not know that before the limits do, or
  /// its next call could be refused for what this one had reserved.
  ///
  /// - Parameters:
  ///   - wasSent: whether the provider had the whole request.
  ///   - clientGone: whether the call was given up because nobody waits for it any more.
  func settle(wasSent: Bool, clientGone: Bool) {
    if isSettled { return }
    isSettled = true
    if isKept {
      plan?.settle(ModelOutcome(isHit: true))
      return
    }
    if !isWithheld, let answer = answer.recorded { plan?.keep(KeptModelAnswer(answer)) }
    if isOpen, request.operation?.isFree != true {
      last = priced(Self.settlement(of: answer, input: size, wasSent: wasSent && clientGone))
    }
    settlement = last
    settlement += earlier
    let usage = settlement.usage
    plan?.settle(
      ModelOutcome(
        inputTokens: usage.input, outputTokens: usage.output, cost: cost, isEstimated: settlement.isEstimated))
  }

  /// The provider's own counts if it came to say them; else what was sent and what has come, by their length.
  ///
  /// A call that the provider refused used nothing.
  static func settlement(of answer: borrowing ProviderAnswer, input: Int, wasSent: Bool) -> Settlement {
    let said = answer.usage
    if answer.isOver, answer.failure == nil, !said.isEmpty { return Settlement(usage: said) }
    let isComplete = answer.isOver && answer.failure == nil
    guard isComplete || answer.written > 0 || !said.isEmpty || (wasSent && answer.failure == nil) else {
      return Settlement()
    }
    var usage = said
    if usage.input == 0 { usage.input = input }
    usage.output = max(usage.output, TokenEstimate.tokens(ofBytes: answer.written))
    return Settlement(usage: usage, isEstimated: true)
  }
}

extension ConversationCall {
  /// Notes that the answer was withheld, or ended, for a rule; the fault that it is.
  func deny(_ rule: BrokenRule, _ exchange: inout Exchange) -> Fault {
    plan?.answerWasDenied(rule)
    exchange.brokenRule = rule.name
    exchange.faultNote = rule.note
    return .answerDenied
  }
}

extension ExchangeSlot {
  /// Settles the call of a model, if there is one.
  func settleConversation() {
    conversation?.settle(wasSent: exchange.times.sent > 0, clientGone: account.clientGone)
  }

  /// Settles what was passed to a provider as it is, once it is over.
  func settlePass() {
    pass?.settle()
  }
}

extension ServerConnection {
  /// What a stream that has ended in an error event counts as.
  func noteFailure(_ slot: ExchangeSlot, _ call: ConversationCall) {
    if let rule = call.answer.broken {
      slot.exchange.fault = call.deny(rule, &slot.exchange)
    } else if call.answer.failure != nil {
      slot.exchange.fault = .upstreamTruncated
    }
  }

  /// Lets the plugins see the call; whether the connection can go on if one of them answered it, nil to go ahead.
  ///
  /// A call may end with any of its candidates, so the highest of their prices is what it may cost.
  func runModelHooks(
    _ slot: ExchangeSlot, _ asked: ModelRequest, _ call: ConversationCall, _ candidates: [ModelCandidate],
    route: WorkerRoute, models: ModelRoute
  ) async -> Bool? {
    call.size = asked.inputTokens
    if route.chain.modelCall.isEmpty { return nil }
    let prices = candidates.compactMap { $0.provider.price(of: $0.model.model) }
    let content = AskedContent(asked, isPrompt: slot.prompt != nil, isStored: asked.isStored(by: call.request.back))
    let plan = ModelCall(
      asked: call.asked, provider: call.model.provider, model: call.model.model, streams: asked.streams,
      inputTokens: call.size, outputTokens: asked.outputTokens(for: call.request.back),
      price: prices.isEmpty
        ? nil : TokenPrice(input: prices.map(\.input).max() ?? 0, output: prices.map(\.output).max() ?? 0),
      asks: content, asker: ModelAsker(worker, models))
    call.content = content
    call.plan = plan
    switch await route.chain.runModelCall(plan, &slot.exchange) {
    case .proceed:
      guard let kept = plan.kept as? KeptModelAnswer else { return nil }
      return await replay(kept, slot, call)
    case .respond:
      call.isKept = slot.exchange.cacheUse == .hit
      return await respond(slot)
    case .fail(let fault): return await refuse(fault, slot)
    }
  }
}
