public import Configuration

extension UpstreamSettings {
  public static let section = Section(
    "upstream", UpstreamSettings(name: ""), "A service behind the gateway: its targets, and how they are called.",
    shorthand: "targets",
    [
      Keyword(
        "targets", \.targets, .list(of: .section(TargetSettings.section), minimum: 1, maximum: 10_000), required: true,
        "The origins that share the load."),
      Keyword("balance", \.balance, .choice, "How the target of a call is chosen."),
      Keyword(
        "hash_key", \.hashKey, .requestValue,
        "With `balance: hash`: calls that agree in it go to the same target; one without it goes to a random one."),
      Keyword("timeouts", \.timeouts, .section(TimeoutSettings.section), "How long each part of a call may take."),
      Keyword("health_check", \.healthCheck, .section(HealthCheckSettings.section), "Probes of every target."),
      Keyword("retries", \.retries, .section(RetrySettings.section), "When a call is tried on another target."),
      Keyword(
        "circuit_breaker", \.circuitBreaker, .section(CircuitBreakerSettings.section),
        "When a target that fails too often is left alone; the upstream is open when all its targets are."),
      Keyword(
        "outlier_ejection", \.outlierEjection, .section(OutlierSettings.section),
        "When a target that fails several times in a row is left out for a while."),
      Keyword(
        "slow_start", \.slowStart, .duration(in: .milliseconds(10) ... .hours(1)),
        "How long a target that is new beside others, or back, gets less than its share: from a tenth, evenly up."),
      Keyword("hedge", \.hedge, .section(HedgeSettings.section), "When another target is asked too."),
      Keyword(
        "connections", \.connections, .section(ConnectionSettings.section), "The pool of connections to a target."),
      Keyword(
        "protocol", \.speaks, .choice,
        "What its targets speak. With `h2` a connection carries up to 100 calls at a time; a target that speaks something else is 502."
      ),
      Keyword("tls", \.tls, .section(UpstreamTLSSettings.section), "How targets with https:// are spoken to."),
    ]
  ) { upstream, node, reading in
    if upstream.tls != nil, !upstream.targets.contains(where: \.isSecure), let written = node.value(for: "tls") {
      reading.error(
        "`tls` means nothing without a target with https://", at: written.position, expected: "https://HOST")
    }
    upstream.checkHash(node, &reading)
    upstream.checkTargets(node, &reading)
  }

  /// Whether a route spells it out as a URL. No name that an author chooses has a colon.
  var isSpeltOut: Bool { name.utf8.contains(UInt8(ascii: ":")) }

  private func checkHash(_ node: Node, _ reading: inout Reading) {
    if balance == .hash, hashKey == nil {
      reading.error(
        "`balance: hash` needs a `hash_key`", at: (node.value(for: "balance") ?? node).position,
        expected: "`hash_key: ip`, or another value of the request")
    }
    if balance != .hash, hashKey != nil, let key = node.value(for: "hash_key") {
      reading.error("`hash_key` means nothing without `balance: hash`", at: key.position, expected: "`balance: hash`")
    }
  }

  private func checkTargets(_ node: Node, _ reading: inout Reading) {
    var known: Set<String> = []
    let list = node.value(for: "targets") ?? node
    let written = Array(list.elements)
    for (index, target) in targets.enumerated() where !known.insert(target.name).inserted {
      // Of those that are wrong there is no target.
      let place = written.count == targets.count ? written[index] : list
      reading.error(
        "the target `\(target.name)` stands twice", at: place.position,
        expected: "one target with a larger `weight`")
    }
  }
}

extension TargetSettings {
  public static let section = Section(
    "target", TargetSettings(address: .unix(path: ""), name: ""), "One origin of an upstream.", shorthand: "url",
    [
      Keyword(
        "url", .targetURL, required: true,
        "http://HOST:PORT, https://HOST:PORT or unix:PATH; all addresses of a name are used.",
        get: { $0.name.isEmpty ? nil : TargetURL(address: $0.address, isSecure: $0.isSecure) },
        set: { target, url in
          target.address = url.address
          target.isSecure = url.isSecure
          target.name = url.address.name
        }),
      Keyword("weight", \.weight, .integer(in: 1...1000), "Its share beside the other targets'."),
    ])
}

extension TargetSettings.Address {
  /// What log and metrics call it.
  var name: String {
    switch self {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

extension TimeoutSettings {
  public static let section = Section(
    "timeouts", TimeoutSettings(), "How long each part of a call may take.",
    [
      Keyword("connect", \.connect, .duration, "To open a connection."),
      Keyword(
        "first_byte", \.firstByte, .duration, "From the end of the request to the answer's first byte; beyond: 504."),
      Keyword("idle", \.idle, .duration, "The longest silence of a target in the middle of an answer."),
      Keyword("total", \.total, .duration, "The whole call with its retries, unless it is a stream; none by default."),
      Keyword("tunnel", \.tunnel, .duration, "The longest silence of a WebSocket, both ways."),
    ])
}

extension HealthCheckSettings {
  public static let section = Section(
    "health_check", HealthCheckSettings(path: ""), "Probes with GET; a status of 200 to 399 is healthy.",
    [
      Keyword("path", \.path, .requestPath, required: true, "What to ask for."),
      Keyword("interval", \.interval, .duration(in: .milliseconds(50) ... .hours(1)), "From one probe to the next."),
      Keyword("timeout", \.timeout, .duration(in: .milliseconds(10) ... .minutes(10)), "For the whole probe."),
      Keyword(
        "healthy_after", \.healthyAfter, .integer(in: 1...100), "Good answers in a row that bring a target back."),
      Keyword("unhealthy_after", \.unhealthyAfter, .integer(in: 1...100), "Bad answers in a row that take it out."),
    ]
  ) { check, node, reading in
    guard check.timeout > check.interval, let written = node.value(for: "timeout") else { return }
    reading.warning(
      "`timeout` is longer than `interval`: a probe that gets no answer holds up those behind it", at: written.position,
      expected: "at most \(TimeSpan.text(check.interval))")
  }
}

extension CircuitBreakerSettings {
  public static let section = section(CircuitBreakerSettings(), "When a target that fails too often is left alone.")

  static func section(_ usual: CircuitBreakerSettings, _ help: String) -> Section<CircuitBreakerSettings> {
    Section("circuit_breaker", usual, help, keywords)
  }

  private static let keywords: [Keyword<CircuitBreakerSettings>] = [
    Keyword("failure_ratio", \.failureRatio, .failureRatio, "The share of failed calls that opens it."),
    Keyword(
      "minimum_requests", \.minimumRequests, .integer(in: 1...1_000_000), "Fewer calls say nothing."),
    Keyword("window", \.window, .duration(in: .seconds(1) ... .hours(1)), "The time over which calls are counted."),
    Keyword(
      "open_for", \.openFor, .duration(in: .milliseconds(10) ... .hours(1)), "How long no call is let through."),
    Keyword(
      "half_open_requests", \.halfOpenRequests, .integer(in: 1...100),
      "Calls that try whether it is back, at a time; all of them must succeed to close it."
    ),
  ]
}

extension ValueType where Value == Double {
  /// A share of failures, of which none is none.
  fileprivate static var failureRatio: ValueType {
    ratio.checked { ratio throws(ScalarMistake) in
      guard ratio > 0 else {
        throw .other("a ratio of 0% is reached without a failure", expected: "more than 0%, such as 50%")
      }
    }
  }
}

extension ConnectionSettings {
  public static let section = Section(
    "connections", ConnectionSettings(), "The pool of connections to a target; each worker has its own.",
    [
      Keyword(
        "maximum", \.maximum, .integer(in: 1...1_000_000),
        "Open connections to one target; each carries one call at a time, or up to 100 with `protocol: h2`."),
      Keyword("idle", \.idle, .integer(in: 0...1_000_000), "Those that are kept open while nobody uses them."),
      Keyword("idle_timeout", \.idleTimeout, .duration, "How long they are kept."),
      Keyword("queue", \.queue, .integer(in: 0...1_000_000), "Calls that may wait for one; beyond: 503."),
      Keyword("queue_timeout", \.queueTimeout, .duration, "How long each of them waits; beyond: 503."),
    ]
  ) { connections, node, reading in
    guard connections.idle > connections.maximum, let written = node.value(for: "idle") else { return }
    reading.warning(
      "`idle` is more than `maximum`: so many connections are never open", at: written.position,
      expected: "at most \(connections.maximum)")
  }
}
