import GatewayTesting
import Testing

/// What clients get instead of a failing upstream's answer.
struct FallbackTests {
  private func failing(_ status: String) throws -> Origin {
    try Origin { connection in
      while try connection.request() != nil { try connection.answer(status, body: "no") }
    }
  }

  private let respond = "respond: { status: 503, headers: { Retry-After: \"5\" }, json: { status: retry } }"

  @Test func `an answer that is covered is replaced, and any other is not`() throws {
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      routes: { all: { match: /*, upstream: ORIGIN, fallback: { when: [502, 504], \(respond) } } }
      """
    let origin = try Origin { connection in
      while let request = try connection.request() {
        try connection.answer(request.target == "/bad" ? "502 Bad Gateway" : "500 Oops", body: "no")
      }
    }
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let replaced = try client.get("/bad")
      #expect(replaced.status == 503)
      #expect(replaced["Retry-After"] == "5")
      #expect(replaced["Content-Type"] == "application/json")
      #expect(replaced.text == #"{"status":"retry"}"#)
      let own = try client.get("/other")
      #expect(own.status == 500)
      #expect(own.text == "no")
      let records = try gateway.awaitRecords(2)
      #expect(records[0]["reason"]?.string == "upstream_status")
      #expect(records[0]["status"]?.integer == 503)
      #expect(records[1]["reason"] == nil)
      #expect(try gateway.metric("sluice_fallbacks_total") == 1)
    }
  }

  @Test func `an open circuit is covered by its name`() throws {
    let text = """
      upstreams:
        u: { targets: [{ url: ORIGIN }], circuit_breaker: { minimum_requests: 2, open_for: 1h } }
      routes: { all: { match: /*, upstream: u, fallback: { when: circuit_open, respond: { status: 200, body: spare } } } }
      """
    try withGateway(text, to: try failing("500 Oops")) { gateway in
      let client = try gateway.connect()
      #expect(try (0..<2).map { _ in try client.get("/").status } == [500, 500])
      for _ in 0..<3 { #expect(try client.get("/").text == "spare") }
      #expect(try gateway.awaitRecords(5).last?["reason"]?.string == "circuit_open")
    }
  }

  @Test(arguments: ["connect_failure", "502"])
  func `a target that cannot be reached is covered`(cause: String) throws {
    let text = """
      upstreams: { u: { targets: [{ url: "http://127.0.0.1:\(Ports.free())" }] } }
      routes: { all: { match: /*, upstream: u, fallback: { when: [\(cause)], upstream: ORIGIN } } }
      """
    try withGateway(text, to: try Origin.echo()) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 5"], body: "hello")
      let response = try client.response()
      #expect(response.status == 200)
      #expect(response.text == "hello")
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"] == nil)
      #expect(record["attempts"]?.integer == 2)
    }
  }

  @Test func `an upstream as fallback gets the same call, and its own failure is the answer`() throws {
    let spare = try failing("503 Service Unavailable")
    defer { spare.stop() }
    let text = """
      routes: { all: { match: /*, upstream: ORIGIN, fallback: { when: [500, 503], upstream: "\(spare.url)" } } }
      """
    try withGateway(text, to: try failing("500 Oops")) { gateway in
      let client = try gateway.connect()
      for _ in 0..<3 {
        try client.send("PUT /x?y=1 HTTP/1.1", ["Host: a.example", "X-A: b", "Content-Length: 2"], body: "ab")
        let response = try client.response()
        #expect(response.status == 503)
        #expect(response.text == "no")
      }
      let request = try spare.awaitRequests(3)[0]
      #expect(request.startLine == "PUT /x?y=1 HTTP/1.1")
      #expect(request["X-A"] == "b")
      #expect(request.text == "ab")
    }
  }

  @Test func `a timeout is covered, and the fallback has time of its own`() throws {
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], timeouts: { total: 100ms } }, spare: { targets: [{ url: SPARE }] } }
      routes: { all: { match: /*, upstream: u, fallback: { when: timeout, upstream: spare } } }
      """
    let spare = try Origin.ok("spare")
    defer { spare.stop() }
    try withGateway(text.replacing("SPARE", with: "\"\(spare.url)\""), to: try Origin.silent()) { gateway in
      let response = try gateway.get("/")
      #expect(response.text == "spare")
    }
  }

  @Test func `a body that did not come with its head cannot go another way`() throws {
    let spare = try Origin.ok("spare")
    defer { spare.stop() }
    let origin = try Origin { connection in
      guard try connection.requestHead() != nil else { return }
      _ = try connection.reader.take(100_000)
      connection.reset()
    }
    let text = "routes: { all: { match: /*, upstream: ORIGIN, fallback: { when: 502, upstream: \"\(spare.url)\" } } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send(
        "PUT / HTTP/1.1", ["Host: a.example", "Content-Length: 200000"], body: String(repeating: "a", count: 200_000))
      #expect(try client.response().status == 502)
      #expect(spare.requests.isEmpty)
    }
  }

  @Test func `what a rule of the operator refuses has no fallback`() throws {
    let text = """
      routes:
        all:
          match: /*
          upstream: ORIGIN
          plugins: [{ ip_access: { deny: 127.0.0.0/8 } }]
          fallback: { when: [502, 503], respond: 200 }
      """
    try withGateway(text, to: try Origin.ok()) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 403)
    }
  }
}
