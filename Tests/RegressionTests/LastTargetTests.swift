import GatewayTesting
import Kernel
import Testing

/// A request that makes targets break the connection takes the service away from nobody else.
struct LastTargetTests {
  private static func origin() throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        if request.target == "/poison" { return connection.reset() }
        try connection.answer()
      }
    }
  }

  @Test func `the only target of an upstream stays in when it resets a connection`() throws {
    try withGateway("routes: { all: { match: /*, upstream: ORIGIN } }", to: Self.origin()) { gateway in
      for _ in 0..<8 {
        let poisoned = try gateway.get("/poison")
        #expect(poisoned.status == 502)
        let next = try gateway.get("/")
        #expect(next.status == 200)
      }
    }
  }

  @Test func `of two targets that the same request makes reset one stays in`() throws {
    let other = try Self.origin()
    let text = """
      upstreams: { u: { targets: [ORIGIN, "http://127.0.0.1:\(other.port)"], health_check: { path: /h, interval: 1h } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: Self.origin()) { gateway in
      for _ in 0..<8 {
        let poisoned = try gateway.get("/poison")
        #expect(poisoned.status >= 500)
        let next = try gateway.get("/")
        #expect(next.status == 200)
      }
    }
  }
}
