import AI
import HTTP
import Kernel
import PluginKit
import Runtime

/// Calls of prompts: inputs in, one call of a model or two, output out.
extension ServerConnection {
  /// Carries an exchange of a route with a prompt; whether the connection can go on.
  func answer(_ prompt: Prompt, _ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute) async -> Bool {
    guard slot.exchange.request.method == .post else {
      slot.exchange.allowed = "POST"
      return await refuse(.methodNotAllowed, slot)
    }
    guard let version = prompt.version(Self.version(slot.exchange)) else {
      return await refuse(.unknownPromptVersion, slot)
    }
    let call = PromptCall(version, prompt.answers)
    call.outcome = .rejected
    slot.prompt = call
    let body = BodyCollector(slot.exchange.request.head.framing)
    if let fault = await readBody(slot, into: body) { return await refuse(fault, slot) }
    switch version.read(body.bytes) {
    case .malformed: return await refuse(.unreadableInputs, slot)
    case .violated(let violations):
      slot.exchange.faultMembers.append("\"violations\":")
      slot.exchange.faultMembers.append(violations.span)
      return await refuse(.invalidInputs, slot)
    case .values(let values):
      call.outcome = .failed
      guard let asked = call.begin(values, consumer: slot.exchange.consumer) else {
        return await refuse(.promptUnavailable, slot)
      }
      if version.settings.cache != nil { slot.exchange.cacheUse = .miss }
      if let kept = call.kept(now: worker.loop.now) {
        slot.exchange.cacheUse = .hit
        return await respond(kept, slot)
      }
      let choice = models.candidates(for: asked.model, &slot.exchange, &worker.random)
      if choice.candidates.isEmpty { return await refuse(.promptUnavailable, slot) }
      return await askModels(slot, route: route, models: models, asked, choice)
    }
  }

  /// The version that the path names.
  private static func version(_ exchange: borrowing Exchange) -> String? {
    guard let index = exchange.route?.parameterNames.firstIndex(of: "version"), index < exchange.parameters.count
    else { return nil }
    let text = exchange.path.extracting(exchange.parameters[index])
    return String(decoding: text.indices.map { text[$0] }, as: UTF8.self)
  }

  /// Takes the whole answer of a model to a prompt.
  ///
  /// - Parameter retryAfter: seconds, where the provider said so.
  func answer(
    _ prompt: PromptCall, _ slot: ExchangeSlot, _ call: ConversationCall, _ answer: [UInt8], _ retryAfter: Int?
  ) async -> AttemptOutcome {
    if call.answer.failure != nil {
      slot.keepsConnection = await refuse(.modelsFailed(retryAfter: retryAfter ?? 0), slot)
      return .done
    }
    switch prompt.take(answer, now: worker.loop.now) {
    case .again:
      worker.metrics.count(call.setAside(wasWorkedOn: true), of: call)
      call.askAgain()
      return .fault(.invalidOutput)
    case .invalid: slot.keepsConnection = await refuse(.invalidOutput, slot)
    case .output(let output): slot.keepsConnection = await respond(output, slot)
    }
    return .done
  }

  private func respond(_ output: PromptOutput, _ slot: ExchangeSlot) async -> Bool {
    slot.exchange.response.begin(status: 200)
    slot.exchange.response.addHeader("Content-Type", "application/json")
    if slot.exchange.cacheUse != .none {
      slot.exchange.response.addHeader("X-Cache", "\(slot.exchange.cacheUse.word)")
    }
    let body = output.body
    slot.exchange.response.body.append(body.span)
    return await respond(slot)
  }
}

extension Fault {
  /// The same with what the provider said of when to ask again.
  static func modelsFailed(retryAfter: Int) -> Fault {
    var fault = modelsFailed
    fault.retryAfter = retryAfter
    return fault
  }
}
