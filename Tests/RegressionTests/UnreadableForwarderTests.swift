import GatewayTesting
import Testing

/// An entry of `X-Forwarded-For` that is no address was passed over, so that a caller behind a proxy that writes
/// `unknown` could choose its own address; and `Forwarded` was not read at all.
struct UnreadableForwarderTests {
  private func client(_ fields: [String]) throws -> String? {
    let origin = try Origin.ok()
    let text = "trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    return try withGateway(text, to: origin) { gateway in
      let response = try gateway.get("/", fields)
      #expect(response.status == 200)
      return try gateway.awaitRecords(1)[0]["client"]?.string
    }
  }

  @Test(arguments: ["garbage", "unknown", "unix:", "_hidden", "", "999.1.1.1"])
  func `nothing left of an unreadable entry is believed`(entry: String) throws {
    #expect(try client(["X-Forwarded-For: 5.6.7.8, \(entry)"]) == "127.0.0.1")
    #expect(try client(["X-Forwarded-For: 5.6.7.8, \(entry), 10.1.1.1"]) == "10.1.1.1")
  }

  @Test(arguments: [
    (#"for="[2001:db8::1]:4711""#, "2001:db8::1"), ("for=1.2.3.4;proto=https", "1.2.3.4"),
    ("for=6.6.6.6, For=1.2.3.4, for=10.0.0.9;by=10.0.0.1", "1.2.3.4"), (#"proto=http; for="1.2.3.4:80""#, "1.2.3.4"),
    ("for=1.2.3.4, for=unknown", "127.0.0.1"), (#"for="a,b", for=10.0.0.2"#, "10.0.0.2"), ("proto=https", "127.0.0.1"),
  ])
  func `Forwarded names the client where X-Forwarded-For does not`(value: String, expected: String) throws {
    #expect(try client(["Forwarded: \(value)"]) == expected)
  }

  @Test func `X-Forwarded-For wins over Forwarded`() throws {
    #expect(try client(["Forwarded: for=6.6.6.6", "X-Forwarded-For: 1.2.3.4"]) == "1.2.3.4")
  }
}
