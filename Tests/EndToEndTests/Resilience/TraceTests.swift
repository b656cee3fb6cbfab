import GatewayTesting
import Testing

/// The gateway as a span of its own.
struct TraceTests {
  @Test func `target and call log have the same trace`() throws {
    let origin = try Origin.ok()
    try withGateway("plugins: [{ trace: {} }]\nroutes: { all: { match: /*, upstream: ORIGIN } }", to: origin) {
      gateway in
      let client = try gateway.connect()
      let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      _ = try client.get("/a", ["traceparent: \(given)", "tracestate: v=1"])
      _ = try client.get("/b")
      let parents = try origin.awaitRequests(2).map { $0["traceparent"]?.split(separator: "-").map(String.init) ?? [] }
      let records = try gateway.awaitRecords(2)
      for (parent, record) in zip(parents, records) {
        #expect(parent.count == 4)
        #expect(record["trace_id"]?.string == parent[1])
        #expect(record["span_id"]?.string == parent[2])
      }
      #expect(records[0]["trace_id"]?.string == "0af7651916cd43dd8448eb211c80319c")
      #expect(records[0]["parent_id"]?.string == "b7ad6b7169203331")
      #expect(records[1]["parent_id"] == nil)
      #expect(origin.requests[0]["tracestate"] == "v=1")
    }
  }
}
