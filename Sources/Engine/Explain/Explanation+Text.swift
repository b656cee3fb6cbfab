public import Configuration

extension Explanation {
  /// For people; ends in a line break.
  public var text: String {
    var page = Columns()
    if path.isEmpty {
      page.add("\(method)  (listener \(listener))\n\n")
    } else {
      page.add("\(method) \(path)  (host \(host), listener \(listener))\n\n")
    }
    if let refusal {
      let whose = refusal.plugin.map { " by the plugin \($0)" } ?? ""
      page.row("refused", "\(refusal.status) \(refusal.code)\(whose): \(refusal.detail)")
    }
    if let answer { page.row("answers", answer) }
    if let way { describe(way, &page) }
    if !candidates.isEmpty || others > 0 { describeCandidates(&page) }
    return page.text
  }

  private func describe(_ way: Way, _ page: inout Columns) {
    page.row("route", "\(way.route.name)  (\(way.route.position.place))")
    page.row("matched", way.template)
    for parameter in way.parameters { page.row("", "\(parameter.name) = \(parameter.value)") }
    // A request that is refused goes no further: before the plugins, or by one of them.
    if let refusal, refusal.plugin == nil { return }
    page.row("plugins", way.plugins.isEmpty ? "none" : way.plugins.joined(separator: ", "))
    for (index, decision) in decisions.enumerated() { page.row(index == 0 ? "decisions" : "", decision.text) }
    guard isHandled else { return }
    page.row("body", "at most \(ByteSize.text(way.requestBody))")
    switch way.route.handler {
    case .respond(let answer): page.row("handler", "respond: \(answer.status), \(answer.body.utf8.count) bytes")
    case .models(let models):
      let what = models.prompt.map { "prompt \($0)" } ?? models.accept.map(\.rawValue).joined(separator: ", ")
      page.row("handler", "ai: \(models.describesPrompts ? "openapi" : what)")
    case .redirect(let answer): page.row("handler", "redirect: \(answer.status) to \(answer.location)")
    case .upstream, .split: if let forward = way.forward { describe(forward, &page) }
    }
  }

  private func describe(_ forward: Forward, _ page: inout Columns) {
    let upstream = forward.upstream
    if let split = forward.split { page.row("split", split) }
    page.row("handler", "upstream: \(upstream.name), \(upstream.balance.rawValue)")
    for target in upstream.targets {
      page.row("", target.weight == 1 ? target.name : "\(target.name), weight \(target.weight)")
    }
    page.row("sends", "\(forward.method) \(forward.target)  (host \(forward.host))")
    let times = forward.timeouts
    let total = times.total.map { TimeSpan.text($0) } ?? "no bound"
    page.row(
      "timeouts",
      "connect \(TimeSpan.text(times.connect)), first byte \(TimeSpan.text(times.firstByte)), "
        + "idle \(TimeSpan.text(times.idle)), total \(total)")
    page.row("retries", upstream.retries.summary(for: forward.method))
  }

  private func describeCandidates(_ page: inout Columns) {
    page.add("\nother routes\n")
    for candidate in candidates {
      page.add("  \(candidate.route)  (\(candidate.position.place)): \(candidate.reason)\n")
    }
    if others > 0 {
      page.add(
        "  \(others)\(candidates.isEmpty ? "" : " more"): \(others == 1 ? "its path does" : "their paths do") not match\n"
      )
    }
  }
}

extension Explanation.Decision {
  /// `rate_limit: refuse 429 rate_limited, 100/m for ip 127.0.0.1`
  fileprivate var text: String {
    let words = ["\(plugin): \(verdict.rawValue)", status.map(String.init), code].compactMap(\.self)
    return words.joined(separator: " ") + (reason.isEmpty ? "" : ", " + reason)
  }
}

/// Rows with a word on the left.
private struct Columns {
  private(set) var text = ""

  mutating func add(_ text: String) { self.text += text }

  mutating func row(_ word: String, _ value: String) {
    text += "  " + word + String(repeating: " ", count: max(1, 11 - word.count)) + value + "\n"
  }
}

extension Position {
  /// `gateway.conf:12`
  public var place: String { line > 0 ? "\(file):\(line)" : file }
}

extension RetrySettings {
  /// What is tried again for a method, in a few words.
  fileprivate func summary(for method: String) -> String {
    if maximum == 0 { return "none" }
    let causes = [(onConnectFailure, "connect_failure"), (onReset, "reset")].filter(\.0).map(\.1)
    let all = (causes + statuses.map(String.init)).joined(separator: ", ")
    guard methods.contains(method) else { return "only when nothing was sent: \(method) is not in `methods`" }
    return "at most \(maximum), after \(all)"
  }
}
