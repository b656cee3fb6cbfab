import GatewayTesting
import Testing

/// What clients learn of the version of an API that they use.
struct VersionTests {
  @Test func `answers tell when a version is deprecated, when it goes, and what comes next`() throws {
    let text = """
      routes:
        old:
          match: /v1/*
          version: { name: v1, deprecated: "2026-06-01", sunset: "2099-06-01T12:00:00Z", successor: /v2/tickets }
          upstream: ORIGIN
        new: { match: /v2/*, version: v2, upstream: ORIGIN }
      """
    let origin = try Origin.ok(fields: ["Sunset: never", "Link: </help>; rel=help"])
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let old = try client.get("/v1/tickets")
      #expect(old["Deprecation"] == "@1780272000")
      #expect(old["Sunset"] == "Mon, 01 Jun 2099 12:00:00 GMT")
      #expect(old.values("Link") == ["</help>; rel=help", "</v2/tickets>; rel=\"successor-version\""])
      let new = try client.get("/v2/tickets")
      #expect(new["Deprecation"] == nil)
      #expect(new["Sunset"] == "never")
      #expect(try gateway.awaitRecords(2).map { $0["version"]?.string } == ["v1", "v2"])
    }
  }

  @Test func `after its sunset a version is served, or gone where that is asked for`() throws {
    let text = """
      routes:
        served: { match: /a, version: { name: a, sunset: "2020-01-01" }, upstream: ORIGIN }
        gone:
          match: /b
          version: { name: b, sunset: "2020-01-01", successor: /c, after_sunset: gone }
          upstream: ORIGIN
      """
    let origin = try Origin.ok()
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      #expect(try client.get("/a").status == 200)
      let gone = try client.get("/b")
      #expect(gone.status == 410)
      #expect(gone["X-Fault"] == "policy")
      #expect(gone["Sunset"] == "Wed, 01 Jan 2020 00:00:00 GMT")
      #expect(gone["Link"] == "</c>; rel=\"successor-version\"")
      #expect(origin.requests.map(\.target) == ["/a"])
    }
  }
}
