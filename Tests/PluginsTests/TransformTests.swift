import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct TransformTests {
  private static let definitions = [PluginDefinition(Transform.self)]
  private static let post =
    "POST /v1/x?a=1&b=two HTTP/1.1\nHost: a.example\nContent-Type: application/json\nContent-Length: 2\nX-In: in\n\n"

  /// The body as `transform: { request: EDITS }` leaves it, or the fault's reason with its members.
  private func edit(_ edits: String, _ body: String, head: String = post) throws -> String {
    let chain = try PluginFixture.chain("transform: { request: { \(edits) } }", of: Self.definitions)
    var fixture = try ExchangeFixture(head)
    fixture.exchange.consumer = "widget \"one\""
    fixture.exchange.began = 1_700_000_000_123_000_000
    fixture.hold(body)
    switch chain.runRequestBody(&fixture.exchange) {
    case .proceed: return fixture.body
    case .respond: return "respond"
    case .fail(let fault): return "\(fault.status) \(fault.reason) \(fixture.faultMembers)"
    }
  }

  @Test(arguments: [
    // Every edit alone, at the beginning, in the middle, at the end.
    ("remove: [body.a]", #"{"a":1}"#, "{}"),
    ("remove: [body.a]", #"{ "a" : 1 , "b" : 2 }"#, #"{ "b" : 2 }"#),
    ("remove: [body.b]", #"{"a":1, "b":{"x":[1]} ,"c":3}"#, #"{"a":1 ,"c":3}"#),
    ("remove: [body.c]", #"{"a":1,"b":2 , "c":3 }"#, #"{"a":1,"b":2 }"#),
    ("remove: [body.a, body.b]", #"{"a":1,"b":2,"c":3}"#, #"{"c":3}"#),
    ("remove: [body.b, body.c]", #"{"a":1,"b":2,"c":3}"#, #"{"a":1}"#),
    ("remove: [body.a, body.c]", #"{"a":1,"b":2,"c":3}"#, #"{"b":2}"#),
    ("remove: [body.a, body.b, body.c]", #"{"a":1,"b":2,"c":3}"#, "{}"),
    ("remove: [body.a.b]", #"{"a":{"b":1,"c":2}}"#, #"{"a":{"c":2}}"#),
    ("remove: [body.x]", #"{"a":1.50,  "n":1e400}"#, #"{"a":1.50,  "n":1e400}"#),
    ("remove: [body.x.y]", #"{"x":[1]}"#, #"{"x":[1]}"#),
    ("rename: { body.a: body.z }", #"{"a" :1,"b":2}"#, #"{"z" :1,"b":2}"#),
    ("rename: { body.a: body.b }", #"{"a":1,"b":2}"#, #"{"b":1}"#),
    ("rename: { body.b: body.a }", #"{"a":1,"b":2}"#, #"{"a":2}"#),
    ("rename: { body.x: body.b }", #"{"a":1,"b":2}"#, #"{"a":1,"b":2}"#),
    ("rename: { body.t.text: body.text }", #"{"t":{"text":"é","n":1},"u":0}"#, #"{"t":{"n":1},"u":0,"text":"é"}"#),
    ("rename: { body.a: body.x.y.z }", #"{"a":[1, 2]}"#, #"{"x":{"y":{"z":[1, 2]}}}"#),
    ("set: { body.a: widget }", "{}", #"{"a":"widget"}"#),
    ("set: { body.a: widget }", "{ }", #"{"a":"widget" }"#),
    ("set: { body.a: 3, body.b: '3', body.c: true, body.d: null }", #"{"a":0}"#, #"{"a":3,"b":"3","c":true,"d":null}"#),
    ("set: { body.a.b: 1, body.a.c: 2 }", #"{"z":0}"#, #"{"z":0,"a":{"b":1,"c":2}}"#),
    ("set: { body.a.b: 1, body.a.c: 2 }", #"{"a":{"c":0}}"#, #"{"a":{"c":2,"b":1}}"#),
    ("set: { body.a: { k: [1, x, '{{body.n}}'] } }", #"{"n":1.0}"#, #"{"n":1.0,"a":{"k":[1,"x",1.0]}}"#),
    // A template that is one expression keeps the type; within text it is text.
    ("set: { body.a: '{{body.n}}' }", #"{"n":12.50}"#, #"{"n":12.50,"a":12.50}"#),
    ("set: { body.a: '{{ body.n }}' }", #"{"n":{"x": [1]}}"#, #"{"n":{"x": [1]},"a":{"x": [1]}}"#),
    ("set: { body.a: 'n={{body.n}}!' }", #"{"n":12}"#, #"{"n":12,"a":"n=12!"}"#),
    ("set: { body.a: 'n={{body.n}}' }", #"{"n":"\"q\"\n"}"#, #"{"n":"\"q\"\n","a":"n=\"q\"\n"}"#),
    ("set: { body.a: '{{body.n}}' }", #"{"b":1}"#, #"{"b":1}"#),
    ("set: { body.a: '<{{body.n}}>' }", "{}", #"{"a":"<>"}"#),
    ("set: { body.a: '{{body.l.1.x}}' }", #"{"l":[0,{"x":true}]}"#, #"{"l":[0,{"x":true}],"a":true}"#),
    ("set: { body.a: '{{consumer}}' }", "{}", #"{"a":"widget \"one\""}"#),
    ("set: { body.a: '{{header.x-in}}{{query.b}}' }", "{}", #"{"a":"intwo"}"#),
    ("set: { body.a: '{{now}}' }", "{}", #"{"a":"2023-11-14T22:13:20.123Z"}"#),
    ("move: { header.x-in: body.in, query.a: body.q }", #"{"b":1}"#, #"{"b":1,"in":"in","q":"1"}"#),
    // Values are those of the body as it came.
    ("set: { body.a: '{{body.b}}' }, remove: [body.b]", #"{"b":"x","a":1}"#, #"{"a":"x"}"#),
    ("set: { body.x: 1 }, remove: [body.a]", #"{"a":1}"#, #"{"x":1}"#),
    (
      "map: { body.l: { remove: [item.a], set: { item.n: '{{item.b}}' } } }",
      #"{"l":[{"a":1,"b":2}, 7, {"b":"x"}]}"#, #"{"l":[{"b":2,"n":2}, 7, {"b":"x","n":"x"}]}"#
    ),
    ("map: { body: { rename: { item.a: item.b } } }", #"[{"a":1},{"c":2}]"#, #"[{"b":1},{"c":2}]"#),
    ("map: { body.l: { rename: { item.a.b: item.c } } }", #"{"l":[{"a":{"b":1}}]}"#, #"{"l":[{"a":{},"c":1}]}"#),
    (#"remove: ['body.a\.b']"#, #"{"a.b":1,"c":2}"#, #"{"c":2}"#),
    (#"remove: [body.ab]"#, #"{"a\u0062":1,"c":2}"#, #"{"c":2}"#),
  ])
  func `bodies are edited and what no edit names stays byte for byte`(edits: String, body: String, result: String)
    throws
  {
    #expect(try edit(edits, body) == result)
  }

  @Test(arguments: [
    ("remove: [body.a]", #"{"a":1,"#, #"400 malformed_json "offset":7,"mistake":"it ends too early""#),
    (
      "remove: [body.a]", "{\"b\":\"\u{1}\"}",
      #"400 malformed_json "offset":6,"mistake":"a control character is not escaped""#
    ),
    (
      "remove: [body.a]", #"{"a":1,"b":2,"a":3}"#,
      #"400 malformed_json "offset":13,"mistake":"this name stands twice in one object""#
    ),
    (
      "set: { body.z: '{{body.a}}' }", #"{"a":1,"a":3}"#,
      #"400 malformed_json "offset":7,"mistake":"this name stands twice in one object""#
    ),
    ("set: { body.a.b: 1 }", #"{"a":[1]}"#, #"400 untransformable "offset":5"#),
    ("set: { header.x: '{{body.a}}' }", #"{"a":"x\r\nSet-Cookie: y"}"#, "400 untransformable "),
  ])
  func `what cannot be edited is refused with the place`(edits: String, body: String, result: String) throws {
    #expect(try edit(edits, body) == result)
  }

  @Test func `duplicate names that nobody reads or edits pass`() throws {
    #expect(try edit("remove: [body.b]", #"{"a":1,"a":2,"b":3}"#) == #"{"a":1,"a":2}"#)
  }

  @Test func `a body that is no JSON is refused by its type`() throws {
    let head = "POST / HTTP/1.1\nHost: a\nContent-Type: text/plain\nContent-Length: 2\n\n"
    #expect(try edit("remove: [body.a]", "{}", head: head) == "415 not_json ")
    let suffix =
      "POST / HTTP/1.1\nHost: a\nContent-Type: application/problem+json; charset=utf-8\nContent-Length: 2\n\n"
    #expect(try edit("remove: [body.a]", "{}", head: suffix) == "{}")
  }

  @Test func `fields, query and path are edited without a body`() throws {
    let chain = try PluginFixture.chain(
      """
      transform: { request: { set: { header.x-now: "{{now}}", query.c: "a&b", path: "/v2/{{query.b}}/{{header.x-in}}" }, rename: { header.x-in: header.x-out, query.a: query.z }, remove: [query.b] } }
      """, of: Self.definitions)
    var fixture = try ExchangeFixture(Self.post)
    #expect(chain.requestBody.isEmpty)
    guard case .proceed = chain.runRequestHeadAtOnce(&fixture.exchange) else { throw Refused() }
    #expect(fixture.forwarded.suffix(2) == ["x-now: 1970-01-01T00:00:00.000Z", "x-out: in"])
    #expect(!fixture.forwarded.contains("X-In: in"))
    #expect(Self.text(fixture.exchange.forwardedQuery) == "c=a%26b&z=1")
    #expect(Self.text(fixture.exchange.forwardedPath) == "/v2/two/in")
  }

  private struct Refused: Error {}

  private static func text(_ buffer: borrowing ByteBuffer?) -> String? {
    switch buffer {
    case .some(let buffer): String(decoding: buffer.span.indices.map { buffer.span[$0] }, as: UTF8.self)
    case .none: nil
    }
  }

  @Test(arguments: ["..", "."])
  func `a value cannot lead out of the path`(value: String) throws {
    let chain = try PluginFixture.chain(
      #"transform: { request: { set: { path: "/v2/{{header.x-in}}/y" } } }"#, of: Self.definitions)
    var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a\nX-In: \(value)\n\n")
    guard case .fail(let fault) = chain.runRequestHeadAtOnce(&fixture.exchange) else { throw Refused() }
    #expect(fault.reason.description == "untransformable")
  }

  @Test func `answers are edited, and fields of answers without JSON too`() throws {
    let chain = try PluginFixture.chain(
      "transform: { response: { remove: [body.internal, header.server], set: { header.x-id: '{{body.id}}' } } }",
      of: Self.definitions)
    var fixture = try ExchangeFixture()
    try fixture.receive("HTTP/1.1 200 OK\nContent-Type: application/json\nServer: x\nContent-Length: 2\n\n")
    fixture.holdAnswer(#"{"id":"é7","internal":{"a":1}}"#)
    guard case .proceed = chain.runResponseBody(&fixture.exchange) else { throw Refused() }
    chain.runResponseHead(&fixture.exchange)
    #expect(fixture.answerBody == #"{"id":"é7"}"#)
    #expect(fixture.answered == ["Content-Type: application/json", "Content-Length: 2", "x-id: é7"])
    var other = try ExchangeFixture()
    try other.receive("HTTP/1.1 200 OK\nContent-Type: text/html\nServer: x\nContent-Length: 2\n\n")
    #expect(chain.wishForResponseBody(&other.exchange) == nil)
    chain.runResponseHead(&other.exchange)
    #expect(other.answered == ["Content-Type: text/html", "Content-Length: 2"])
  }

  @Test(arguments: [
    ("transform: { request: { set: { body.a: 1 }, remove: [body.a] } }", "`body.a` is edited twice"),
    ("transform: { request: { set: { body.a: 1, body.a.b: 2 } } }", "`body.a.b` is edited twice"),
    ("transform: { request: { rename: { body.a: header.a } } }", "`move: { body.a: header.a }`"),
    ("transform: { request: { set: { body.a: '{{nonsense}}' } } }", "`{{nonsense}}` is no value"),
    ("transform: { request: { set: { body.a: '{{now' } } }", "`{{` is not closed"),
    ("transform: { request: { set: { body.a: '{{item.x}}' } } }", "`{{item.…}}` has no meaning here"),
    ("transform: { request: { set: { header.x: [1] } } }", "`header.x` takes text"),
    ("transform: { request: { set: { header.host: x } } }", "rewritten by the route"),
    ("transform: { response: { set: { query.x: y } } }", "is no place of a response"),
    ("transform: { request: { remove: [body.*] } }", "`*` cannot be used here"),
    ("transform: { request: { remove: [body] } }", "the whole body cannot be edited here"),
    ("transform: { request: { remove: [bdy.a] } }", "is no place of a request"),
    ("transform: { request: { map: { body.l: { remove: [body.a] } } } }", "is no place of an element"),
  ])
  func `mistakes are found when the file is loaded`(entry: String, message: String) {
    #expect(PluginFixture.mistakes(Transform.self, entry).contains(message))
  }

  @Test func `the example of its page does what the page says`() throws {
    let chain = try PluginFixture.chain(ofFile: Page("plugins/transform.md").example("yaml"), of: Self.definitions)
    var fixture = try ExchangeFixture(
      "POST /v2/feedback HTTP/1.1\nHost: a\nX-Tenant: acme\nContent-Type: application/json\nContent-Length: 1\n\n")
    fixture.exchange.began = 1_780_315_200_000_000_000
    fixture.hold(#"{"msg":"Broken","debug":1,"items":[{"sku":7}]}"#)
    guard case .proceed = chain.runRequestBody(&fixture.exchange) else { throw Refused() }
    let promised = try Page("plugins/transform.md").text
    #expect(promised.contains("`\(fixture.body)`"), "\(fixture.body)")
  }

  @Test func `messages are counted`() throws {
    let worker = StillWorker()
    let chain = try PluginFixture.chain(
      "transform: { request: { remove: [body.a] } }", of: Self.definitions, on: worker)
    for body in [#"{"a":1}"#, "{}", "{"] {
      var fixture = try ExchangeFixture(Self.post)
      fixture.hold(body)
      _ = chain.runRequestBody(&fixture.exchange)
    }
    #expect(
      worker.counted("sluice_transform_messages")
        == [#"["request", "edited"]"#: 1, #"["request", "unchanged"]"#: 1, #"["request", "refused"]"#: 1])
  }
}
