import GatewayTesting
import Testing

/// What a client may ask for, and how slowly.
struct LimitTests {
  private func expectRefusal(
    _ response: WireMessage, _ status: Int, _ reason: String, _ gateway: RunningGateway,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(response.status == status, sourceLocation: location)
    #expect(response["X-Fault"] == "client", sourceLocation: location)
    #expect(response["Connection"] == "close", sourceLocation: location)
    #expect(response["Content-Type"] == "application/problem+json", sourceLocation: location)
    let records = try gateway.awaitRecords(1)
    #expect(records.count == 1, sourceLocation: location)
    #expect(records[0]["status"]?.integer == status, sourceLocation: location)
    #expect(records[0]["fault"]?.string == "client", sourceLocation: location)
    #expect(records[0]["reason"]?.string == reason, sourceLocation: location)
    #expect(records[0]["request_id"]?.string == response["X-Request-Id"], sourceLocation: location)
    #expect(response["X-Request-Id"]?.utf8.count == 32, sourceLocation: location)
    #expect(records[0]["client"]?.string == "127.0.0.1", sourceLocation: location)
  }

  @Test func `a body longer than the limit is refused before anything is forwarded`() throws {
    let origin = try Origin.ok()
    let text = "limits: { request_body: 1KiB }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 1025"])
      try expectRefusal(client.response(), 413, "body_too_large", gateway)
      #expect(client.isClosedByPeer())
      #expect(origin.accepted == 0)
    }
  }

  @Test func `a body of exactly the limit passes`() throws {
    let origin = try Origin.echo()
    let text = "limits: { request_body: 1KiB }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let body = String(repeating: "a", count: 1024)
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 1024"], body: body)
      #expect(try client.response().text == body)
      try client.send(
        "POST / HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked"], body: "400\r\n\(body)\r\n0\r\n\r\n")
      #expect(try client.response().text == body)
    }
  }

  @Test(arguments: [true, false])
  func `a chunked body that crosses the limit is cut, upstream too`(isSlow: Bool) throws {
    let origin = try Origin { connection in
      _ = try connection.requestHead()
      connection.awaitEnd()
    }
    let text = "limits: { request_body: 1KiB }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let chunk = "200\r\n\(String(repeating: "a", count: 512))\r\n"
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked"], body: chunk + chunk)
      if isSlow { _ = try origin.awaitRequests(1) }
      try client.send("1\r\nb\r\n0\r\n\r\n")
      try expectRefusal(client.response(), 413, "body_too_large", gateway)
      #expect(client.isClosedByPeer())
      #expect(origin.awaitNoConnection())
    }
  }

  @Test func `a route may have a limit of its own`() throws {
    let origin = try Origin.echo()
    let text = """
      limits: { request_body: 10B }
      routes:
        all: { match: /*, upstream: ORIGIN }
        large: { match: /large, upstream: ORIGIN, limits: { request_body: 20B } }
      """
    try withGateway(text, to: origin) { gateway in
      for (path, status) in [("/", 413), ("/large", 200)] {
        let client = try gateway.connect()
        try client.send("POST \(path) HTTP/1.1", ["Host: a.example", "Content-Length: 15"], body: "123456789012345")
        #expect(try client.response().status == status)
      }
    }
  }

  @Test(arguments: [
    ("GET /\(String(repeating: "a", count: 300)) HTTP/1.1", "Host: a.example", 414, "target_too_long"),
    ("GET / HTTP/1.1", "Host: a.example\r\nX: \(String(repeating: "a", count: 2100))", 431, "head_too_large"),
    (
      "GET / HTTP/1.1", "Host: a.example\r\n" + (1...10).map { "X-\($0): y" }.joined(separator: "\r\n"), 431,
      "too_many_fields"
    ),
  ])
  func `a head beyond a limit is refused`(line: String, fields: String, status: Int, reason: String) throws {
    let origin = try Origin.ok()
    let text = """
      limits: { request_head: 2KiB, request_target: 256B, headers: 10 }
      routes: { all: { match: /*, upstream: ORIGIN } }
      """
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send(line, [fields])
      try expectRefusal(client.response(), status, reason, gateway)
      #expect(client.isClosedByPeer())
      #expect(origin.accepted == 0)
    }
  }

  @Test func `a head without an end is refused when the limit is reached`() throws {
    let origin = try Origin.ok()
    let text = "limits: { request_head: 2KiB }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1\r\nHost: a.example\r\nX: ")
      for _ in 1...60 { try? client.send(String(repeating: "a", count: 50)) }
      try expectRefusal(client.response(), 431, "head_too_large", gateway)
    }
  }

  @Test(arguments: ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a.example\r\n\r"])
  func `a head that takes too long is refused`(part: String) throws {
    let origin = try Origin.ok()
    let text = "limits: { head_timeout: 150ms }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send(part)
      try expectRefusal(client.response(), 408, "head_timeout", gateway)
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `a head that drips is refused although it never falls silent`() throws {
    let origin = try Origin.ok()
    let text = "limits: { head_timeout: 300ms }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let head = Array("GET / HTTP/1.1\r\nHost: a.example\r\nX-Long: \(String(repeating: "a", count: 400))".utf8)
      for byte in head where client.reader.isEmpty {
        Pause.milliseconds(5)
        do { try client.send([byte]) } catch { break }
      }
      try expectRefusal(client.response(), 408, "head_timeout", gateway)
    }
  }

  @Test(arguments: ["Content-Length: 10", "Transfer-Encoding: chunked"])
  func `a body that stops is refused`(framing: String) throws {
    let origin = try Origin { connection in
      _ = try connection.requestHead()
      connection.awaitEnd()
    }
    let text = "limits: { body_timeout: 150ms }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", framing], body: "5\r\n")
      try expectRefusal(client.response(), 408, "body_timeout", gateway)
      #expect(client.isClosedByPeer())
      #expect(origin.awaitNoConnection())
    }
  }

  @Test func `a connection that says nothing is closed without a word`() throws {
    let origin = try Origin.ok()
    let text = "limits: { idle_timeout: 100ms }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      #expect(try gateway.connect().isClosedByPeer())
      let client = try gateway.connect()
      #expect(try client.get("/").status == 200)
      #expect(client.isClosedByPeer())
      #expect(try gateway.awaitRecords(1).count == 1)
    }
  }

  @Test func `a client that reads nothing is given up`() throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
      let block = [UInt8](repeating: 0x61, count: 64 << 10)
      while true { try connection.send(block) }
    }
    let text = "limits: { body_timeout: 200ms }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "client_stalled")
      #expect(record["fault"]?.string == "client")
      #expect(origin.awaitNoConnection())
    }
  }
}
