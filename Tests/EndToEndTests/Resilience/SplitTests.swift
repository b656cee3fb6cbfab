import GatewayTesting
import Testing

/// A route that divides its calls among upstreams.
struct SplitTests {
  private func withTwo(_ split: String, _ body: (RunningGateway) throws -> Void) throws {
    let old = try Origin.ok("old")
    let new = try Origin.ok("new")
    defer { new.stop() }
    let text = """
      upstreams: { old: { targets: [{ url: ORIGIN }] }, new: { targets: [{ url: "\(new.url)" }] } }
      routes: { all: { match: "/{id}", split: { \(split) } } }
      """
    try withGateway(text, to: old) { try body($0) }
  }

  @Test func `without a key calls are divided by chance in proportion`() throws {
    try withTwo("to: [{ upstream: old, weight: 3 }, { upstream: new, weight: 1 }]") { gateway in
      let client = try gateway.connect()
      let answers = try (0..<400).map { _ in try client.get("/x").text }
      let new = answers.filter { $0 == "new" }.count
      // 100 are expected; eight standard deviations of 8.7 each way.
      #expect((30...170).contains(new), "\(new)")
      #expect(try gateway.awaitRecords(400).filter { $0["upstream"]?.string == "new" }.count == new)
    }
  }

  @Test(arguments: ["header.x-user", "cookie.user", "path.id", "query.user"])
  func `calls that agree in the value go the same way`(key: String) throws {
    try withTwo("by: \(key), to: [{ upstream: old, weight: 50 }, { upstream: new, weight: 50 }]") { gateway in
      var seen: Set<String> = []
      let client = try gateway.connect()
      for user in 0..<40 {
        let answers = try (0..<3).map { _ in
          try client.get("/u\(user)?user=u\(user)", ["X-User: u\(user)", "Cookie: a=b; user=u\(user)"]).text
        }
        #expect(Set(answers).count == 1)
        seen.formUnion(answers)
      }
      #expect(seen == ["old", "new"])
    }
  }

  @Test func `a weight of nothing gets nothing`() throws {
    try withTwo("by: ip, to: [{ upstream: old, weight: 0 }, { upstream: new, weight: 1 }]") { gateway in
      let client = try gateway.connect()
      for _ in 0..<20 { #expect(try client.get("/x").text == "new") }
    }
  }

  @Test func `a body goes where its head goes`() throws {
    let echo = try Origin.echo()
    let text = """
      upstreams: { a: { targets: [{ url: ORIGIN }] } }
      routes: { all: { match: /*, split: { by: header.x-none, to: [{ upstream: a }] } } }
      """
    try withGateway(text, to: echo) { gateway in
      let client = try gateway.connect()
      let body = String(repeating: "b", count: 300_000)
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: \(body.utf8.count)"], body: body)
      #expect(try client.response().text == body)
    }
  }
}
