import GatewayTesting
import Kernel
import Testing

/// The kinds of sockets on both sides.
struct ListenerTests {
  @Test func `IPv6 is listened on and connected to`() throws {
    let origin = try Origin(on: Ports.loopback(Ports.free(), v6: true)) { connection in
      while try connection.request() != nil { try connection.answer(body: "six") }
    }
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: "[::1]:${PORT}" }"#
    try withGateway("routes: { all: { match: /*, upstream: ORIGIN } }", to: origin, plan) { gateway in
      let client = try Client(Ports.loopback(gateway.port, v6: true))
      #expect(try client.get("/").text == "six")
      #expect(origin.requests.first?["X-Forwarded-For"] == "::1")
      #expect(origin.requests.first?["Forwarded"] == #"for="[::1]";host="a.example";proto=http"#)
      #expect(try gateway.awaitRecords(1)[0]["client"]?.string == "::1")
    }
  }

  @Test func `Unix sockets are listened on and connected to`() throws {
    let directory = try TemporaryDirectory()
    let origin = try Origin(on: .unix(path: directory["origin"])) { connection in
      while try connection.request() != nil { try connection.answer(body: "unix") }
    }
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: "unix:${DIRECTORY}/gateway", tcp: "127.0.0.1:${PORT}" }"#
    try withGateway("routes: { all: { match: /*, upstream: ORIGIN } }", to: origin, plan) { gateway in
      let client = try Client(.unix(path: gateway.directory["gateway"]))
      #expect(try client.get("/").text == "unix")
      #expect(try client.get("/").text == "unix")
      #expect(try gateway.get("/").text == "unix")
      #expect(origin.accepted == 1)
      #expect(try gateway.awaitRecords(3).compactMap { $0["target"]?.string } == Array(repeating: origin.url, count: 3))
    }
  }

  @Test func `a Unix socket that a killed process left behind is taken over`() throws {
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: "unix:${DIRECTORY}/gateway" }"#
    let killed = try RunningGateway("routes: { all: { match: /*, respond: 200 } }", plan)
    killed.process.kill()
    let gateway = try killed.restarted()
    defer { gateway.process.kill() }
    #expect(try Client(.unix(path: gateway.directory["gateway"])).get("/").status == 200)
    try gateway.stop()
    #expect(!gateway.directory.names.contains("gateway"))
  }

  @Test func `every worker serves the same port`() throws {
    let origin = try Origin.ok()
    var plan = RunningGateway.Plan()
    plan.workers = 4
    try withGateway("routes: { all: { match: /*, upstream: ORIGIN } }", to: origin, plan) { gateway in
      let statuses = try (1...40).map { _ in try gateway.get("/").status }
      #expect(statuses == Array(repeating: 200, count: 40))
      // Each worker has its own pool, so more than one connection shows that more than one was at work.
      #expect(origin.accepted > 1)
      #expect(try gateway.awaitRecords(40).count == 40)
    }
  }
}
