import GatewayTesting
import Testing

/// Copies of requests to another upstream.
struct MirrorTests {
  private func withMirror(
    _ options: String = "", to mirror: Origin, _ body: (RunningGateway, Client) throws -> Void
  ) throws {
    defer { mirror.stop() }
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      routes: { all: { match: /*, upstream: ORIGIN, mirror: { upstream: "\(mirror.url)" \(options) } } }
      """
    try withGateway(text, to: try Origin.echo()) { try body($0, $0.connect()) }
  }

  private func outcomes(_ gateway: RunningGateway, _ outcome: String) throws -> Int {
    let lines = try gateway.admin("/metrics").text.split(separator: "\n")
    let line = lines.first {
      $0.hasPrefix("sluice_mirrored_requests_total{") && $0.contains("outcome=\"\(outcome)\"")
    }
    return line.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
  }

  @Test(arguments: [0, 5, 40_000])
  func `the mirror gets what the upstream gets`(length: Int) throws {
    let mirror = try Origin.echo()
    try withMirror(to: mirror) { gateway, client in
      let body = String(repeating: "m", count: length)
      try client.send("POST /x?y=1 HTTP/1.1", ["Host: a.example", "X-A: b", "Content-Length: \(length)"], body: body)
      #expect(try client.response().text == body)
      let copy = try mirror.awaitRequests(1)[0]
      #expect(copy.startLine == "POST /x?y=1 HTTP/1.1")
      #expect(copy["X-A"] == "b")
      #expect(copy.text == body)
      #expect(try Deadline.usual.poll { try outcomes(gateway, "answered") == 1 })
    }
  }

  @Test func `a body in chunks is copied too`() throws {
    let mirror = try Origin.echo()
    try withMirror(to: mirror) { _, client in
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked"], body: "3\r\nabc\r\n")
      Pause.milliseconds(5)
      try client.send("2\r\nde\r\n0\r\nX-T: u\r\n\r\n")
      #expect(try client.response().text == "abcde")
      let copy = try mirror.awaitRequests(1)[0]
      #expect(copy.text == "abcde")
      #expect(copy.trailers.map(\.name) == ["X-T"])
    }
  }

  @Test func `a body that is too long is not copied, and the call does not notice`() throws {
    let mirror = try Origin.echo()
    try withMirror(", body: 1KiB", to: mirror) { gateway, client in
      let body = String(repeating: "m", count: 100_000)
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 100000"], body: body)
      #expect(try client.response().text == body)
      try client.send(
        "POST / HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked"],
        body: "186a0\r\n" + body + "\r\n0\r\n\r\n")
      #expect(try client.response().text == body)
      #expect(try Deadline.usual.poll { try outcomes(gateway, "dropped_body") == 2 })
      #expect(mirror.requests.isEmpty)
    }
  }

  @Test func `a mirror that never answers holds nobody up, and gets no more than it may`() throws {
    let mirror = try Origin.silent()
    try withMirror(", maximum: 3", to: mirror) { gateway, client in
      let statuses = try (0..<20).map { _ in try client.get("/").status }
      #expect(statuses.allSatisfy { $0 == 200 })
      #expect(try Deadline.usual.poll { try outcomes(gateway, "dropped_busy") == 17 })
      #expect(mirror.accepted <= 3)
    }
  }

  @Test func `a mirror that is not there is counted, and no call fails`() throws {
    let mirror = try Origin.silent()
    mirror.stop()
    try withMirror(to: mirror) { gateway, client in
      let statuses = try (0..<5).map { _ in try client.get("/").status }
      #expect(statuses.allSatisfy { $0 == 200 })
      #expect(try Deadline.usual.poll { try outcomes(gateway, "failed") == 5 })
      #expect(try gateway.awaitRecords(5).allSatisfy { $0["fault"] == nil })
    }
  }

  @Test func `only the share that is asked for is copied`() throws {
    let mirror = try Origin.echo()
    try withMirror(", share: 25%", to: mirror) { gateway, client in
      for _ in 0..<400 { _ = try client.get("/") }
      let isDone = try Deadline.usual.poll { try outcomes(gateway, "answered") == mirror.requests.count }
      #expect(isDone)
      #expect((30...170).contains(mirror.requests.count), "\(mirror.requests.count)")
    }
  }
}
