import GatewayTesting
import Synchronization
import Testing

/// Circuit breakers and health, as clients see them.
struct BreakerTests {
  /// Whether an origin is well.
  private final class Switch: Sendable {
    private let value = Atomic<Bool>(true)

    var isGood: Bool {
      get { value.load(ordering: .relaxed) }
      set { value.store(newValue, ordering: .relaxed) }
    }
  }

  /// Answers 200 while the switch says so, else 500.
  private func origin(_ state: Switch) throws -> Origin {
    try Origin { connection in
      while try connection.request() != nil {
        try connection.answer(state.isGood ? "200 OK" : "500 Internal Server Error", body: "own")
      }
    }
  }

  @Test func `a breaker opens, tries again and closes`() throws {
    let state = Switch()
    let origin = try origin(state)
    let text = """
      upstreams:
        u:
          targets: [{ url: ORIGIN }]
          circuit_breaker:
            { failure_ratio: 50%, minimum_requests: 4, window: 10s, open_for: 300ms, half_open_requests: 1 }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 { #expect(try client.get("/").status == 200) }
      state.isGood = false
      for _ in 1...2 { #expect(try client.get("/").status == 500) }
      let refused = try client.get("/")
      #expect(refused.status == 503)
      #expect(refused["X-Fault"] == "upstream")
      #expect(refused["Retry-After"] == "1")
      let before = origin.requests.count
      #expect(try client.get("/").status == 503)
      #expect(origin.requests.count == before)
      // The one call that tries it finds it ill: open again.
      #expect(try Deadline.usual.poll { try client.get("/").status == 500 })
      #expect(origin.requests.count == before + 1)
      #expect(try client.get("/").status == 503)
      state.isGood = true
      #expect(try Deadline.usual.poll { try client.get("/").status == 200 })
      for _ in 1...10 { #expect(try client.get("/").status == 200) }
      let reasons = Set(try gateway.awaitRecords(15).compactMap { $0["reason"]?.string })
      #expect(reasons == ["circuit_open"])
    }
  }

  @Test func `only the target that fails is left alone`() throws {
    let state = Switch()
    state.isGood = false
    let bad = try origin(state)
    let good = try Origin.ok("good")
    defer { good.stop() }
    let text = """
      upstreams:
        u:
          targets: [{ url: ORIGIN }, { url: "\(good.url)" }]
          circuit_breaker: { minimum_requests: 4, open_for: 1h }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: bad) { gateway in
      let client = try gateway.connect()
      let statuses = try (1...40).map { _ in try client.get("/").status }
      #expect(statuses.filter { $0 == 500 }.count == 4)
      #expect(statuses.suffix(20).allSatisfy { $0 == 200 })
      #expect(bad.requests.count == 4)
    }
  }

  @Test func `a target that fails its health check gets nothing until it passes again`() throws {
    let state = Switch()
    let checked = try Origin { connection in
      while let request = try connection.request() {
        if request.target == "/healthz" {
          try connection.answer(state.isGood ? "200 OK" : "503 Service Unavailable")
        } else {
          try connection.answer(body: "checked")
        }
      }
    }
    let other = try Origin.ok("other")
    defer { other.stop() }
    let text = """
      upstreams:
        u:
          targets: [{ url: ORIGIN }, { url: "\(other.url)" }]
          health_check: { path: /healthz, interval: 50ms, healthy_after: 2, unhealthy_after: 2 }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: checked) { gateway in
      let client = try gateway.connect()
      func answers() throws -> Set<String> { Set(try (1...6).map { _ in try client.get("/").text }) }
      #expect(try answers() == ["checked", "other"])
      state.isGood = false
      #expect(try Deadline.usual.poll { try answers() == ["other"] })
      state.isGood = true
      #expect(try Deadline.usual.poll { try answers() == ["checked", "other"] })
    }
  }

  @Test func `with every target out calls are refused at once`() throws {
    let text = """
      upstreams:
        u: { targets: [{ url: "http://127.0.0.1:\(Ports.free())" }, { url: "http://127.0.0.1:\(Ports.free())" }] }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text) { gateway in
      let client = try gateway.connect()
      let first = try client.get("/")
      #expect(first.status == 502)
      for _ in 1...3 {
        let response = try client.get("/")
        #expect(response.status == 503)
        #expect(response["X-Fault"] == "upstream")
        #expect((response["Retry-After"].flatMap { Int($0) } ?? 0) > 0)
      }
      let records = try gateway.awaitRecords(4)
      #expect(
        records.map { $0["reason"]?.string } == ["connect_failed"] + Array(repeating: "no_healthy_target", count: 3))
      #expect(records[0]["attempts"]?.integer == 2)
      #expect(records[1]["attempts"] == nil)
    }
  }
}
