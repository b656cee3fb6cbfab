import HTTP
import PluginKit
import Plugins
import Testing

@Suite struct HeadersTests {
  private let definitions = [PluginDefinition(Headers.self)]

  private func request(_ entry: String, _ fields: String) throws -> [String] {
    let chain = try PluginFixture.chain("headers: { request: \(entry) }", of: definitions)
    var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a.example\n\(fields)\n")
    guard case .proceed = chain.runRequestHeadAtOnce(&fixture.exchange) else {
      Issue.record("a header edit decides nothing")
      return []
    }
    return fixture.forwarded.filter { !$0.hasPrefix("Host:") }
  }

  private func response(_ entry: String, _ fields: String) throws -> [String] {
    let chain = try PluginFixture.chain("headers: { response: \(entry) }", of: definitions)
    var fixture = try ExchangeFixture()
    try fixture.receive("HTTP/1.1 200 OK\n\(fields)\n")
    chain.runResponseHead(&fixture.exchange)
    return fixture.answered
  }

  @Test(arguments: [
    ("{ set: { X-A: one } }", "", ["X-A: one"]),
    ("{ set: { X-A: one } }", "x-a: two\nX-B: b\nX-A: three\n", ["X-B: b", "X-A: one"]),
    ("{ set: { User-Agent: sluice } }", "user-agent: curl\nAccept: */*\n", ["Accept: */*", "User-Agent: sluice"]),
    ("{ add: { X-A: one } }", "X-A: two\n", ["X-A: two", "X-A: one"]),
    ("{ add: { X-A: [one, two] } }", "", ["X-A: one", "X-A: two"]),
    ("{ remove: X-A }", "X-A: 1\nX-AB: 2\nx-a: 3\nX-B: 4\n", ["X-AB: 2", "X-B: 4"]),
    ("{ remove: [Cookie, x-a] }", "Cookie: a=b\nX-A: 1\ncookie: c=d\n", []),
    ("{ set: { X-Empty: \"\" } }", "X-Empty: no\n", ["X-Empty: "]),
    ("{ set: { X-A: a }, add: { X-B: b }, remove: [X-C] }", "X-C: c\nX-B: x\n", ["X-B: x", "X-A: a", "X-B: b"]),
    ("{}", "X-A: 1\nX-B: 2\n", ["X-A: 1", "X-B: 2"]),
  ])
  func `edits are applied to a message's fields`(entry: String, fields: String, expected: [String]) throws {
    #expect(try request(entry, fields) == expected)
    #expect(try response(entry, fields) == expected)
  }

  @Test func `a later plugin sees the edits of an earlier one`() throws {
    let chain = try PluginFixture.chain(
      "headers: { request: { set: { X-A: one, X-B: two } }, response: { set: { X-C: first } } }",
      "headers: { request: { remove: [X-A], add: { X-B: three } }, response: { set: { X-C: second } } }",
      of: definitions)
    var fixture = try ExchangeFixture()
    _ = chain.runRequestHeadAtOnce(&fixture.exchange)
    #expect(fixture.forwarded == ["Host: example.com", "X-B: two", "X-B: three"])
    try fixture.receive("HTTP/1.1 204 No Content\n\n")
    chain.runResponseHead(&fixture.exchange)
    #expect(fixture.answered == ["X-C: first"])
  }

  @Test func `the gateway's own answers are edited too`() throws {
    let chain = try PluginFixture.chain(
      "headers: { response: { set: { Cache-Control: no-store }, remove: [Content-Type] } }", of: definitions)
    var fixture = try ExchangeFixture()
    fixture.refuse(.noTarget)
    chain.runResponseHead(&fixture.exchange)
    #expect(fixture.answered == ["X-Fault: upstream", "Cache-Control: no-store"])
  }

  @Test(arguments: [
    "Connection", "Content-Length", "Transfer-Encoding", "keep-alive", "TE", "Trailer", "Upgrade", "Proxy-Connection",
    "X-Request-Id",
  ])
  func `a field that the gateway answers for is refused in both directions`(name: String) {
    for direction in ["request", "response"] {
      for edit in ["set: { \(name): x }", "add: { \(name): x }", "remove: [\(name)]"] {
        let text = PluginFixture.mistakes(Headers.self, "headers: { \(direction): { \(edit) } }")
        #expect(text.contains("gateway.conf:4:"))
        #expect(text.contains("error: `\(name)` "))
        #expect(text.contains("expected: "))
      }
    }
  }

  @Test(arguments: [
    ("request", "Host", "`rewrite: { host: NAME }`"), ("request", "Forwarded", "leave it out; `trusted_proxies`"),
    ("request", "Expect", "leave it out"), ("response", "X-Fault", "leave it out"),
    ("response", "Date", "leave it out"),
  ])
  func `the refusal says what to use instead`(direction: String, name: String, instead: String) {
    let text = PluginFixture.mistakes(Headers.self, "headers: { \(direction): { set: { \(name): x } } }")
    #expect(text.contains("expected: \(instead)"))
  }

  @Test(arguments: [
    ("set: { \"X A\": b }", "`X A` is no field name"), ("remove: [\"\"]", "is no field name"),
    ("set: { X-A: \"a\\nb\" }", "is no field value"), ("set: { X-A: \" a\" }", "is no field value"),
    ("add: { X-A: [] }", "this list has 0 elements"), ("sets: { X-A: b }", "did you mean `set`"),
    ("set: { X-A: b }, remove: [x-a]", "`x-a` stands here more than once"),
    ("set: { X-A: b, x-a: c }", "`x-a` stands here more than once"),
    ("add: { X-A: b }, set: { X-A: c }", "`X-A` stands here more than once"),
  ])
  func `a mistake is found when the configuration is loaded`(entry: String, message: String) {
    #expect(PluginFixture.mistakes(Headers.self, "headers: { request: { \(entry) } }").contains(message))
  }

  @Test func `the example of its page loads`() throws {
    let chain = try PluginFixture.chain(ofFile: try Page("plugins/headers.md").example("yaml"), of: definitions)
    var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a.example\nX-Real-IP: 192.0.2.1\n\n")
    _ = chain.runRequestHeadAtOnce(&fixture.exchange)
    #expect(fixture.forwarded == ["Host: a.example", "X-Gateway: sluice"])
    try fixture.receive("HTTP/1.1 204 No Content\nServer: nginx\nX-Powered-By: PHP\n\n")
    chain.runResponseHead(&fixture.exchange)
    #expect(fixture.answered.count == 3)
    #expect(fixture.answered.contains("X-Content-Type-Options: nosniff"))
  }
}
