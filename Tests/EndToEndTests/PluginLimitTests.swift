import GatewayTesting
import Kernel
import Testing

/// Limits of plugins in the running gateway, where several workers must agree.
struct PluginLimitTests {
  private static let admin = #"admin: "127.0.0.1:${ADMIN_PORT}""#

  private func plan(workers: Int) -> RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.workers = workers
    return plan
  }

  @Test func `four workers admit the rate times the time and the burst, of ten times as much and more`() throws {
    // Under a sanitizer a request takes ten times as long.
    let rate = ProcessEnvironment.value("SLUICE_SANITIZER") == nil ? 50 : 10
    let text = """
      \(Self.admin)
      plugins: [{ rate_limit: { rate: \(rate)/s, burst: \(rate), name: all } }]
      routes: { all: { match: /*, respond: 204 } }
      """
    try withGateway(text, plan(workers: 4)) { gateway in
      let before = Clock.monotonic
      let load = try Load(clients: 8, port: gateway.port)
      #expect(load.pass(1))
      let began = Clock.monotonic
      _ = Deadline.usual.poll { Clock.monotonic - began > 3_000_000_000 }
      let ended = Clock.monotonic
      let outcome = load.finish()
      let after = Clock.monotonic
      #expect(outcome.failures == [])
      #expect(Set(outcome.answers.keys) == [204, 429])
      let admitted = outcome.answers[204] ?? 0
      // Between what the shortest time that it can have been allows, and the longest; the burst bridges stalls.
      let least = rate + (ended - began) * rate / 1_000_000_000
      let most = rate + (after - before) * rate / 1_000_000_000
      #expect(admitted >= least * 99 / 100, "\(admitted) of \(outcome.count), \(least)...\(most)")
      #expect(admitted <= most + 1, "\(admitted) of \(outcome.count), \(least)...\(most)")
      #expect(outcome.count > 10 * admitted, "\(outcome.count) requests are not ten times as many as \(admitted)")
      let page = try gateway.admin("/metrics").text
      #expect(page.contains("sluice_rate_limit_decisions_total{limit=\"all\",decision=\"admitted\"} \(admitted)\n"))
      #expect(
        page.contains(
          "sluice_rate_limit_decisions_total{limit=\"all\",decision=\"refused\"} \(outcome.answers[429] ?? 0)\n"))
    }
  }

  @Test func `a refusal says when to come back, and the log says why`() throws {
    let text = "routes: { all: { match: /*, respond: 204, plugins: [{ rate_limit: { rate: 1/h, name: hourly } }] } }"
    try withGateway(text) { gateway in
      let first = try gateway.get("/")
      #expect(first.status == 204)
      #expect(first["RateLimit"] == "\"hourly\";r=0;t=3600")
      let refused = try gateway.get("/")
      #expect(refused.status == 429)
      #expect(refused["X-Fault"] == "policy")
      #expect(refused["Retry-After"] == "3600")
      #expect(refused["RateLimit-Policy"] == "\"hourly\";q=1;w=3600")
      #expect(refused["Content-Type"] == "application/problem+json")
      let record = try gateway.awaitRecords(2)[1]
      #expect(record["fault"]?.string == "policy")
      #expect(record["reason"]?.string == "rate_limited")
    }
  }

  @Test func `a reload keeps the buckets of a limit that did not change`() throws {
    let text = "routes: { all: { match: /*, respond: 204, plugins: [{ rate_limit: { rate: 1/h, burst: 2 } }] } }"
    try withGateway(text) { gateway in
      let first = try gateway.get("/")
      #expect(first.status == 204)
      let moved = "# This moves every line.\n" + RunningGateway.configuration(text)
      try gateway.directory.write(moved, to: "gateway.conf")
      try reload(gateway)
      #expect(try gateway.get("/").status == 204)
      #expect(try gateway.get("/").status == 429)
      let changed = text.split(separator: "burst: 2").joined(separator: "burst: 3")
      try gateway.directory.write(RunningGateway.configuration(changed), to: "gateway.conf")
      try reload(gateway)
      #expect(try gateway.get("/").status == 204)
    }
  }

  private func reload(_ gateway: RunningGateway) throws {
    let before = reloads(gateway)
    gateway.process.signal(ProcessSignal.hangup)
    #expect(Deadline.usual.poll { reloads(gateway) > before }, "\(gateway.errors)")
  }

  private func reloads(_ gateway: RunningGateway) -> Int {
    gateway.errors.split(separator: "\n").count { $0.contains("reload done") }
  }

  @Test func `requests under way are counted on all workers, and end with their clients`() throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      connection.awaitEnd()
    }
    let text = """
      \(Self.admin)
      routes:
        all: { match: /*, upstream: ORIGIN, plugins: [{ concurrency: { maximum: 3, name: calls } }] }
      """
    try withGateway(text, to: origin, plan(workers: 4)) { gateway in
      let clients = try (0..<3).map { _ in try gateway.connect() }
      for client in clients { try client.send("GET / HTTP/1.1", ["Host: a.example"]) }
      _ = try origin.awaitRequests(3)
      let refused = try gateway.get("/")
      #expect(refused.status == 429)
      #expect(refused["X-Fault"] == "policy")
      #expect(try gateway.metric("sluice_concurrency_under_way") == 3)
      clients[0].close()
      #expect(try Deadline.usual.poll { try gateway.metric("sluice_concurrency_under_way") == 2 })
      let next = try gateway.connect()
      try next.send("GET / HTTP/1.1", ["Host: a.example"])
      _ = try origin.awaitRequests(4)
      #expect(try gateway.get("/").status == 429)
      for client in clients.dropFirst() + [next] { client.close() }
      #expect(try Deadline.usual.poll { try gateway.metric("sluice_concurrency_under_way") == 0 })
    }
  }

  @Test func `a body that grows beyond the route's size is cut, and one that says so is not forwarded`() throws {
    let origin = try Origin.echo()
    let text = "routes: { all: { match: /*, upstream: ORIGIN, plugins: [{ request_size: 10B }] } }"
    try withGateway(text, to: origin) { gateway in
      let fits = try gateway.connect()
      try fits.send(
        "POST / HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked"], body: "a\r\n1234567890\r\n0\r\n\r\n")
      #expect(try fits.response().text == "1234567890")
      let grown = try gateway.connect()
      try grown.send(
        "POST / HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked"], body: "b\r\n12345678901\r\n0\r\n\r\n")
      #expect(try grown.response().status == 413)
      let told = try gateway.connect()
      try told.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 11"])
      #expect(try told.response().status == 413)
      #expect(origin.requests.count == 1)
    }
  }

  @Test func `the client that trusted proxies name is the one that is let in`() throws {
    let text = """
      trusted_proxies: [127.0.0.0/8]
      routes: { all: { match: /*, respond: 204, plugins: [{ ip_access: { allow: [10.0.0.0/8], deny: [10.9.0.0/16] } }] } }
      """
    try withGateway(text) { gateway in
      let proxy = try gateway.get("/")
      #expect(proxy.status == 403)
      #expect(try gateway.get("/", ["X-Forwarded-For: 10.1.2.3"]).status == 204)
      #expect(try gateway.get("/", ["X-Forwarded-For: 10.9.2.3"]).status == 403)
      #expect(try gateway.get("/", ["X-Forwarded-For: 10.1.2.3, 192.0.2.1"]).status == 403)
      #expect(try gateway.awaitRecords(4)[0]["reason"]?.string == "ip_denied")
    }
  }
}
