import GatewayTesting
import Testing

/// Targets that lie about length, answer twice, answer before they are asked, never answer, or leave in the middle.
struct MisbehavingTargetTests {
  private static let once = """
    upstreams:
      u:
        targets: [{ url: ORIGIN }]
        retries: { maximum: 0 }
        timeouts: { first_byte: 200ms, idle: 200ms }
    routes: { all: { match: /*, upstream: u } }
    """

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
  ])
  func `an answer that is shorter than promised is cut for the client too`(bytes: String) throws {
    let origin = try Origin.sending(bytes)
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      #expect(throws: WireError.self) { try client.response() }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["status"]?.integer == 200)
      #expect(record["fault"]?.string == "upstream")
      #expect(record["reason"]?.string == "upstream_truncated")
    }
  }

  @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\nhello"])
  func `an answer that is reset in the middle is cut for the client too`(bytes: String) throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      try connection.send(bytes)
      connection.wait(milliseconds: 50)
      connection.reset()
    }
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      #expect(throws: WireError.self) { try client.response() }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["fault"]?.string == "upstream")
      #expect(record["reason"]?.string == "upstream_truncated")
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and some more",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nevil",
  ])
  func `what follows an answer is nobody's answer`(bytes: String) throws {
    let origin = try Origin.sending(bytes, thenCloses: false)
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...4 { #expect(try client.get("/").text == "ok") }
      #expect(client.reader.isEmpty)
      #expect(origin.accepted == 4)
      #expect(try gateway.awaitRecords(4).allSatisfy { $0["fault"] == nil })
    }
  }

  @Test func `what follows the answer to HEAD is nobody's answer`() throws {
    let origin = try Origin.sending("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", thenCloses: false)
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...3 {
        try client.send("HEAD / HTTP/1.1", ["Host: a.example"])
        #expect(try client.response(to: "HEAD")["Content-Length"] == "4")
      }
      #expect(client.reader.isEmpty)
      #expect(origin.accepted == 3)
    }
  }

  @Test func `an answer on a resting connection ends the connection`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.answer(body: "right")
        connection.wait(milliseconds: 20)
        try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
      }
    }
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      for count in 1...3 {
        #expect(try client.get("/").text == "right")
        #expect(origin.awaitNoConnection())
        #expect(origin.accepted == count)
      }
    }
  }

  @Test func `an answer before the request never shifts the answers after it`() throws {
    let origin = try Origin { connection in
      try connection.answer(body: "early")
      while let request = try connection.request() { try connection.answer(body: request.target) }
    }
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      for index in 1...10 {
        // Nobody can tell an early answer from the right one when it comes just as the request is sent.
        let response = try client.get("/\(index)")
        #expect(response.status == 502 || ["early", "/\(index)"].contains(response.text))
        Pause.milliseconds(10)
      }
    }
  }

  @Test func `a target that never answers is given up`() throws {
    let origin = try Origin.silent()
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      let response = try client.get("/")
      #expect(response.status == 504)
      #expect(response["X-Fault"] == "upstream")
      #expect(origin.awaitNoConnection())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "first_byte_timeout")
      #expect(record["total_us"]?.integer ?? 0 >= 200_000)
    }
  }

  @Test func `a target that falls silent in its head is given up`() throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200 OK\r\nContent-")
      connection.awaitEnd()
    }
    try withGateway(Self.once, to: origin) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 504)
      #expect(origin.awaitNoConnection())
    }
  }

  @Test func `a target that falls silent in its answer is given up and the answer cut`() throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
      connection.awaitEnd()
    }
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      #expect(throws: WireError.self) { try client.response() }
      #expect(origin.awaitNoConnection())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["fault"]?.string == "upstream")
      #expect(record["reason"]?.string == "idle_timeout")
    }
  }

  @Test func `a target that reads nothing is given up`() throws {
    let origin = try Origin { connection in connection.wait(milliseconds: 2000) }
    let text = "limits: { request_body: 1GiB }\n" + Self.once
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 1000000000"])
      let block = [UInt8](repeating: 0x61, count: 1 << 20)
      while let count = try? client.stream.writeSome(block) {
        if count == 0 { Pause.milliseconds(5) }
        if try !gateway.records().isEmpty { break }
      }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["status"]?.integer == 504)
      #expect(record["reason"]?.string == "idle_timeout")
    }
  }

  @Test func `an answer that trickles is no silence`() throws {
    let bytes = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        for byte in bytes {
          try connection.send([byte])
          connection.wait(milliseconds: 5)
        }
      }
    }
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 { #expect(try client.get("/").text == "helloabc") }
      #expect(origin.accepted == 1)
    }
  }

  @Test func `an answer cut at any byte into two is the same answer`() throws {
    let bytes = Array(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n3;e\r\nabc\r\n0\r\nT: u\r\n\r\n".utf8)
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let place = Int(request.target.dropFirst()) ?? 0
        try connection.send(Array(bytes[..<place]))
        connection.wait(milliseconds: 2)
        try connection.send(Array(bytes[place...]))
      }
    }
    try withGateway(Self.once, to: origin) { gateway in
      let client = try gateway.connect()
      for place in 0..<bytes.count {
        let response = try client.get("/\(place)")
        #expect(response.text == "helloabc", "cut at \(place)")
        #expect(response.trailers == [.init(name: "T", value: "u")], "cut at \(place)")
      }
      #expect(origin.accepted == 1)
    }
  }

  @Test func `a call takes no longer than its total`() throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
      while true {
        try connection.send("x")
        connection.wait(milliseconds: 20)
      }
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], timeouts: { total: 300ms } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      #expect(throws: WireError.self) { try client.response() }
      #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == "total_timeout")
    }
  }

  @Test(arguments: [true, false])
  func `a client that leaves cancels its call`(hasBegun: Bool) throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      if hasBegun { try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello") }
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      _ = try origin.awaitRequests(1)
      if hasBegun { _ = try client.stream.read() }
      client.close()
      #expect(origin.awaitNoConnection())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["cancelled"]?.string == "client")
      #expect(record["reason"]?.string == "client_closed")
      #expect(record["fault"]?.string == "client")
    }
  }
}
