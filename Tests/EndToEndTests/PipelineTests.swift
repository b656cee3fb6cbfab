import GatewayTesting
import Testing

/// Several requests sent before the first answer.
struct PipelineTests {
  @Test func `requests sent at once are answered in their order`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() { try connection.answer(body: request.target + request.text) }
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send(
        """
        GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n\
        POST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc\
        POST /3 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n\
        GET /4 HTTP/1.1\r\nHost: a.example\r\n\r\n
        """)
      #expect(try (1...4).map { _ in try client.response().text } == ["/1", "/2abc", "/3de", "/4"])
      try gateway.stop()
      #expect(try gateway.records().map { $0["path"]?.string } == ["/1", "/2", "/3", "/4"])
    }
  }

  @Test func `a pipeline cut at any byte is answered in order`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() { try connection.answer(body: request.target + request.text) }
    }
    let bytes = Array(
      """
      POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
      POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n
      """.utf8)
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for place in 1..<bytes.count {
        try client.send(bytes, splitAt: [place], pause: 1)
        let answers = try (1...3).map { _ in try client.response().text }
        #expect(answers == ["/1abc", "/2de", "/3"], "cut at \(place)")
      }
    }
  }

  @Test func `a mistake in a pipeline is answered behind the answers before it`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost : a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.response().status == 200)
      let refusal = try client.response()
      #expect(refusal.status == 400)
      #expect(refusal["Connection"] == "close")
      #expect(client.isClosedByPeer())
      try gateway.stop()
      #expect(origin.requests.map(\.target) == ["/1"])
      #expect(try gateway.records().map { $0["status"]?.integer } == [200, 400])
    }
  }

  @Test func `answers of the gateway itself stand in a pipeline like others`() throws {
    let origin = try Origin.ok()
    let text = """
      routes:
        all: { match: /v1/*, upstream: ORIGIN }
        fixed: { match: /fixed, respond: { status: 200, body: fixed } }
      """
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      for path in ["/fixed", "/v1/a", "/nowhere", "/v1/b", "/fixed"] {
        try client.send("GET \(path) HTTP/1.1", ["Host: a.example"])
      }
      #expect(try (1...5).map { _ in try client.response().status } == [200, 200, 404, 200, 200])
    }
  }

  @Test func `a long pipeline is answered whole`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      let request = "GET /a/path/of/some/length HTTP/1.1\r\nHost: a.example\r\nUser-Agent: pipeline\r\n\r\n"
      try client.send(String(repeating: request, count: 500))
      for _ in 1...500 { #expect(try client.response().status == 200) }
      #expect(origin.accepted == 1)
    }
  }
}
