import GatewayTesting
import Testing

/// Quotas that outlast the gateway, and that several share.
struct QuotaTests {
  private func statuses(_ gateway: RunningGateway, _ count: Int) throws -> [Int] {
    let client = try gateway.connect()
    return try (0..<count).map { _ in try client.get("/").status }
  }

  @Test func `what was used is used after a restart too`() throws {
    let text = """
      routes:
        all: { match: /*, plugins: [{ quota: { limit: 5, per: month, file: "${DIRECTORY}/quota" } }], respond: 200 }
      """
    let first = try RunningGateway(text)
    defer { first.process.kill() }
    #expect(try statuses(first, 3) == [200, 200, 200])
    let isWritten = Deadline.usual.poll { (try? first.directory.read("quota"))?.hasSuffix(" 3\n") == true }
    #expect(isWritten)
    first.process.kill()
    let second = try first.restarted()
    defer { second.process.kill() }
    #expect(try statuses(second, 4) == [200, 200, 429, 429])
    try second.stop()
  }

  @Test(arguments: RedisServer.Kind.installed)
  func `two gateways count together in the shared store`(kind: RedisServer.Kind) throws {
    let redis = try RedisServer(kind)
    let text = """
      stores: { shared: { url: "redis://127.0.0.1:\(redis.port)", unavailable: refuse, timeout: 5s } }
      routes: { all: { match: /*, plugins: [{ quota: { limit: 5, per: month, store: shared } }], respond: 200 } }
      """
    try withGateway(text) { one in
      try withGateway(text) { two in
        let answers = try statuses(one, 3) + statuses(two, 3) + statuses(one, 1)
        #expect(answers == [200, 200, 200, 200, 200, 429, 429])
        #expect(try redis.count == 1)
      }
    }
  }
}
