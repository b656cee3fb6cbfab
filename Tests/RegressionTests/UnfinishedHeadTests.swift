import GatewayTesting
import Testing

/// A head that is refused or left has no fields that may be read, yet its call has a client, a time and an id.
@Suite struct UnfinishedHeadTests {
  private static let configuration = """
    trusted_proxies: [127.0.0.0/8]
    routes: { all: { match: /*, respond: { status: 200, body: ok } } }
    """

  @Test func `a trusted proxy that leaves within a head ends nobody else's calls`() throws {
    try withGateway(Self.configuration) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 192.0.2.1\r\nX-Request-Id: abc\r\nX-Req")
      client.halfClose()
      let record = try #require(try gateway.awaitRecords(1).first)
      #expect(record["reason"]?.string == "client_closed")
      #expect(record["client"]?.string == "127.0.0.1")
      #expect(try gateway.get("/").status == 200)
    }
  }

  @Test func `the record of a refused head says who sent it and when`() throws {
    try withGateway(Self.configuration) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1\r\nHost: a b\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
      let response = try client.response()
      #expect(response.status == 400)
      let record = try #require(try gateway.awaitRecords(1).first)
      #expect(record["client"]?.string == "127.0.0.1")
      #expect(record["request_id"]?.string?.count == 32)
      #expect(record["time"]?.string?.hasPrefix("1970") == false)
    }
  }
}
