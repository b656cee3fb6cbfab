import GatewayTesting
import Kernel
import Synchronization
import Testing

/// What is sent twice, and what never is.
struct RetryTests {
  /// Answers the first request of each connection, and resets when the second has come.
  private func staleOrigin() throws -> Origin {
    try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.answer()
      guard try connection.request() != nil else { return }
      connection.reset()
    }
  }

  @Test(arguments: ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
  func `a stale resting connection is not the client's trouble`(method: String) throws {
    let origin = try staleOrigin()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...5 {
        try client.send("\(method) / HTTP/1.1", ["Host: a.example"])
        #expect(try client.response(to: method).status == 200)
      }
      let records = try gateway.awaitRecords(5)
      #expect(records.allSatisfy { $0["fault"] == nil })
      #expect(records.compactMap { $0["attempts"]?.integer } == [1, 2, 2, 2, 2])
    }
  }

  @Test(arguments: ["", "hello"])
  func `a POST is never sent twice`(body: String) throws {
    let origin = try staleOrigin()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      #expect(try client.get("/").status == 200)
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: \(body.utf8.count)"], body: body)
      let response = try client.response()
      #expect(response.status == 502)
      #expect(response["X-Fault"] == "upstream")
      #expect(origin.requests.map(\.method) == ["GET", "POST"])
      let record = try gateway.awaitRecords(2)[1]
      #expect(record["reason"]?.string == "upstream_reset")
      #expect(record["attempts"]?.integer == 1)
    }
  }

  @Test(arguments: [1, 2])
  func `a connect that fails at once is an attempt too`(targets: Int) throws {
    // Nobody listens there: the kernel says so before there is a connection.
    let directory = try TemporaryDirectory()
    let urls = try (1...targets).map { number in
      let origin = try Origin(on: .unix(path: directory["\(number)"])) { _ in }
      origin.stop()
      try? FileSystem.remove(directory["\(number)"])
      return origin.url
    }
    let list = urls.map { "{ url: \"\($0)\" }" }.joined(separator: ", ")
    let text = "upstreams: { u: { targets: [\(list)] } }\nroutes: { all: { match: /*, upstream: u } }"
    try withGateway(text) { gateway in
      #expect(try gateway.get("/").status == 502)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "connect_failed")
      #expect(record["attempts"]?.integer == targets)
      #expect(urls.contains(record["target"]?.string ?? ""))
    }
  }

  @Test func `a POST does not meet a connection that its target has closed`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.answer()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...50 {
        try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 0"])
        let response = try client.response()
        // The close that was on its way when the request was sent cannot be seen: only then may it fail.
        #expect([200, 502].contains(response.status))
        #expect(origin.awaitNoConnection())
      }
      #expect(try gateway.awaitRecords(50).filter { $0["status"]?.integer == 200 }.count == 50)
    }
  }

  @Test func `a body that was read beyond what is kept is not sent again`() throws {
    let origin = try Origin { connection in
      guard try connection.requestHead() != nil else { return }
      _ = try connection.reader.take(100_000)
      connection.reset()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send(
        "PUT / HTTP/1.1", ["Host: a.example", "Content-Length: 200000"], body: String(repeating: "a", count: 200_000))
      #expect(try client.response().status == 502)
      #expect(origin.requests.count == 1)
    }
  }

  /// Two targets: one that fails in some way, and one that answers `good`.
  private func withTwo(
    _ failing: Origin, _ more: String = "", _ body: (RunningGateway, Origin) throws -> Void
  ) throws {
    let good = try Origin.ok("good")
    defer { good.stop() }
    let text = """
      upstreams:
        u:
          targets: [{ url: ORIGIN }, { url: "\(good.url)" }]
          \(more)
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: failing) { gateway in try body(gateway, good) }
  }

  @Test func `a target that resets is passed over for idempotent requests`() throws {
    let failing = try Origin { connection in
      _ = try connection.request()
      connection.reset()
    }
    try withTwo(failing) { gateway, _ in
      let client = try gateway.connect()
      for _ in 1...20 { #expect(try client.get("/").text == "good") }
      #expect(failing.accepted >= 1)
    }
  }

  @Test func `a target that sends garbage is passed over for idempotent requests`() throws {
    let failing = try Origin.sending("SSH-2.0-OpenSSH\r\n")
    try withTwo(failing) { gateway, _ in
      let client = try gateway.connect()
      for _ in 1...20 { #expect(try client.get("/").text == "good") }
      #expect(failing.accepted >= 1)
    }
  }

  @Test func `a status that is listed is tried again on another target`() throws {
    let failing = try Origin { connection in
      while try connection.request() != nil { try connection.answer("503 Service Unavailable", body: "bad") }
    }
    try withTwo(failing, "retries: { when: [connect_failure, reset, 503], budget: 100% }") { gateway, _ in
      let client = try gateway.connect()
      for _ in 1...20 { #expect(try client.get("/").text == "good") }
      // A POST was sent, so it is not sent again.
      var statuses: Set<Int> = []
      for _ in 1...10 {
        try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 1"], body: "x")
        statuses.insert(try client.response().status)
      }
      #expect(statuses == [200, 503])
    }
  }

  @Test func `an answer that nobody can better is passed on as it is`() throws {
    let bad = try Origin { connection in
      while try connection.request() != nil { try connection.answer("503 Service Unavailable", body: "mine") }
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], retries: { when: [503] } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: bad) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 503)
      #expect(response.text == "mine")
      #expect(response["X-Fault"] == nil)
    }
  }

  @Test func `a connect that fails costs a POST nothing, as nothing was sent`() throws {
    let nobody = Ports.free()
    let good = try Origin.ok("good")
    let text = """
      upstreams: { u: { targets: [{ url: "http://127.0.0.1:\(nobody)" }, { url: ORIGIN }] } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: good) { gateway in
      let client = try gateway.connect()
      for _ in 1...10 {
        try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 2"], body: "ab")
        #expect(try client.response().text == "good")
      }
      #expect(good.requests.map(\.text) == Array(repeating: "ab", count: 10))
    }
  }

  @Test func `retries turned off are off`() throws {
    let failing = try Origin { connection in
      _ = try connection.request()
      connection.reset()
    }
    try withTwo(failing, "retries: { maximum: 0 }") { gateway, _ in
      let client = try gateway.connect()
      let statuses = try (1...2).map { _ in try client.get("/").status }
      #expect(Set(statuses) == [200, 502])
    }
  }

  @Test func `the retry budget bounds what a failing service gets`() throws {
    let bad = try (1...3).map { _ in
      try Origin { connection in
        while try connection.request() != nil { try connection.answer("503 Service Unavailable") }
      }
    }
    defer { for origin in bad { origin.stop() } }
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      upstreams:
        u:
          targets: [\(bad.map { "{ url: \"\($0.url)\" }" }.joined(separator: ", "))]
          retries: { maximum: 2, when: [503], budget: 20% }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text) { gateway in
      let load = try Load(clients: 16, port: gateway.port)
      #expect(load.pass(1000))
      let outcome = load.finish()
      #expect(outcome.failures.isEmpty)
      #expect(outcome.answers.keys.sorted() == [503])
      let sent = bad.map(\.requests.count).reduce(0, +)
      // At most three retries, or a fifth of the requests, are in flight at a time: never as many as requests twice.
      #expect(sent < outcome.count * 2, "\(sent) sent for \(outcome.count)")
    }
  }
}
