import GatewayTesting
import Testing

/// A target without a resting connection was passed over: the choice that found it out used its turn up.
@Suite struct TurnPassedOverTests {
  @Test(arguments: ["round_robin", "least_request"])
  func `requests one after the other go to both targets by turns`(balance: String) throws {
    let origins = [try Origin.ok("a"), try Origin.ok("b")]
    defer { for origin in origins { origin.stop() } }
    let targets = origins.map { "{ url: \"\($0.url)\" }" }.joined(separator: ", ")
    let text = """
      upstreams: { u: { balance: \(balance), targets: [\(targets)] } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text) { gateway in
      let client = try gateway.connect()
      let answers = try (1...8).map { _ in try client.get("/").text }
      #expect(
        answers == ["a", "b", "a", "b", "a", "b", "a", "b"] || answers == ["b", "a", "b", "a", "b", "a", "b", "a"])
    }
  }
}
