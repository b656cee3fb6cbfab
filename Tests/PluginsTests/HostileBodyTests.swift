import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

/// Bodies made to cost more than they weigh: deep, wide, repeated.
struct HostileBodyTests {
  private static let definitions = [
    PluginDefinition(Mask.self), PluginDefinition(Transform.self), PluginDefinition(Validate.self),
  ]
  private static let readers = [
    "mask: { request: { detect: [email] } }", "transform: { request: { set: { body.a: x } } }",
    "validate: { request: { schema: { type: [object, array] } } }",
  ]

  /// `proceed`, or status and reason of the refusal.
  private func outcome(_ entry: String, _ body: String) throws -> String {
    let chain = try PluginFixture.chain(entry, of: Self.definitions)
    var fixture = try ExchangeFixture(
      "POST / HTTP/1.1\nHost: a.example\nContent-Type: application/json\nContent-Length: 2\n\n")
    fixture.hold(body)
    switch chain.runRequestBody(&fixture.exchange) {
    case .proceed: return "proceed"
    case .respond: return "respond"
    case .fail(let fault): return "\(fault.status) \(fault.reason)"
    }
  }

  @Test(arguments: readers, [#"{"a":"#, "["]) func `a body that is nested very deep is refused`(
    entry: String, opening: String
  ) throws {
    #expect(try outcome(entry, String(repeating: opening, count: 200_000)) == "400 malformed_json")
    let closing = opening == "[" ? "]" : "}"
    let whole = String(repeating: opening, count: 5_000) + "1" + String(repeating: closing, count: 5_000)
    #expect(try outcome(entry, whole) == "400 malformed_json")
  }

  @Test(arguments: readers) func `a body that is very wide passes`(entry: String) throws {
    let members = (0..<50_000).map { #""m\#($0)":\#($0)"# }.joined(separator: ",")
    #expect(try outcome(entry, "{\(members)}") == "proceed")
  }

  @Test func `a name that stands ten thousand times is refused where it is edited`() throws {
    let members = Array(repeating: #""a":1"#, count: 10_000).joined(separator: ",")
    #expect(try outcome(Self.readers[1], "{\(members)}").hasPrefix("400 "))
  }
}
