import Configuration
import Engine
import JSON
import Kernel

/// Routes and upstreams as they are now.
extension AdminHandler {
  func routesAnswer(_ request: AdminRequest) -> AdminAnswer {
    let routes = gateway.snapshot.settings.routes
    guard let offset = request.query.number("offset", default: 0, in: 0...routes.count),
      let limit = request.query.number("limit", default: 1000, in: 1...10_000)
    else { return AdminAnswer(.badRequest("`offset` and `limit` are whole numbers."), id: request.id) }
    var json = JSONWriter(capacity: 16 << 10)
    json.object {
      $0.member("total", routes.count)
      $0.member("offset", offset)
      $0.array("routes") {
        for route in routes.dropFirst(offset).prefix(limit) { $0.object { write(route, to: &$0) } }
      }
    }
    return AdminAnswer(json: json)
  }

  private func write(_ route: RouteSettings, to json: inout JSONWriter) {
    json.member("name", route.name)
    json.member("place", "\(route.position.file):\(route.position.line)")
    json.array("match") {
      for match in route.matches {
        $0.object {
          $0.strings("paths", match.paths)
          $0.strings("methods", match.methods)
          $0.strings("hosts", match.hosts)
          $0.strings("listeners", match.listeners)
          $0.strings("headers", match.headers.map { $0.text(separator: ": ") })
          $0.strings("query", match.query.map { $0.text(separator: "=") })
        }
      }
    }
    json.array("plugins") {
      for plugin in gateway.snapshot.settings.plugins + route.plugins { $0.value(plugin.name) }
    }
    switch route.handler {
    case .upstream(let index): json.member("upstream", gateway.snapshot.settings.upstreams[index].name)
    case .split(let split):
      json.array("split") {
        for share in split.to {
          $0.object {
            $0.member("upstream", gateway.snapshot.settings.upstreams[share.upstream].name)
            $0.member("weight", share.weight)
          }
        }
      }
    case .respond(let answer): json.object("respond") { $0.member("status", answer.status) }
    case .models(let models):
      json.object("ai") { write(models, to: &$0) }
    case .redirect(let answer):
      json.object("redirect") {
        $0.member("status", answer.status)
        $0.member("location", answer.location)
      }
    }
  }

  private func write(_ models: ModelRouteSettings, to json: inout JSONWriter) {
    if let prompt = models.prompt { return json.member("prompt", prompt) }
    if models.describesPrompts { return json.member("openapi", true) }
    json.strings("accept", models.accept.map(\.rawValue))
  }

  func upstreamsAnswer() async -> AdminAnswer {
    let snapshot = gateway.snapshot
    let figures = await gateway.upstreamFigures()
    var json = JSONWriter(capacity: 4 << 10)
    json.object {
      $0.array("upstreams") {
        for upstream in snapshot.upstreams {
          let known = figures[upstream.settings.name] ?? UpstreamFigures()
          $0.object { write(upstream, known, to: &$0) }
        }
      }
    }
    return AdminAnswer(json: json)
  }

  private func write(_ upstream: Upstream, _ figures: UpstreamFigures, to json: inout JSONWriter) {
    let set = upstream.targets
    json.member("name", upstream.settings.name)
    json.member("balance", upstream.settings.balance.rawValue)
    json.member("is_open", set.isOpen)
    json.member("queued", figures.queued)
    json.array("targets") {
      for target in set.targets {
        let pool = figures.targets[target.id] ?? PoolFigures()
        $0.object {
          $0.member("name", target.name)
          $0.member("address", "\(target.address)")
          $0.member("health", target.health.state.rawValue)
          if let outlier = target.outlier { $0.member("is_outlier", outlier.isEjected(now: Clock.monotonic)) }
          if let breaker = target.breaker { $0.member("breaker", breaker.state.word) }
          $0.member("in_flight", pool.inFlight)
          $0.member("connections", pool.open)
          $0.member("idle_connections", pool.idle)
        }
      }
    }
  }
}

extension CircuitBreaker.State {
  /// As log and metrics call it.
  var word: String {
    switch self {
    case .closed: "closed"
    case .open: "open"
    case .halfOpen: "half_open"
    }
  }
}

extension ConditionSettings {
  fileprivate func text(separator: String) -> String { value.map { name + separator + $0 } ?? name }
}

extension JSONWriter {
  /// A list of texts, unless there are none.
  fileprivate mutating func strings(_ name: String, _ values: [String]) {
    if values.isEmpty { return }
    array(name) { for value in values { $0.value(value) } }
  }
}
