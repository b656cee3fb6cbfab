import GatewayTesting
import Testing

/// OPTIONS and TRACE say how many proxies they may pass (RFC 9110 §7.6.2).
struct MaxForwardsTests {
  private static let text = """
    routes:
      all: { match: /x, upstream: ORIGIN }
      some: { match: [GET /some, OPTIONS /some, TRACE /some], upstream: ORIGIN }
      closed: { match: /closed, upstream: ORIGIN, plugins: [ip_access: { allow: [192.0.2.1] }] }
    """

  private func send(
    _ requestLine: String, _ fields: [String], on client: Client
  ) throws -> WireMessage {
    try client.send(requestLine + " HTTP/1.1", ["Host: a.example"] + fields)
    return try client.response()
  }

  @Test(arguments: ["OPTIONS", "TRACE"])
  func `each gateway counts itself off`(method: String) throws {
    let origin = try Origin.ok()
    try withGateway(Self.text, to: origin) { gateway in
      let client = try gateway.connect()
      for number in ["1", "10", "007", "9999999999999999999999999"] {
        #expect(try send("\(method) /x", ["Max-Forwards: \(number)"], on: client).status == 200)
      }
      #expect(try send("\(method) /x", [], on: client).status == 200)
      #expect(origin.requests.map { $0["Max-Forwards"] } == ["0", "9", "6", "999999", nil])
      #expect(origin.requests.allSatisfy { $0.values("Max-Forwards").count < 2 })
    }
  }

  @Test func `a request that may go no further is answered here`() throws {
    let origin = try Origin.ok()
    try withGateway(Self.text, to: origin) { gateway in
      let client = try gateway.connect()
      let some = try send("OPTIONS /some", ["Max-Forwards: 0"], on: client)
      #expect(some.status == 204)
      #expect(some["Allow"] == "GET, HEAD, OPTIONS, TRACE")
      let any = try send("OPTIONS /x", ["Max-Forwards: 0"], on: client)
      #expect(any["Allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")
      let trace = try send("TRACE /some", ["Max-Forwards: 0", "Cookie: secret"], on: client)
      #expect(trace.status == 405)
      #expect(trace["Allow"] == "GET, HEAD, OPTIONS")
      #expect(!trace.text.contains("secret"))
      #expect(try send("OPTIONS /closed", ["Max-Forwards: 0"], on: client).status == 403)
      #expect(origin.requests.isEmpty)
    }
  }

  @Test(arguments: [
    ["Max-Forwards: -1"], ["Max-Forwards: 1, 2"], ["Max-Forwards:"], ["Max-Forwards: 1", "Max-Forwards: 1"],
  ])
  func `a number that is none is refused`(fields: [String]) throws {
    let origin = try Origin.ok()
    try withGateway(Self.text, to: origin) { gateway in
      let client = try gateway.connect()
      #expect(try send("OPTIONS /x", fields, on: client).status == 400)
      #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == "invalid_max_forwards")
      // Other methods may have what they like.
      #expect(try send("GET /x", fields, on: client).status == 200)
      #expect(origin.requests.count == 1)
    }
  }
}
