import GatewayTesting
import Testing

/// A request is carried to its target and the answer back, whatever its method and body.
struct ForwardingTests {
  @Test(arguments: ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "QUERY"])
  func `a method is forwarded as it is`(method: String) throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("\(method) /path?a=b HTTP/1.1", ["Host: a.example"])
      let response = try client.response()
      #expect(response.startLine == "HTTP/1.1 200 OK")
      #expect(response.text == "ok")
      let request = try #require(origin.requests.first)
      #expect(request.startLine == "\(method) /path?a=b HTTP/1.1")
      #expect(request["Host"] == "a.example")
    }
  }

  @Test func `a body of any length arrives whole and comes back whole`() throws {
    let origin = try Origin.echo()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for count in [0, 1, 1000, 16_383, 16_384, 65_536, 300_000] {
        let body = String(repeating: "0123456789", count: count / 10 + 1).prefix(count)
        try client.send(
          "POST / HTTP/1.1", ["Host: a.example", "Content-Length: \(count)"], body: String(body))
        let response = try client.response()
        #expect(response.status == 200)
        #expect(response.text == body, "\(count) bytes")
      }
      #expect(origin.requests.count == 7)
      #expect(origin.accepted == 1)
    }
  }

  @Test func `a chunked body arrives in chunks with its trailers`() throws {
    let origin = try Origin.echo()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send(
        "PUT /file HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked", "Trailer: X-Sum"],
        body: "5\r\nhello\r\n7;note=\"x\"\r\n, world\r\n0\r\nX-Sum: 12\r\n\r\n")
      #expect(try client.response().text == "hello, world")
      let request = try #require(origin.requests.first)
      #expect(request.values("Transfer-Encoding") == ["chunked"])
      #expect(request.values("Content-Length").isEmpty)
      #expect(request.trailers == [.init(name: "X-Sum", value: "12")])
    }
  }

  @Test func `a chunked answer keeps its trailers`() throws {
    let origin = try Origin.sending(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        + "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n", thenCloses: false)
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        let response = try client.get("/")
        #expect(response.text == "abcde")
        #expect(response.trailers == [.init(name: "X-Sum", value: "5")])
      }
      #expect(origin.accepted == 1)
    }
  }

  @Test func `an answer that ends with the target's connection ends in chunks for the client`() throws {
    let origin = try Origin.sending("HTTP/1.1 200 OK\r\n\r\nto the end")
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        let response = try client.get("/")
        #expect(response.text == "to the end")
        #expect(response["Transfer-Encoding"] == "chunked")
      }
      #expect(origin.accepted == 2)
    }
  }

  @Test(arguments: [204, 205, 304])
  func `an answer without content ends with its head`(status: Int) throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.send("HTTP/1.1 \(status) X\r\n" + (status == 205 ? "Content-Length: 0\r\n" : "") + "\r\n")
      }
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...3 {
        let response = try client.get("/")
        #expect(response.status == status)
        #expect(response.text == "")
        #expect(response["Transfer-Encoding"] == nil)
      }
      #expect(origin.accepted == 1)
    }
  }

  @Test func `the answer to HEAD keeps its length and has no content`() throws {
    let origin = try Origin.ok("twelve bytes")
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        try client.send("HEAD / HTTP/1.1", ["Host: a.example"])
        let response = try client.response(to: "HEAD")
        #expect(response.status == 200)
        #expect(response["Content-Length"] == "12")
      }
      #expect(try client.get("/").text == "twelve bytes")
      #expect(origin.accepted == 1)
    }
  }

  @Test func `a not modified answer may tell the length of what is not sent`() throws {
    let origin = try Origin.sending(
      "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 5000\r\n\r\n", thenCloses: false)
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 { #expect(try client.get("/")["ETag"] == "\"a\"") }
      #expect(origin.accepted == 1)
    }
  }

  @Test func `everything that passes is in the call log once`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      for index in 1...5 { #expect(try client.get("/items/\(index)?q=a%20b").status == 200) }
      try gateway.stop()
      let records = try gateway.records()
      #expect(records.map { $0["path"]?.string } == (1...5).map { "/items/\($0)" })
      let ids = origin.requests.map { $0["X-Request-Id"] }
      #expect(records.map { $0["request_id"]?.string } == ids)
      for record in records {
        #expect(record["method"]?.string == "GET")
        #expect(record["query"]?.string == "q=a%20b")
        #expect(record["host"]?.string == "a.example")
        #expect(record["route"]?.string == "all")
        #expect(record["template"]?.string == "/*")
        #expect(record["status"]?.integer == 200)
        #expect(record["attempts"]?.integer == 1)
        #expect(record["target"]?.string == "127.0.0.1:\(origin.port)")
        #expect(record["fault"] == nil)
        #expect(record["cancelled"] == nil)
      }
    }
  }
}
