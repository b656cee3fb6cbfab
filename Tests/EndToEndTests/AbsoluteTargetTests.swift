import GatewayTesting
import Testing

/// A target in absolute form names the host itself, and the target behind gets that one (RFC 9112 §3.2.2).
struct AbsoluteTargetTests {
  @Test(arguments: [
    ("http://a.example:80/", ["Host: a.example"], "a.example:80"),
    ("http://a.example/", ["Host: a.example:80"], "a.example"),
    ("http://a.example/", ["Host: A.EXAMPLE"], "a.example"),
  ])
  func `the port of its scheme may be named once or twice`(target: String, fields: [String], host: String) throws {
    let origin = try Origin.ok()
    let text = "routes: { a: { match: { hosts: [a.example], paths: [/*] }, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET \(target) HTTP/1.1", fields)
      #expect(try client.response().status == 200)
      #expect(origin.requests.first?["Host"] == host)
      #expect(origin.requests.first?["X-Forwarded-Host"] == host)
    }
  }

  @Test func `a target of HTTP/1.0 is enough to name the host`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET http://a.example/x HTTP/1.0", [])
      #expect(try client.response().status == 200)
      #expect(origin.requests.first?["Host"] == "a.example")
    }
  }
}
