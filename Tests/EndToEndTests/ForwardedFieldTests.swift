import GatewayTesting
import Testing

/// What is taken off messages on their way, and what the gateway adds.
struct ForwardedFieldTests {
  private func forwarded(
    _ fields: [String], configuration: String = "routes: { all: { match: /*, upstream: ORIGIN } }"
  ) throws -> (request: WireMessage, record: JSONValue) {
    let origin = try Origin.ok()
    return try withGateway(configuration, to: origin) { gateway in
      #expect(try gateway.get("/", fields).status == 200)
      return (try #require(origin.requests.first), try gateway.awaitRecords(1)[0])
    }
  }

  @Test func `fields about the client's connection stay there`() throws {
    let (request, _) = try forwarded([
      "Connection: keep-alive, X-Mine", "X-Mine: 1", "x-mine: 2", "Keep-Alive: timeout=5", "Proxy-Connection: close",
      "TE: trailers", "Upgrade: h2c", "Proxy-Authorization: Basic eDp5", "X-Kept: yes",
    ])
    for name in ["Connection", "X-Mine", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade"] {
      #expect(request.values(name).isEmpty, "\(name)")
    }
    #expect(request["X-Kept"] == "yes")
  }

  @Test func `only who is trusted speaks for a proxy, in whatever field`() throws {
    let fields = [
      "X-Forwarded-Port: 1", "x-forwarded-ssl: on", "X-Forwarded-User: root", "X-Real-IP: 1.2.3.4", "X-Real-Id: 1",
    ]
    let (request, _) = try forwarded(fields)
    for name in ["X-Forwarded-Port", "X-Forwarded-Ssl", "X-Forwarded-User", "X-Real-IP"] {
      #expect(request.values(name).isEmpty, "\(name)")
    }
    #expect(request["X-Real-Id"] == "1")
    let (trusted, _) = try forwarded(
      fields,
      configuration: """
        trusted_proxies: [127.0.0.0/8]
        routes:
          all:
            match: /*
            plugins: [{ headers: { request: { set: { X-Forwarded-Prefix: /a } } } }]
            upstream: ORIGIN
        """)
    #expect(trusted["X-Forwarded-Port"] == "1" && trusted["X-Real-IP"] == "1.2.3.4")
    let (own, _) = try forwarded(
      fields,
      configuration: """
        routes:
          all:
            match: /*
            plugins: [{ headers: { request: { set: { X-Forwarded-Prefix: /a } } } }]
            upstream: ORIGIN
        """)
    #expect(own["X-Forwarded-Prefix"] == "/a")
  }

  @Test func `fields about the target's connection stay there`() throws {
    let origin = try Origin.sending(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n"
        + "Proxy-Connection: x\r\nUpgrade: h2c\r\nX-Kept: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok",
      thenCloses: false)
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        let response = try client.get("/")
        for name in ["Connection", "X-Mine", "Keep-Alive", "Proxy-Connection", "Upgrade"] {
          #expect(response.values(name).isEmpty, "\(name)")
        }
        #expect(response["X-Kept"] == "yes")
        #expect(response.values("Set-Cookie") == ["a=1", "b=2"])
      }
    }
  }

  @Test func `fields keep their order, spelling and bytes`() throws {
    let (request, _) = try forwarded(["x-B: 1", "X-a: two  words", "X-A: caf\u{e9}", "X-Empty:", "X-b: 2"])
    let own = request.fields.filter { $0.name.lowercased().hasPrefix("x-") && $0.name.utf8.count < 8 }
    #expect(
      own == [
        .init(name: "x-B", value: "1"), .init(name: "X-a", value: "two  words"), .init(name: "X-A", value: "caf\u{e9}"),
        .init(name: "X-Empty", value: ""), .init(name: "X-b", value: "2"),
      ])
  }

  @Test func `Via names the gateway behind those before it`() throws {
    let (request, _) = try forwarded(["Via: 1.0 fred"])
    #expect(request.values("Via").joined(separator: ", ") == "1.0 fred, 1.1 sluice")
  }

  @Test func `what a stranger says about the client is dropped`() throws {
    let (request, record) = try forwarded([
      "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example",
      "Forwarded: for=1.2.3.4", "X-Request-Id: mine",
    ])
    #expect(request.values("X-Forwarded-For") == ["127.0.0.1"])
    #expect(request.values("X-Forwarded-Proto") == ["http"])
    #expect(request.values("X-Forwarded-Host") == ["a.example"])
    #expect(request.values("Forwarded") == [#"for=127.0.0.1;host="a.example";proto=http"#])
    #expect(request.values("X-Request-Id").count == 1)
    #expect(request["X-Request-Id"] != "mine")
    #expect(record["client"]?.string == "127.0.0.1")
  }

  @Test func `what a trusted proxy says about the client is kept and added to`() throws {
    let (request, record) = try forwarded(
      [
        "X-Forwarded-For: 6.6.6.6, 1.2.3.4", "X-Forwarded-For: 10.0.0.9", "X-Forwarded-Proto: https",
        "X-Forwarded-Host: shop.example", "Forwarded: for=1.2.3.4;proto=https", "X-Request-Id: from-the-edge.1",
      ],
      configuration: "trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]\nroutes: { all: { match: /*, upstream: ORIGIN } }")
    #expect(
      request.values("X-Forwarded-For").joined(separator: ", ") == "6.6.6.6, 1.2.3.4, 10.0.0.9, 127.0.0.1")
    #expect(request.values("X-Forwarded-Proto") == ["https"])
    #expect(request.values("X-Forwarded-Host") == ["shop.example"])
    #expect(request.values("Forwarded").joined(separator: ", ").hasPrefix("for=1.2.3.4;proto=https, for=127.0.0.1"))
    #expect(request["X-Request-Id"] == "from-the-edge.1")
    #expect(record["client"]?.string == "1.2.3.4")
    #expect(record["request_id"]?.string == "from-the-edge.1")
  }

  @Test func `an id that is no token is replaced even from a trusted proxy`() throws {
    let (request, record) = try forwarded(
      ["X-Request-Id: a b\u{e9}"],
      configuration: "trusted_proxies: [127.0.0.1]\nroutes: { all: { match: /*, upstream: ORIGIN } }")
    #expect(request.values("X-Request-Id").count == 1)
    #expect(request["X-Request-Id"]?.utf8.count == 32)
    #expect(request["X-Request-Id"] == record["request_id"]?.string)
  }

  @Test func `an absolute target is forwarded by its path and host`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET http://a.example/x?y HTTP/1.1", ["Host: a.example"])
      #expect(try client.response().status == 200)
      try client.send("GET http://a.example HTTP/1.1", ["Host: a.example"])
      #expect(try client.response().status == 200)
      #expect(origin.requests.map(\.startLine) == ["GET /x?y HTTP/1.1", "GET / HTTP/1.1"])
      #expect(origin.requests.map { $0["Host"] } == ["a.example", "a.example"])
    }
  }
}
