import Configuration
import HTTP
import Kernel
import PluginKit

extension Snapshot {
  /// At most so many candidates are told of.
  private static let toldCandidates = 20

  /// Says what would become of a request: its route, plugins and upstream, and why no other route takes it.
  public func explain(_ request: SampleRequest) async throws(ExplanationError) -> Explanation {
    if let mistake = request.mistake { throw ExplanationError(description: mistake) }
    let listener = try listener(for: request)
    var explanation = Explanation(method: request.method, listener: listener.name)
    do throws(HTTPError) {
      var sample = try SampleExchange(
        request, limits: settings.limits, listener: listenerIndices[listener.name] ?? 0)
      explanation.path = sample.path
      explanation.host = sample.host
      switch sample.form {
      case .authority: explanation.refusal = Explanation.Refusal(.tunnelRefused)
      case .asterisk: explanation.answer = "204 by the gateway itself, Allow: \(table.serverMethods)"
      case .origin, .absolute: try await explain(&sample, request, &explanation)
      }
    } catch {
      explanation.refusal = Explanation.Refusal(.malformedRequest(error))
    }
    return explanation
  }

  private func listener(for request: SampleRequest) throws(ExplanationError) -> ListenerSettings {
    if let name = request.listener {
      if let found = settings.listeners.first(where: { $0.name == name }) { return found }
      let names = settings.listeners.map(\.name)
      throw ExplanationError(
        description: "there is no listener `\(name)`: the file has \(names.joined(separator: ", "))")
    }
    let named = request.port.flatMap { port in
      settings.listeners.first { if case .ip(_, port) = $0.address { true } else { false } }
    }
    guard let listener = named ?? settings.listeners.first else {
      throw ExplanationError(description: "the file has no listener")
    }
    return listener
  }

  private func explain(
    _ sample: inout SampleExchange, _ request: SampleRequest, _ explanation: inout Explanation
  ) async throws(HTTPError) {
    switch sample.match(table) {
    case .notFound: explanation.refusal = Explanation.Refusal(.notFound)
    case .methodNotAllowed(let methods):
      let allowed = table.methodNames(methods).joined(separator: ", ")
      explanation.refusal = Explanation.Refusal(.methodNotAllowed, note: " Here: \(allowed).")
    case .route(let pattern, let path, _):
      let route = settings.routes[Int(routeOfPattern[pattern])]
      addCandidates(sample, &explanation, taken: route.name)
      let refusal = sample.traits.refusal(by: route)
      if refusal == nil, sample.traits.hasEmptySegment, route.emptySegments == .keep { try sample.keepEmptySegments() }
      let way = way(sample, pattern: pattern, path: path)
      explanation.way = way
      if let refusal {
        explanation.refusal = Explanation.Refusal(.malformedRequest(refusal))
      } else if request.body.count > way.requestBody {
        explanation.refusal = Explanation.Refusal(.bodyTooLarge)
      } else {
        sample.enter(route: Int(routeOfPattern[pattern]), route.name, table.patterns[pattern].paths[path], way)
        explanation.decisions = await decisions(on: route, &sample, body: request.body)
        explanation.end()
      }
      return
    }
    addCandidates(sample, &explanation, taken: nil)
  }

  private func way(
    _ sample: borrowing SampleExchange, pattern: Int, path: Int
  ) -> Explanation.Way {
    let route = settings.routes[Int(routeOfPattern[pattern])]
    let template = table.patterns[pattern].paths[path]
    let bytes = Array(sample.path.utf8)
    let parameters = sample.exchange.parameters
    let values = template.parameterNames.enumerated().map { index, name in
      (name: name, value: String(decoding: bytes[parameters[index]], as: UTF8.self))
    }
    var forward: Explanation.Forward?
    if let (index, split) = destination(of: route, sample) {
      let upstream = settings.upstreams[index]
      var timeouts = upstream.timeouts
      timeouts.connect = route.timeouts?.connect ?? timeouts.connect
      timeouts.firstByte = route.timeouts?.firstByte ?? timeouts.firstByte
      timeouts.idle = route.timeouts?.idle ?? timeouts.idle
      timeouts.total = route.timeouts?.total ?? timeouts.total
      forward = Explanation.Forward(
        split: split, upstream: upstream, method: String(sample.exchange.request.methodText),
        target: sample.target(after: route.rewrite.map { Rewrite($0) }), host: route.rewrite?.host ?? sample.host,
        timeouts: timeouts)
    }
    return Explanation.Way(
      route: route, template: "\(template)", parameters: values,
      plugins: (settings.plugins + route.plugins).map(\.name),
      requestBody: route.limits?.requestBody ?? settings.limits.requestBody, forward: forward)
  }

  /// The upstream of a request, and how a split has come to it; nil when the gateway answers by itself.
  private func destination(of route: RouteSettings, _ sample: borrowing SampleExchange) -> (Int, split: String?)? {
    switch route.handler {
    case .upstream(let index): return (index, nil)
    case .respond, .redirect, .models: return nil
    case .split(let split):
      let shares = WeightedShares(split.to.map(\.weight))
      let parts = split.to.map { "\(settings.upstreams[$0.upstream].name) \($0.weight)" }
      let text = "by \(split.by.text) among \(parts.joined(separator: ", "))"
      var index = shares.largest
      if case .value(let value) = split.by, let hash = value.hash(in: sample.exchange, seed: UpstreamSplit.seed) {
        index = shares.index(of: hash)
      }
      return (split.to[index].upstream, text)
    }
  }

  /// Adds the routes that were not taken: those whose path fits, and of the others how many there are.
  private func addCandidates(
    _ sample: borrowing SampleExchange, _ explanation: inout Explanation, taken: String?
  ) {
    var told: Set<Int32> = []
    var found: [(order: Int, candidate: Explanation.Candidate)] = []
    for verdict in sample.explain(table) {
      let index = routeOfPattern[verdict.route]
      let route = settings.routes[Int(index)]
      guard verdict.verdict != .path, verdict.verdict != .chosen, route.name != taken,
        told.insert(index).inserted
      else { continue }
      let pattern = table.patterns[verdict.route]
      found.append(
        (
          order: verdict.verdict.closeness,
          candidate: Explanation.Candidate(
            route: route.name, position: route.position, template: verdict.path.map { "\(pattern.paths[$0])" },
            reason: reason(verdict.verdict, pattern, explanation))
        ))
    }
    found.sort { $0.order > $1.order }
    explanation.candidates = found.prefix(Self.toldCandidates).map(\.candidate)
    explanation.others = settings.routes.count - explanation.candidates.count - (taken == nil ? 0 : 1)
  }

  private func reason(
    _ verdict: RouteExplanation.Verdict, _ pattern: RoutePattern, _ explanation: Explanation
  ) -> String {
    switch verdict {
    case .chosen: "it is the one"
    case .path: "its path does not match"
    case .listener: "it is not on listener \(explanation.listener)"
    case .host: "it is for \(pattern.hosts.joined(separator: ", ")), not for \(explanation.host)"
    case .method: "it takes \(pattern.methods.joined(separator: ", ")), not \(explanation.method)"
    case .header(let name): "it asks for the field \(condition(name, pattern.headers))"
    case .query(let name): "it asks for the query parameter \(condition(name, pattern.query))"
    case .lessSpecific(let winner):
      "it matches too, but \(settings.routes[Int(routeOfPattern[winner])].name) is more specific"
    }
  }

  private func condition(_ name: String, _ conditions: [RouteCondition]) -> String {
    guard let value = conditions.first(where: { $0.name == name })?.value else { return name }
    return "\(name): \(value)"
  }
}

extension RouteExplanation.Verdict {
  /// How far the route got.
  fileprivate var closeness: Int {
    switch self {
    case .chosen: 7
    case .lessSpecific: 6
    case .method: 5
    case .query: 4
    case .header: 3
    case .host: 2
    case .listener: 1
    case .path: 0
    }
  }
}

extension Explanation {
  /// Draws the conclusion from what a plugin has decided.
  fileprivate mutating func end() {
    for decision in decisions {
      switch decision.verdict {
      case .pass, .unknown, .skipped: continue
      case .refuse:
        refusal = Refusal(
          status: decision.status ?? 0, code: decision.code ?? "", detail: decision.reason, plugin: decision.plugin)
      case .answer: answer = "\(decision.status ?? 0) by the plugin \(decision.plugin)"
      }
      return
    }
  }
}

extension Explanation.Refusal {
  init(_ fault: Fault, note: String = "") {
    self.init(status: fault.status, code: "\(fault.reason)", detail: "\(fault.detail)\(note)")
  }
}
