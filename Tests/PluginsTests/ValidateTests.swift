import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct ValidateTests {
  private static let definitions = [PluginDefinition(Validate.self)]
  private static let schema =
    "{ type: object, required: [text], properties: { text: { type: string }, tags: { items: { maxLength: 3 } } } }"

  private func refusal(_ entry: String, _ body: String, _ head: String) throws -> String {
    let chain = try PluginFixture.chain(entry, of: Self.definitions)
    var fixture = try ExchangeFixture(head)
    guard chain.wishForRequestBody(&fixture.exchange) != nil else { return "not wanted" }
    fixture.hold(body)
    switch chain.runRequestBody(&fixture.exchange) {
    case .proceed: return "proceed"
    case .respond: return "respond"
    case .fail(let fault): return "\(fault.status) \(fault.reason) \(fixture.faultMembers)"
    }
  }

  private func check(_ body: String, _ head: String = "POST / HTTP/1.1\nHost: a\nContent-Length: 9\n\n") throws
    -> String
  {
    try refusal("validate: { request: { schema: \(Self.schema) } }", body, head)
  }

  @Test func `a request that fits proceeds, and one that does not is told every violation with its place`() throws {
    #expect(try check(#"{"text":"x"}"#) == "proceed")
    #expect(
      try check(#"{"tags":["a","long",{"a/b~c":1},"longer"],"text":7}"#)
        == #"422 schema_violated "violations":[{"pointer":"/tags/1","keyword":"maxLength","detail":"must have at most 3 characters"},{"pointer":"/tags/3","keyword":"maxLength","detail":"must have at most 3 characters"},{"pointer":"/text","keyword":"type","detail":"must be string"}]"#
    )
    #expect(
      try check("{}")
        == #"422 schema_violated "violations":[{"pointer":"","keyword":"required","detail":"`text` is missing"}]"#)
  }

  @Test func `pointers escape what they must`() throws {
    let entry = #"validate: { request: { schema: { additionalProperties: { type: string } } } }"#
    #expect(
      try refusal(entry, #"{"a/b~c\"":1}"#, "POST / HTTP/1.1\nHost: a\nContent-Length: 9\n\n")
        == #"422 schema_violated "violations":[{"pointer":"/a~1b~0c\"","keyword":"type","detail":"must be string"}]"#)
  }

  @Test func `bodies that are no JSON are refused with the offset or by their type`() throws {
    #expect(try check(#"{"text":x}"#) == #"400 malformed_json "offset":8,"mistake":"this byte cannot stand here""#)
    #expect(
      try check("", "POST / HTTP/1.1\nHost: a\n\n") == #"400 malformed_json "offset":0,"mistake":"it ends too early""#)
    #expect(
      try check("{}", "POST / HTTP/1.1\nHost: a\nContent-Type: text/xml\nContent-Length: 2\n\n") == "415 not_json ")
    #expect(try check("", "GET / HTTP/1.1\nHost: a\n\n") == "not wanted")
  }

  @Test func `a response that violates its schema passes and is counted`() throws {
    let worker = StillWorker()
    let chain = try PluginFixture.chain(
      "validate: { response: { schema: \(Self.schema) } }", of: Self.definitions, on: worker)
    for (body, violations) in [(#"{"text":"x"}"#, 0), (#"{"text":1,"tags":["long"]}"#, 2), ("{", 1)] {
      var fixture = try ExchangeFixture()
      try fixture.receive("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 2\n\n")
      fixture.holdAnswer(body)
      guard case .proceed = chain.runResponseBody(&fixture.exchange) else { throw Refused() }
      #expect(fixture.answerBody == body)
      #expect(fixture.exchange.responseViolations == violations)
    }
    #expect(
      worker.counted("sluice_validate_messages")
        == [#"["response", "valid"]"#: 1, #"["response", "violated"]"#: 1, #"["response", "malformed"]"#: 1])
  }

  private struct Refused: Error {}

  @Test(arguments: [
    ("validate: {}", "`validate` checks nothing"),
    ("validate: { request: { schema: { type: strin } } }", "there is no type"),
    ("validate: { request: { schema: { pattern: '(' } } }", "is no pattern that can be used"),
  ])
  func `mistakes are found when the file is loaded`(entry: String, message: String) {
    #expect(PluginFixture.mistakes(Validate.self, entry).contains(message))
  }

  @Test func `the example of its page does what the page says`() throws {
    let page = try Page("plugins/validate.md")
    let chain = try PluginFixture.chain(ofFile: page.example("yaml"), of: Self.definitions)
    var fixture = try ExchangeFixture("POST /v2/feedback HTTP/1.1\nHost: a\nContent-Length: 1\n\n")
    fixture.hold(#"{"text":"","tags":["a",7]}"#)
    guard case .fail = chain.runRequestBody(&fixture.exchange) else { throw Refused() }
    #expect(page.text.contains(fixture.faultMembers), "\(fixture.faultMembers)")
  }
}
