import HTTP
import PluginKit
import Plugins
import Testing

@Suite struct CORSTests {
  private let definitions = [PluginDefinition(CORS.self), PluginDefinition(Headers.self)]

  private static let widgets = """
    cors: { origins: ["https://*.example.com", "https://app.test:8443"], methods: [POST], \
    headers: [Content-Type, X-API-Key], expose: [X-Request-Id, Retry-After], max_age: 10m }
    """

  /// What a browser gets for a request with this origin; `fields` are those of the upstream's answer.
  private func answer(_ entry: String, origin: String?, upstream fields: String = "") throws -> [String] {
    let chain = try PluginFixture.chain(entry, of: definitions)
    var fixture = try ExchangeFixture(
      "POST / HTTP/1.1\nHost: a.example\n" + (origin.map { "Origin: \($0)\n" } ?? "") + "\n")
    guard case .proceed = chain.runRequestHeadAtOnce(&fixture.exchange) else {
      Issue.record("only preflights are answered")
      return []
    }
    try fixture.receive("HTTP/1.1 200 OK\nContent-Length: 0\n\(fields)\n")
    chain.runResponseHead(&fixture.exchange)
    return fixture.answered.filter { $0 != "Content-Length: 0" }
  }

  private func preflight(_ entry: String, origin: String) throws -> [String] {
    let chain = try PluginFixture.chain(entry, of: definitions)
    var fixture = try ExchangeFixture(
      """
      OPTIONS / HTTP/1.1
      Host: a.example
      Origin: \(origin)
      Access-Control-Request-Method: POST
      Access-Control-Request-Headers: x-api-key


      """)
    guard case .respond = chain.runRequestHeadAtOnce(&fixture.exchange) else {
      Issue.record("a preflight is answered by the gateway")
      return []
    }
    chain.runResponseHead(&fixture.exchange)
    #expect(fixture.exchange.response.head.status == 204)
    return fixture.answered
  }

  @Test func `a preflight of an allowed origin is answered with what it may do`() throws {
    #expect(
      try preflight(Self.widgets, origin: "https://shop.example.com") == [
        "Vary: Origin", "Access-Control-Allow-Origin: https://shop.example.com", "Access-Control-Allow-Methods: POST",
        "Access-Control-Allow-Headers: Content-Type, X-API-Key", "Access-Control-Max-Age: 600",
      ])
  }

  @Test func `a preflight of another origin is answered with nothing`() throws {
    #expect(try preflight(Self.widgets, origin: "https://example.com") == ["Vary: Origin"])
  }

  @Test(arguments: [
    "OPTIONS / HTTP/1.1\nHost: a\nOrigin: https://a.example.com\n\n",
    "OPTIONS / HTTP/1.1\nHost: a\nAccess-Control-Request-Method: POST\n\n",
    "GET / HTTP/1.1\nHost: a\nOrigin: https://a.example.com\nAccess-Control-Request-Method: POST\n\n",
  ])
  func `a request that is no preflight goes on`(request: String) throws {
    let chain = try PluginFixture.chain(Self.widgets, of: definitions)
    var fixture = try ExchangeFixture(request)
    guard case .proceed = chain.runRequestHeadAtOnce(&fixture.exchange) else {
      Issue.record("only preflights are answered")
      return
    }
  }

  @Test(arguments: [
    "https://a.example.com", "https://a.b.example.com", "https://x-1_y.example.com", "https://app.test:8443",
  ])
  func `an allowed origin may read the response`(origin: String) throws {
    #expect(
      try answer(Self.widgets, origin: origin) == [
        "Vary: Origin", "Access-Control-Allow-Origin: \(origin)",
        "Access-Control-Expose-Headers: X-Request-Id, Retry-After",
      ])
  }

  @Test(arguments: [
    nil, "null", "https://example.com", "http://a.example.com", "https://a.example.com:444", "https://aexample.com",
    "https://a.example.com.evil.test", "https://evil.test/.example.com", "https://evil.test?.example.com",
    "https://evil.test:1@x.example.com", "https://.example.com:1", "https://app.test", "https://app.test:8443/",
    "HTTPS://a.example.com", "https://A.example.com", "*", "https://",
  ])
  func `no other origin learns anything`(origin: String?) throws {
    #expect(try answer(Self.widgets, origin: origin) == ["Vary: Origin"])
  }

  @Test func `with a star every response is open and none varies`() throws {
    let entry = "cors: \"*\""
    #expect(try answer(entry, origin: "https://any.test") == ["Access-Control-Allow-Origin: *"])
    #expect(try answer(entry, origin: nil) == ["Access-Control-Allow-Origin: *"])
    #expect(
      try preflight(entry, origin: "https://any.test") == [
        "Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: GET, HEAD, POST",
      ])
  }

  @Test func `credentials are allowed to the origins named`() throws {
    let entry = "cors: { origins: https://a.test, credentials: true }"
    #expect(
      try answer(entry, origin: "https://a.test") == [
        "Vary: Origin", "Access-Control-Allow-Origin: https://a.test", "Access-Control-Allow-Credentials: true",
      ])
    #expect(try preflight(entry, origin: "https://a.test").contains("Access-Control-Allow-Credentials: true"))
    #expect(try answer(entry, origin: "https://b.test") == ["Vary: Origin"])
  }

  @Test(arguments: [
    ("", ["Vary: Origin"]),
    ("Vary: Accept-Encoding\n", ["Vary: Accept-Encoding, Origin"]),
    (
      "Vary: Accept\nX-A: b\nvary: Accept-Encoding, Cookie\n",
      ["X-A: b", "Vary: Accept, Accept-Encoding, Cookie, Origin"]
    ),
    ("Vary: \n", ["Vary: Origin"]),
    ("Vary: Accept , origin\n", ["Vary: Accept , origin"]),
    ("Vary: Accept\nVary: ORIGIN\n", ["Vary: Accept", "Vary: ORIGIN"]),
    ("Vary: *\n", ["Vary: *"]),
    ("Vary: X-Origin\n", ["Vary: X-Origin, Origin"]),
  ])
  func `Vary names Origin once, beside what the upstream says`(fields: String, expected: [String]) throws {
    #expect(try answer("cors: https://a.test", origin: nil, upstream: fields) == expected)
  }

  @Test func `what an upstream says of CORS is replaced`() throws {
    let fields = """
      Access-Control-Allow-Origin: *
      access-control-allow-credentials: true
      Access-Control-Allow-Methods: DELETE
      Access-Control-Allow-Headers: *
      Access-Control-Expose-Headers: *
      Access-Control-Max-Age: 1
      X-Access-Control: kept

      """
    let own = ["Vary: Origin", "Access-Control-Allow-Origin: https://a.test"]
    #expect(
      try answer("cors: https://a.test", origin: "https://a.test", upstream: fields) == ["X-Access-Control: kept"] + own
    )
    #expect(
      try answer("cors: https://a.test", origin: "https://b.test", upstream: fields)
        == ["X-Access-Control: kept", "Vary: Origin"])
  }

  @Test func `the gateway's own answers carry the permission too`() throws {
    let chain = try PluginFixture.chain(
      "cors: https://a.test", "headers: { response: { set: { X-A: b } } }", of: definitions)
    var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a\nOrigin: https://a.test\n\n")
    fixture.refuse(.circuitOpen)
    chain.runResponseHead(&fixture.exchange)
    #expect(
      fixture.answered == [
        "X-Fault: upstream", "X-A: b", "Vary: Origin", "Access-Control-Allow-Origin: https://a.test",
      ])
  }

  @Test func `an instance keeps nothing of one exchange for the next`() throws {
    let chain = try PluginFixture.chain(Self.widgets, of: definitions)
    for vary in ["Accept", "Accept-Language", "Accept"] {
      var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a\n\n")
      try fixture.receive("HTTP/1.1 204 No Content\nVary: \(vary)\n\n")
      chain.runResponseHead(&fixture.exchange)
      #expect(fixture.answered == ["Vary: \(vary), Origin"])
    }
  }

  @Test(arguments: [
    ("{}", "`origins` is missing"), ("{ origins: [] }", "at least 1"),
    ("{ origins: [\"*\", https://a.test] }", "`*` allows every origin"),
    ("{ origins: \"*\", credentials: true }", "would let every site act as its visitors"),
    ("{ origins: https://a.test, credentials: true, methods: \"*\" }", "`*` in `methods` is no wildcard"),
    ("{ origins: https://a.test, credentials: true, headers: \"*\" }", "`*` in `headers` is no wildcard"),
    ("{ origins: https://a.test, credentials: true, expose: \"*\" }", "`*` in `expose` is no wildcard"),
    ("{ origins: \"null\" }", "sandboxed page"), ("{ origins: a.test }", "is no origin"),
    ("{ origins: https://a.test/ }", "has a path"), ("{ origins: https://A.test }", "not in lower case"),
    ("{ origins: https://a.test:443 }", "leave the usual port out"),
    ("{ origins: http://a.test:80 }", "leave the usual port out"), ("{ origins: https://a.test:0 }", "is no origin"),
    ("{ origins: https://a.test:x }", "is no origin"), ("{ origins: \"https://a.*.test\" }", "whole labels"),
    ("{ origins: \"https://*example.com\" }", "whole labels"), ("{ origins: \"https://bücher.test\" }", "is no host"),
    ("{ origins: \"https://a b\" }", "is no host"), ("{ origins: \"https://\" }", "is no host"),
    ("{ origins: \"https://[::1\" }", "is no origin"), ("{ origins: https://a.test, methods: [get] }", "is no method"),
    ("{ origins: https://a.test, headers: [\"a b\"] }", "is no field name"),
    ("{ origins: https://a.test, max_age: soon }", "is no duration"),
  ])
  func `a mistake is found when the configuration is loaded`(entry: String, message: String) {
    let text = PluginFixture.mistakes(CORS.self, "cors: \(entry)")
    #expect(text.contains(message), "\(text)")
  }

  @Test(arguments: [
    "http://localhost:3000", "https://[2001:db8::1]:8443", "https://*.a.test:8443", "chrome-extension://abcdef",
    "http://192.0.2.1",
  ])
  func `an origin as browsers write it is accepted`(origin: String) {
    #expect(PluginFixture.mistakes(CORS.self, "cors: { origins: \"\(origin)\" }") == "")
  }

  @Test func `the example of its page loads`() throws {
    let chain = try PluginFixture.chain(ofFile: try Page("plugins/cors.md").example("yaml"), of: definitions)
    #expect(chain.requestHead.count == 1)
    #expect(chain.responseHead.count == 1)
  }
}
