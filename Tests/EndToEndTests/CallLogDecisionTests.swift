import GatewayTesting
import Testing

/// What plugins decided, in the call log of those who ask for it.
struct CallLogDecisionTests {
  private static let text =
    """
    plugins: [{ request_size: { target: 20B } }, { rate_limit: { rate: 1/h, burst: 2 } }]
    routes:
      all:
        match: /*
        plugins: [cors: "https://a.example", { validate: { request: { schema: { type: object } } } }]
        respond: 200
    """

  private func plan(_ log: String) -> RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.callLog = #"{ path: "${DIRECTORY}/calls"\#(log) }"#
    return plan
  }

  private func decisions(_ record: JSONValue) -> [String] {
    guard case .array(let list)? = record["decisions"] else { return [] }
    return list.map { "\($0["plugin"]?.string ?? "") \($0["verdict"]?.string ?? "")" }
  }

  @Test func `each plugin that the request came to stands in the line with its verdict and its time`() throws {
    try withGateway(Self.text, plan(", decisions: true")) { gateway in
      #expect(try gateway.get("/").status == 200)
      #expect(try gateway.get("/longer-than-twenty-bytes").status == 414)
      let client = try gateway.connect()
      try client.send(
        "POST / HTTP/1.1", ["Host: a", "Content-Type: application/json", "Content-Length: 2"], body: "[]")
      #expect(try client.response().status == 422)
      #expect(try gateway.get("/").status == 429)
      let records = try gateway.awaitRecords(4)
      #expect(
        records.map { decisions($0) } == [
          ["request_size pass", "rate_limit pass", "cors pass"],
          ["request_size refuse"],
          ["request_size pass", "rate_limit pass", "cors pass", "validate refuse"],
          ["request_size pass", "rate_limit refuse"],
        ])
      for record in records {
        guard case .array(let list)? = record["decisions"] else { continue }
        #expect(list.allSatisfy { ($0["us"]?.integer ?? -1) >= 0 })
      }
    }
  }

  @Test func `who does not ask gets none`() throws {
    try withGateway(Self.text, plan("")) { gateway in
      let status = try gateway.get("/").status
      #expect(status == 200)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["decisions"] == nil)
    }
  }
}
