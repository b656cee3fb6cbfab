import GatewayTesting
import Testing

/// The WebSocket handshake through the gateway: what is forwarded, refused, and never believed.
struct WebSocketHandshakeTests {
  @Test func `an upgrade is forwarded, and octets right behind either head are the tunnel's`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      // Its first frame comes in one piece with the head.
      try connection.send(Handshake.answer + "early")
      #expect(try connection.reader.take(9) == Array("pipelined".utf8))
      try connection.send("late")
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET /chat?x=1 HTTP/1.1", Handshake.fields, body: "pipelined")
      let response = try client.response()
      #expect(response.status == 101)
      #expect(response["Connection"]?.lowercased() == "upgrade")
      #expect(response["Upgrade"] == "websocket")
      #expect(response["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
      #expect(response["X-Request-Id"] != nil)
      #expect(try client.reader.take(9) == Array("earlylate".utf8))
      client.close()
      let request = try #require(origin.requests.first)
      #expect(request["Connection"]?.lowercased() == "upgrade")
      #expect(request["Upgrade"] == "websocket")
      #expect(request["Sec-WebSocket-Key"] == "dGhlIHNhbXBsZSBub25jZQ==")
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["status"]?.integer == 101)
      #expect(record["bytes_in"]?.integer == 9)
      #expect(record["bytes_out"]?.integer == 9)
      #expect(record["closed_by"]?.string == "client")
      #expect(record["close_code"] == nil)
      #expect(record["fault"] == nil)
      #expect(record["path"]?.string == "/chat")
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test(arguments: [
    ["Upgrade: websocket"],
    ["Connection: close, upgraded", "Upgrade: websocket"],
    ["Connection: upgrade", "Upgrade: h2c"],
    ["Connection: upgrade"],
  ])
  func `what is no upgrade is served as a plain request, and its fields stay with the gateway`(_ fields: [String])
    throws
  {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let response = try gateway.get("/", fields)
      #expect(response.status == 200)
      #expect(origin.requests.first?["Upgrade"] == nil)
      #expect(origin.requests.first?["Connection"] == nil)
    }
  }

  @Test(arguments: [
    (3, "Sec-WebSocket-Version: 8", 426, "websocket_version"),
    (4, "Sec-WebSocket-Key: short", 400, "malformed_upgrade"),
    (4, "X: y", 400, "malformed_upgrade"),
  ])
  func `a broken handshake is refused before anything is forwarded`(
    _ index: Int, _ line: String, _ status: Int, _ reason: String
  ) throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      var fields = Handshake.fields
      fields[index] = line
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", fields)
      let response = try client.response()
      #expect(response.status == status)
      #expect(response["Sec-WebSocket-Version"] == (status == 426 ? "13" : nil))
      #expect(response["Upgrade"] == (status == 426 ? "websocket" : nil))
      #expect(response["X-Fault"] == "client")
      // The connection speaks HTTP still.
      #expect(try client.get("/next").status == 200)
      #expect(origin.accepted == 1)
      #expect(try gateway.awaitRecords(2)[0]["reason"]?.string == reason)
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "upgrade_mismatch"),
    (Handshake.answer.replacing("s3p", with: "S3p"), "upgrade_mismatch"),
    (Handshake.answer.replacing("Upgrade: websocket", with: "Upgrade: chat"), "upgrade_mismatch"),
    (Handshake.answer.replacing("Connection: upgrade\r\n", with: ""), "upgrade_mismatch"),
  ])
  func `a 101 that does not answer what was asked is the target's fault`(_ answer: String, _ reason: String) throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(answer + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      connection.awaitEnd()
    }
    let text =
      "upstreams: { u: { targets: [ORIGIN], retries: { maximum: 0 } } }\nroutes: { all: { match: /*, upstream: u } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", Handshake.fields)
      let response = try client.response()
      #expect(response.status == 502)
      #expect(response["X-Fault"] == "upstream")
      #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == reason)
      #expect(origin.awaitNoConnection())
    }
  }

  @Test func `a 101 that nobody asked for is the target's fault`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.send(Handshake.answer) }
    }
    let text =
      "upstreams: { u: { targets: [ORIGIN], retries: { maximum: 0 } } }\nroutes: { all: { match: /*, upstream: u } }"
    try withGateway(text, to: origin) { gateway in
      for fields in [[], ["Upgrade: websocket"], ["Connection: upgrade", "Upgrade: h2c"]] as [[String]] {
        #expect(try gateway.get("/", fields).status == 502)
      }
      for record in try gateway.awaitRecords(3) { #expect(record["reason"]?.string == "unexpected_upgrade") }
    }
  }

  @Test func `a target that does not switch answers as ever, and what follows is the next request`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        try connection.answer(request.target == "/" ? "403 Forbidden" : "200 OK", body: request.target)
      }
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", Handshake.fields, body: "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.response().status == 403)
      #expect(try client.response().text == "/next")
      #expect(origin.accepted == 1)
    }
  }
}
