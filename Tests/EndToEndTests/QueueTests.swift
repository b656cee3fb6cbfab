import GatewayTesting
import Kernel
import Testing

/// Calls that wait for a connection to their target.
struct QueueTests {
  private func text(_ connections: String) -> String {
    """
    upstreams: { u: { targets: [{ url: ORIGIN }], connections: \(connections) } }
    routes: { all: { match: /*, upstream: u } }
    """
  }

  /// Answers when the test says so, in the order in which requests came.
  private final class Gate: Sendable {
    private let open = Lock(0)

    func admit(_ count: Int) { open.withLock { $0 += count } }

    func pass() {
      _ = Deadline.usual.poll {
        open.withLock { open in
          guard open > 0 else { return false }
          open -= 1
          return true
        }
      }
    }
  }

  private func origin(_ gate: Gate) throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        gate.pass()
        try connection.answer(body: request.target)
      }
    }
  }

  private func ask(_ gateway: RunningGateway, _ target: String) throws -> Client {
    let client = try gateway.connect()
    try client.send("GET \(target) HTTP/1.1", ["Host: a.example"])
    return client
  }

  @Test func `calls wait for a connection in the order in which they came`() throws {
    let gate = Gate()
    let origin = try origin(gate)
    try withGateway(text("{ maximum: 1 }"), to: origin) { gateway in
      var clients: [Client] = []
      for index in 1...6 {
        clients.append(try ask(gateway, "/\(index)"))
        // So that the gateway sees them in this order.
        Pause.milliseconds(10)
      }
      #expect(origin.accepted == 1)
      gate.admit(6)
      for (index, client) in clients.enumerated() { #expect(try client.response().text == "/\(index + 1)") }
      #expect(origin.accepted == 1)
      #expect(origin.requests.map(\.target) == (1...6).map { "/\($0)" })
      let records = try gateway.awaitRecords(6)
      #expect(records[0]["queue_us"] == nil)
      #expect(records[1]["queue_us"]?.integer ?? 0 > 0)
    }
  }

  @Test func `a full queue refuses at once and a long wait ends`() throws {
    let gate = Gate()
    let origin = try origin(gate)
    try withGateway(text("{ maximum: 1, queue: 1, queue_timeout: 200ms }"), to: origin) { gateway in
      let served = try ask(gateway, "/1")
      _ = try origin.awaitRequests(1)
      let queued = try ask(gateway, "/2")
      Pause.milliseconds(20)
      let full = try ask(gateway, "/3").response()
      #expect(full.status == 503)
      #expect(full["X-Fault"] == "upstream")
      #expect(full["Retry-After"] != nil)
      let late = try queued.response()
      #expect(late.status == 503)
      #expect(late["Retry-After"] != nil)
      gate.admit(1)
      #expect(try served.response().text == "/1")
      let reasons = try gateway.awaitRecords(3).map { $0["reason"]?.string }
      #expect(reasons == ["queue_full", "queue_timeout", nil])
    }
  }

  @Test func `a client that leaves the queue frees its place`() throws {
    let gate = Gate()
    let origin = try origin(gate)
    try withGateway(text("{ maximum: 1, queue: 1 }"), to: origin) { gateway in
      let served = try ask(gateway, "/1")
      _ = try origin.awaitRequests(1)
      let leaves = try ask(gateway, "/2")
      Pause.milliseconds(20)
      leaves.close()
      #expect(try gateway.awaitRecords(1)[0]["cancelled"]?.string == "client")
      let queued = try ask(gateway, "/3")
      Pause.milliseconds(20)
      gate.admit(2)
      #expect(try served.response().text == "/1")
      #expect(try queued.response().text == "/3")
      #expect(origin.requests.map(\.target) == ["/1", "/3"])
    }
  }

  @Test func `a connection that breaks lets the next call open another`() throws {
    let origin = try Origin { connection in
      guard let request = try connection.request() else { return }
      connection.wait(milliseconds: 50)
      if request.target == "/1" { return connection.reset() }
      try connection.answer(body: request.target)
      connection.awaitEnd()
    }
    let other = try Origin.ok("other")
    defer { other.stop() }
    try withGateway(text("{ maximum: 1 }"), to: origin) { gateway in
      let first = try gateway.connect()
      try first.send("POST /1 HTTP/1.1", ["Host: a.example", "Content-Length: 0"])
      _ = try origin.awaitRequests(1)
      let second = try ask(gateway, "/2")
      #expect(try first.response().status == 502)
      // The reset took the target out; the call in the queue waited for nothing else.
      #expect([200, 503].contains(try second.response().status))
    }
  }
}
