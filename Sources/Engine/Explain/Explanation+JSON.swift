import AI
import Configuration
public import JSON

extension Explanation {
  /// For machines.
  public func write(to json: inout JSONWriter) {
    json.object {
      $0.object("request") {
        $0.member("method", method)
        $0.member("path", path)
        $0.member("host", host)
        $0.member("listener", listener)
      }
      if let refusal {
        $0.object("refusal") {
          $0.member("status", refusal.status)
          $0.member("code", refusal.code)
          $0.member("detail", refusal.detail)
          if let plugin = refusal.plugin { $0.member("plugin", plugin) }
        }
      }
      if let answer { $0.member("answer", answer) }
      if let way { $0.object("route") { write(way, to: &$0) } }
      $0.array("candidates") {
        for candidate in candidates {
          $0.object {
            $0.member("route", candidate.route)
            $0.member("place", candidate.position.place)
            if let template = candidate.template { $0.member("template", template) }
            $0.member("reason", candidate.reason)
          }
        }
      }
      $0.member("others", others)
    }
  }

  private func write(_ way: Way, to json: inout JSONWriter) {
    json.member("name", way.route.name)
    json.member("place", way.route.position.place)
    json.member("template", way.template)
    json.object("parameters") { for parameter in way.parameters { $0.member(parameter.name, parameter.value) } }
    if let refusal, refusal.plugin == nil { return }
    json.array("plugins") { for plugin in way.plugins { $0.value(plugin) } }
    json.array("decisions") { for decision in decisions { write(decision, to: &$0) } }
    guard isHandled else { return }
    json.member("request_body", way.requestBody)
    switch way.route.handler {
    case .upstream, .split: if let forward = way.forward { json.object("upstream") { write(forward, to: &$0) } }
    case .respond(let answer): json.object("respond") { $0.member("status", answer.status) }
    case .models(let models):
      json.object("ai") {
        if let prompt = models.prompt { return $0.member("prompt", prompt) }
        if models.describesPrompts { return $0.member("openapi", true) }
        $0.array("accept") { for dialect in models.accept { $0.value(dialect.rawValue) } }
        $0.member("unsupported", models.unsupported.rawValue)
      }
    case .redirect(let answer):
      json.object("redirect") {
        $0.member("status", answer.status)
        $0.member("location", answer.location)
      }
    }
  }

  private func write(_ decision: Decision, to json: inout JSONWriter) {
    json.object {
      $0.member("plugin", decision.plugin)
      $0.member("verdict", decision.verdict.rawValue)
      if let status = decision.status { $0.member("status", status) }
      if let code = decision.code { $0.member("code", code) }
      if !decision.reason.isEmpty { $0.member("reason", decision.reason) }
    }
  }

  private func write(_ forward: Forward, to json: inout JSONWriter) {
    json.member("name", forward.upstream.name)
    if let split = forward.split { json.member("split", split) }
    json.member("balance", forward.upstream.balance.rawValue)
    json.array("targets") {
      for target in forward.upstream.targets {
        $0.object {
          $0.member("name", target.name)
          $0.member("weight", target.weight)
        }
      }
    }
    json.object("sends") {
      $0.member("method", forward.method)
      $0.member("target", forward.target)
      $0.member("host", forward.host)
    }
  }
}
