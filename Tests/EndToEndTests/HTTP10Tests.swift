import GatewayTesting
import Testing

/// Clients that speak HTTP/1.0, in front of targets that speak 1.1.
struct HTTP10Tests {
  @Test func `the connection ends after an answer unless the client asks to keep it`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.0", ["Host: a.example"])
      let response = try client.response()
      #expect(response.status == 200)
      #expect(response["Connection"] == "close")
      #expect(client.isClosedByPeer())
      #expect(origin.requests.first?.startLine == "GET / HTTP/1.1")
    }
  }

  @Test func `keep-alive keeps the connection`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...3 {
        try client.send("GET / HTTP/1.0", ["Host: a.example", "Connection: keep-alive"])
        let response = try client.response()
        #expect(response["Connection"] == "keep-alive")
        #expect(response.text == "ok")
      }
    }
  }

  @Test func `a request without Host is forwarded`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.0", [])
      #expect(try client.response().status == 200)
      #expect(origin.requests.first?.values("Host").count == 1)
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nabcdef",
    "HTTP/1.0 200 OK\r\n\r\nabcdef",
  ])
  func `an answer of unknown length ends with the connection`(answer: String) throws {
    let origin = try Origin.sending(answer)
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.0", ["Host: a.example", "Connection: keep-alive"])
      let response = try client.response()
      #expect(response["Transfer-Encoding"] == nil)
      #expect(response["Content-Length"] == nil)
      #expect(response["Connection"] == "close")
      #expect(response.text == "abcdef")
    }
  }

  @Test func `a client of 1_1 gets 1_1 from a target of 1_0`() throws {
    let origin = try Origin.sending("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        let response = try client.get("/")
        #expect(response.startLine == "HTTP/1.1 200 OK")
        #expect(response.text == "ok")
      }
      #expect(origin.accepted == 2)
    }
  }
}
