import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct MaskTests {
  private static let definitions = [PluginDefinition(Mask.self)]
  private static let post = "POST / HTTP/1.1\nHost: a.example\nContent-Type: application/json\nContent-Length: 2\n\n"

  private func mask(_ options: String, _ body: String) throws -> String {
    let chain = try PluginFixture.chain("mask: { \(options) }", of: Self.definitions)
    var fixture = try ExchangeFixture(Self.post)
    fixture.hold(body)
    switch chain.runRequestBody(&fixture.exchange) {
    case .proceed: return fixture.body
    case .respond: return "respond"
    case .fail(let fault): return "\(fault.status) \(fault.reason) \(fixture.faultMembers)"
    }
  }

  @Test(arguments: [
    ("request: { paths: [body.a] }", #"{"a":"x", "b":1.0}"#, #"{"a":"[redacted]", "b":1.0}"#),
    ("request: { paths: [body.a] }", #"{"a":{"x":[1]}}"#, #"{"a":"[redacted]"}"#),
    ("request: { paths: [body.a] }", #"{"a":null}"#, #"{"a":null}"#),
    (
      "request: { paths: [body.l.*.n] }", #"{"l":[{"n":1},{"m":2},{"n":3}]}"#,
      #"{"l":[{"n":"[redacted]"},{"m":2},{"n":"[redacted]"}]}"#
    ),
    ("request: { paths: [body.*] }", #"{"a":1,"b":2}"#, #"{"a":"[redacted]","b":"[redacted]"}"#),
    ("request: { paths: [body.l.1] }", #"{"l":[1,2,3]}"#, #"{"l":[1,"[redacted]",3]}"#),
    ("request: { paths: [body.a, body.c] }, with: remove", #"{"a":1,"b":2,"c":3}"#, #"{"b":2}"#),
    ("request: { paths: [body.l.0] }, with: remove", #"{"l":[1,2]}"#, #"{"l":[null,2]}"#),
    (
      "request: { detect: [email, ip] }", #"{"t":"a@b.de at 192.0.2.1","a@b.de":1}"#,
      #"{"t":"[email] at [ip]","a@b.de":1}"#
    ),
    ("request: { detect: [email] }", #"{"t":"a\u0040b.de \"q\"\n"}"#, #"{"t":"[email] \"q\"\n"}"#),
    (
      "request: { detect: [card] }", #"{"n":4111111111111111,"m":4111111111111112}"#,
      #"{"n":"[card]","m":4111111111111112}"#
    ),
    ("request: { detect: [email] }, with: remove", #"{"t":"<a@b.de>"}"#, #"{"t":"<>"}"#),
    (
      "request: { detect: [email, card] }, with: partial", #"{"t":"jo@b.de 4111-1111-1111-1111"}"#,
      #"{"t":"j***@b.de ****-****-****-1111"}"#
    ),
    ("request: { paths: [body.a] }, with: partial", #"{"a":"short","b":1}"#, #"{"a":"*****","b":1}"#),
    (
      "request: { expressions: { order: 'ORD-\\d+' } }", #"{"t":"see ORD-17 and ORD-18"}"#,
      #"{"t":"see [order] and [order]"}"#
    ),
    (
      "request: { expressions: { bad: '(a+)+[!?]' } }", #"{"t":"\#(String(repeating: "a", count: 64))"}"#,
      #"{"t":"[bad]"}"#
    ),
    ("request: { detect: [email] }", #"[["x@y.de"],7]"#, #"[["[email]"],7]"#),
    (
      "request: { detect: [email] }", #"{"a":}"#,
      #"400 malformed_json "offset":5,"mistake":"this byte cannot stand here""#
    ),
  ])
  func `values are masked and everything else stays`(options: String, body: String, result: String) throws {
    #expect(try mask(options, body) == result)
  }

  @Test func `a pseudonym joins the same value, however it is written and found`() throws {
    let options = "request: { paths: [body.email, body.id], detect: [email, card] }, with: { pseudonym: key-1 }"
    let first = try mask(options, #"{"email":"Ann@Example.com","id":7}"#)
    let second = try mask(options, #"{"t":"ann@example.com","c":"4111 1111 1111 1111","d":4111111111111111}"#)
    let email = try #require(first.firstMatch(of: /"email":"(email_[0-9a-f]{32})"/)).1
    #expect(second.contains("\"t\":\"\(email)\""))
    let card = try #require(second.firstMatch(of: /"c":"(card_[0-9a-f]{32})"/)).1
    #expect(second.contains("\"d\":\"\(card)\""))
    #expect(first.contains("\"id\":\"value_"))
    let other = try mask(options.replacing("key-1", with: "key-2"), #"{"email":"Ann@Example.com"}"#)
    #expect(!other.contains(email))
  }

  @Test func `pseudonyms are HMAC-SHA256 of the value in its plainest form`() throws {
    // printf ann@example.com | openssl dgst -sha256 -hmac key-1
    let masked = try mask("request: { detect: [email] }, with: { pseudonym: key-1 }", #"["ANN@example.com"]"#)
    #expect(masked == #"["email_2526468f593fec0c313111070b488800"]"#)
  }

  @Test func `answers are masked, and a body that cannot be read does not pass`() throws {
    let chain = try PluginFixture.chain("mask: { response: { detect: [email] } }", of: Self.definitions)
    var fixture = try ExchangeFixture()
    try fixture.receive("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 2\n\n")
    #expect(chain.wishForResponseBody(&fixture.exchange)?.passesUnread == false)
    fixture.holdAnswer(#"{"a":"x@y.de"}"#)
    _ = chain.runResponseBody(&fixture.exchange)
    #expect(fixture.answerBody == #"{"a":"[email]"}"#)
    fixture.holdAnswer(#"{"a":"x@y.de""#)
    guard case .fail(let fault) = chain.runResponseBody(&fixture.exchange) else { throw Passed() }
    #expect(fault.status == 502)
  }

  private struct Passed: Error {}

  @Test(arguments: [
    ("mask: { with: redact }", "`mask` masks nothing"),
    ("mask: { request: { paths: [header.x] } }", "is no path of a value"),
    ("mask: { request: { detect: [emial] } }", "email"),
    ("mask: { request: { expressions: { a: '(' } } }", "is no expression"),
    ("mask: { request: { expressions: { a: 'x*' } } }", "matches nothing at all"),
    ("mask: { request: { detect: [ip] }, with: hide }", "one of remove, redact, partial"),
    ("mask: { request: { detect: [ip] }, with: { pseudonym: '' } }", "this secret is empty"),
  ])
  func `mistakes are found when the file is loaded`(entry: String, message: String) {
    #expect(PluginFixture.mistakes(Mask.self, entry).contains(message))
  }

  @Test func `masked values are counted by kind`() throws {
    let worker = StillWorker()
    let chain = try PluginFixture.chain(
      "mask: { request: { paths: [body.a], detect: [email], expressions: { x: X } } }", of: Self.definitions, on: worker
    )
    var fixture = try ExchangeFixture(Self.post)
    fixture.hold(#"{"a":1,"b":"x@y.de X z@y.de"}"#)
    _ = chain.runRequestBody(&fixture.exchange)
    #expect(
      worker.counted("sluice_mask_values")
        == [#"["request", "path"]"#: 1, #"["request", "email"]"#: 2, #"["request", "expression"]"#: 1])
  }

  @Test func `the example of its page does what the page says`() throws {
    let page = try Page("plugins/mask.md")
    let chain = try PluginFixture.chain(ofFile: page.example("yaml"), of: Self.definitions)
    var fixture = try ExchangeFixture(Self.post)
    fixture.hold(#"{"email":"ann@example.com","text":"My card is 4111 1111 1111 1111"}"#)
    guard case .proceed = chain.runRequestBody(&fixture.exchange) else { throw Passed() }
    #expect(page.text.contains("`\(fixture.body)`"), "\(fixture.body)")
  }
}
