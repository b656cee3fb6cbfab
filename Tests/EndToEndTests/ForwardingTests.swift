import GatewayTesting
import Testing

/// A request is carried to its target and the answer back, whatever its method and body.
struct ForwardingTests {
  @Test(arguments: ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "QUERY"])
  func `a method is forwarded as it is`(method: String) throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("\(method) /path?a=b HTTP/1.1", ["Host: a.example"])
      let response = try client.response()
      #expect(response.startLine == "HTTP/1.1 200 OK")
      #expect(response.text == "ok")
      let request = try #require(origin.requests.first)
      #expect(request.startLine == "\(method) /path?a=b HTTP/1.1")
      #expect(request["Host"] == "a.example")
    }
  }
}
