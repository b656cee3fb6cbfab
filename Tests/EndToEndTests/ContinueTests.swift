import GatewayTesting
import Testing

/// `Expect: 100-continue` and interim answers.
struct ContinueTests {
  private let head = ["Host: a.example", "Content-Length: 5", "Expect: 100-continue"]

  @Test func `the target's 100 reaches the client before it sends the body`() throws {
    let origin = try Origin { connection in
      guard var request = try connection.requestHead() else { return }
      try connection.send("HTTP/1.1 100 Continue\r\n\r\n")
      try connection.reader.readBody(of: &request)
      try connection.answer(body: request.text)
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", head)
      #expect(try client.response().status == 100)
      try client.send("hello")
      #expect(try client.response().text == "hello")
      #expect(origin.requests.first?["Expect"] == "100-continue")
    }
  }

  @Test func `a target's refusal comes instead of the 100, and the connection ends`() throws {
    let origin = try Origin { connection in
      guard try connection.requestHead() != nil else { return }
      try connection.answer("401 Unauthorized", body: "no")
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", head)
      let response = try client.response()
      #expect(response.status == 401)
      #expect(response["Connection"] == "close")
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `the gateway's refusal comes instead of the 100`() throws {
    let origin = try Origin.ok()
    let text = "limits: { request_body: 4B }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", head)
      #expect(try client.response().status == 413)
      #expect(client.isClosedByPeer())
      #expect(origin.accepted == 0)
    }
  }

  @Test func `another expectation is refused`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let response = try gateway.get("/", ["Expect: the-unexpected"])
      #expect(response.status == 417)
      #expect(origin.accepted == 0)
    }
  }

  @Test func `interim answers are passed on in order`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.send(
          "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        connection.wait(milliseconds: 5)
        try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n")
        try connection.answer(body: "done")
      }
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        try client.send("GET / HTTP/1.1", ["Host: a.example"])
        let answers = try (1...4).map { _ in try client.response() }
        #expect(answers.map(\.status) == [103, 102, 103, 200])
        #expect(answers[0]["Link"] == "</a.css>; rel=preload")
        #expect(answers[2]["Link"] == "</b.css>")
        #expect(answers[3].text == "done")
      }
      try gateway.stop()
      #expect(try gateway.records().map { $0["status"]?.integer } == [200, 200])
    }
  }

  @Test func `a client of HTTP 1_0 gets no interim answer`() throws {
    let origin = try Origin.sending(
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.0", ["Host: a.example"])
      #expect(try client.response().status == 200)
    }
  }

  @Test func `interim answers without end are a fault of the target`() throws {
    let origin = try Origin.sending(String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 100))
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      var response = try client.response()
      while response.status == 103 { response = try client.response() }
      #expect(response.status == 502)
      #expect(response["X-Fault"] == "upstream")
    }
  }
}
