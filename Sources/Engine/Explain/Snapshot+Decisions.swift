import HTTP
import Kernel
import PluginKit

/// What plugins decide on a sample request: their own code, run on instances of their own with nothing remembered.
extension Snapshot {
  /// A plugin that the request has passed so far.
  private struct Step {
    let plugin: (any Plugin)?
    let chain: Chain
    /// Which decision is its own.
    let place: Int
  }

  /// - Parameter sample: as it comes to the route's plugins; they change it as they would on its way.
  func decisions(
    on route: RouteSettings, _ sample: inout SampleExchange, body: [UInt8]
  ) async -> [Explanation.Decision] {
    let services = RehearsalServices(consumers, stores: Set(settings.stores.map(\.name)))
    var decisions: [Explanation.Decision] = []
    var steps: [Step] = []
    var end: String?
    for entry in settings.plugins + route.plugins {
      if let end {
        decisions.append(skipped(entry, services, because: end))
        continue
      }
      let plugin: any Plugin
      do throws(PluginError) {
        guard let made = try plugins.rehearse(entry, services) else { continue }
        plugin = made
      } catch {
        decisions.append(Explanation.Decision(plugin: entry.name, verdict: .unknown, reason: error.message))
        continue
      }
      let step = Step(plugin: plugin, chain: Chain([plugin]), place: decisions.count)
      decisions.append(await decision(of: step, named: entry.name, &sample, services, &end))
      steps.append(step)
    }
    if end == nil, let version = route.version {
      let chain = Chain([], innermost: VersionHooks.make(version))
      if !chain.requestHead.isEmpty {
        let step = Step(plugin: nil, chain: chain, place: decisions.count)
        decisions.append(await decision(of: step, named: "version", &sample, services, &end))
      }
    }
    if end == nil { judgeBody(body, steps, &sample, &decisions) }
    return decisions
  }

  /// Of a plugin that the request does not come to; an answer made before it passes it all the same.
  private func skipped(
    _ entry: PluginEntry, _ services: RehearsalServices, because end: String
  ) -> Explanation.Decision {
    var decision = Explanation.Decision(plugin: entry.name, verdict: .skipped, reason: end)
    if let plugin = try? plugins.rehearse(entry, services), !Chain([plugin]).responseHead.isEmpty {
      decision.add("it acts on the answer all the same")
    }
    return decision
  }

  private func decision(
    of step: Step, named name: String, _ sample: inout SampleExchange, _ services: RehearsalServices,
    _ end: inout String?
  ) async -> Explanation.Decision {
    services.question = nil
    let before = sample.exchange.identity
    let verdict = await step.chain.runRequestHead(&sample.exchange)
    var decision = Explanation.Decision(plugin: name, verdict, sample.exchange)
    decision.reason = step.plugin?.reason(for: verdict, of: sample.exchange) ?? decision.reason
    if let identity = sample.exchange.identity, identity !== before { decision.add(identity.words) }
    if step.chain.requestHead.isEmpty, step.chain.requestBody.isEmpty { decision.add("it acts on answers only") }
    switch services.question {
    case .store?:
      // Without its store it goes by what it knows itself, and so do those behind it.
      decision.become(.unknown, "it would ask \(services.question?.text ?? ""), which was not done")
    case .upstream?:
      decision.become(.unknown, "it would ask \(services.question?.text ?? ""), which was not done")
      if case .fail = verdict { end = "depends on what \(name) decides" }
    case nil: if decision.verdict != .pass { end = "\(name) has decided" }
    }
    return decision
  }

  /// Body hooks come after all head hooks, in the same order; the first that does not let the body pass decides.
  private func judgeBody(
    _ body: [UInt8], _ steps: [Step], _ sample: inout SampleExchange, _ decisions: inout [Explanation.Decision]
  ) {
    guard sample.exchange.rpc == .none, !sample.exchange.request.head.asksUpgrade else { return }
    var isHeld = false
    for step in steps where !step.chain.requestBody.isEmpty {
      guard let wish = step.chain.wishForRequestBody(&sample.exchange) else { continue }
      if body.count > min(wish.limit, sample.exchange.requestBodyLimit) {
        return decide(.fail(.bodyTooLarge), step, sample, &decisions)
      }
      if !isHeld { sample.hold(body) }
      isHeld = true
      let verdict = step.chain.runRequestBody(&sample.exchange)
      guard case .proceed = verdict else { return decide(verdict, step, sample, &decisions) }
    }
  }

  private func decide(
    _ verdict: Verdict, _ step: Step, _ sample: borrowing SampleExchange, _ decisions: inout [Explanation.Decision]
  ) {
    var decision = Explanation.Decision(plugin: decisions[step.place].plugin, verdict, sample.exchange)
    if let reason = step.plugin?.reason(for: verdict, of: sample.exchange) { decision.reason = reason }
    decision.add("by the body")
    decisions[step.place] = decision
  }
}

extension Explanation.Decision {
  fileprivate init(plugin: String, _ verdict: PluginKit.Verdict, _ exchange: borrowing Exchange) {
    self.init(plugin: plugin, verdict: .pass, reason: "")
    switch verdict {
    case .proceed: break
    case .respond:
      self.verdict = .answer
      status = exchange.response.head.status
    case .fail(let fault):
      self.verdict = .refuse
      status = fault.status
      code = "\(fault.reason)"
      reason = exchange.faultMembers.isEmpty ? "\(fault.detail)" : String(exchange.faultMembers.span)
    }
  }

  fileprivate mutating func add(_ words: String) { reason += (reason.isEmpty ? "" : "; ") + words }

  fileprivate mutating func become(_ verdict: Verdict, _ why: String) {
    self.verdict = verdict
    status = nil
    code = nil
    add(why)
  }
}

extension Identity {
  /// Who it is, for people.
  fileprivate var words: String {
    var words: [String] = []
    if let consumer { words.append("consumer \(consumer)") }
    if let user { words.append("user \(user)") }
    if !groups.isEmpty { words.append("groups \(groups.joined(separator: ", "))") }
    if !scopes.isEmpty { words.append("scopes \(scopes.joined(separator: ", "))") }
    return words.isEmpty ? "a caller without a name" : "it is " + words.joined(separator: ", ")
  }
}
