import GatewayTesting
import Testing

/// An absolute target without a path matched no route.
struct AbsoluteTargetWithoutPathTests {
  @Test(arguments: [("http://a.example", "/"), ("http://a.example?x=1", "/?x=1"), ("http://a.example/", "/")])
  func `an absolute target without a path means the root`(target: String, forwarded: String) throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let response = try gateway.get(target)
      #expect(response.status == 200)
      #expect(origin.requests.map(\.target) == [forwarded])
      #expect(try gateway.awaitRecords(1)[0]["path"]?.string == "/")
    }
  }
}
