import GatewayTesting
import Testing

/// `timeouts.total` cut streams, though it is of calls that are none.
struct StreamTotalTests {
  @Test(arguments: [
    "text/event-stream", "Text/Event-Stream; charset=utf-8", "application/grpc+proto", "application/x-ndjson",
  ])
  func `a stream outlives the total of its upstream`(type: String) throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n")
      for _ in 1...6 {
        connection.wait(milliseconds: 100)
        try connection.send("6\r\ndata\n\n\r\n")
      }
      try connection.send("0\r\n\r\n")
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], timeouts: { total: 200ms } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: origin) { gateway in
      let response = try gateway.get("/")
      #expect(response.text.utf8.count == 36)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["fault"] == nil)
      // Content alone, without the frames of chunks.
      #expect(record["bytes_out"]?.integer == 36)
    }
  }

  @Test func `another type with the same beginning is no stream`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\nTransfer-Encoding: chunked\r\n\r\n")
      connection.awaitEnd()
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], timeouts: { total: 200ms } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: origin) { gateway in
      #expect(throws: WireError.self) { _ = try gateway.get("/") }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "total_timeout")
    }
  }
}
