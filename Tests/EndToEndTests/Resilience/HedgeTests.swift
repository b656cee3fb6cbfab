import GatewayTesting
import Testing

/// Late answers, and targets that are left out or warmed up.
struct HedgeTests {
  /// Two targets of which the first to be asked does not answer.
  private func withStuck(
    _ hedge: String, _ body: (RunningGateway, Origin, Origin) throws -> Void
  ) throws {
    let stuck = try Origin { connection in
      while try connection.request() != nil { connection.awaitEnd() }
    }
    let quick = try Origin.ok("quick")
    defer { quick.stop() }
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      upstreams:
        u: { targets: [{ url: ORIGIN, weight: 1000 }, { url: "\(quick.url)" }], \(hedge), timeouts: { first_byte: 1h } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: stuck) { try body($0, stuck, quick) }
  }

  @Test func `when an answer is late another target is asked, and the late one is given up`() throws {
    try withStuck("hedge: 20ms") { gateway, stuck, _ in
      let client = try gateway.connect()
      for _ in 1...3 { #expect(try client.get("/").text == "quick") }
      let records = try gateway.awaitRecords(3)
      #expect(records.contains { $0["attempts"]?.integer == 2 })
      #expect(records.allSatisfy { $0["fault"] == nil && $0["status"]?.integer == 200 })
      #expect(stuck.awaitNoConnection())
      #expect(try gateway.metric("sluice_upstream_hedges_total") ?? 0 >= 1)
    }
  }

  @Test func `what is not safe, or has a body, is asked once`() throws {
    try withStuck("hedge: 1ms") { gateway, stuck, quick in
      let clients = try ["DELETE / HTTP/1.1", "POST / HTTP/1.1", "PUT / HTTP/1.1"].map { line in
        let client = try gateway.connect()
        try client.send(line, ["Host: a.example", "Content-Length: 0"])
        return client
      }
      let reached = Deadline.usual.poll { stuck.requests.count + quick.requests.count == 3 }
      #expect(reached)
      for client in clients { client.close() }
      let records = try gateway.awaitRecords(3)
      #expect(records.allSatisfy { $0["attempts"]?.integer == 1 })
    }
  }

  @Test func `a first answer that comes after all is taken, and the rival is given up`() throws {
    let second = try Origin.silent()
    defer { second.stop() }
    let late = try Origin { connection in
      while try connection.request() != nil {
        // Until the rival has been asked.
        _ = Deadline.usual.poll { second.accepted > 0 }
        try connection.answer(body: "late")
      }
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN, weight: 1000 }, { url: "\(second.url)" }], hedge: { after: 10ms } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: late) { gateway in
      let response = try gateway.get("/")
      #expect(response.text == "late")
      #expect(second.awaitNoConnection())
    }
  }

  @Test func `a target that fails several times in a row is left out, and comes back by itself`() throws {
    let bad = try Origin { connection in
      while try connection.request() != nil { try connection.answer("500 Oops", body: "bad") }
    }
    let good = try Origin.ok("good")
    defer { good.stop() }
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      upstreams:
        u:
          targets: [{ url: ORIGIN }, { url: "\(good.url)" }]
          outlier_ejection: { consecutive_failures: 3, eject_for: 500ms, maximum: 50% }
          slow_start: 10ms
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: bad) { gateway in
      let client = try gateway.connect()
      let isOut = try Deadline.usual.poll {
        _ = try client.get("/")
        return bad.requests.count == 3
      }
      #expect(isOut)
      for _ in 0..<4 { #expect(try client.get("/").text == "good") }
      #expect(try gateway.metric("sluice_outlier_ejections_total") == 1)
      #expect(try Deadline.usual.poll { try client.get("/").status == 500 })
    }
  }

  @Test func `an upstream of one target is never left without it`() throws {
    let bad = try Origin { connection in
      while try connection.request() != nil { try connection.answer("500 Oops", body: "bad") }
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], outlier_ejection: { consecutive_failures: 1 } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: bad) { gateway in
      let client = try gateway.connect()
      for _ in 0..<10 { #expect(try client.get("/").text == "bad") }
    }
  }
}
