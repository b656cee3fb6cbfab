import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct IPAccessTests {
  private let definitions = [PluginDefinition(IPAccess.self)]
  private let worker = StillWorker()

  private func isLetIn(_ entry: String, _ client: String) throws -> Bool {
    let chain = try PluginFixture.chain("ip_access: \(entry)", of: definitions, on: worker)
    var fixture = try ExchangeFixture()
    fixture.exchange.client = try #require(IPAddress(client))
    guard case .fail(let fault) = chain.runRequestHeadAtOnce(&fixture.exchange) else { return true }
    #expect(fault.status == 403 && fault.origin == .policy && fault.reason.description == "ip_denied")
    return false
  }

  private static let office =
    "{ allow: [10.0.0.0/8, 192.0.2.7, 'fd00::/8', '::1/128'], deny: [10.9.0.0/16, 'fd00:9::/32'] }"

  @Test(arguments: [
    ("10.0.0.0", true), ("10.255.255.255", true), ("11.0.0.0", false), ("9.255.255.255", false), ("10.9.0.0", false),
    ("10.9.255.255", false), ("10.10.0.0", true), ("192.0.2.7", true), ("192.0.2.6", false), ("192.0.2.8", false),
    ("fd12::1", true), ("fd00:9::1", false), ("fd00:a::1", true), ("::1", true), ("::2", false), ("fe80::1", false),
    ("::ffff:10.0.0.1", true), ("::a00:1", false),
  ])
  func `who is allowed and not denied is let in`(client: String, expected: Bool) throws {
    #expect(try isLetIn(Self.office, client) == expected)
  }

  @Test(arguments: [("10.9.1.1", false), ("10.8.1.1", true), ("::1", true)])
  func `without a list of the allowed, all are that are not denied`(client: String, expected: Bool) throws {
    #expect(try isLetIn("{ deny: [10.9.0.0/16, 10.9.1.0/24] }", client) == expected)
  }

  @Test func `everybody can be named`() throws {
    #expect(try isLetIn("{ allow: [0.0.0.0/0] }", "255.255.255.255"))
    #expect(try !isLetIn("{ allow: [0.0.0.0/0] }", "::1"))
    #expect(try isLetIn("{ allow: ['::/0'] }", "ffff::1"))
    #expect(try !isLetIn("{ allow: ['::/0'] }", "192.0.2.1"))
    #expect(worker.counted("sluice_ip_access_refused") == ["[\"allow\"]": 2])
  }

  @Test func `many ranges that overlap are one set`() throws {
    let ranges = (0..<200).map { "10.\($0).0.0/\(16 - $0 % 3)" }.joined(separator: ", ")
    for (client, expected) in [("10.0.0.1", true), ("10.199.255.255", true), ("10.200.0.0", false)] {
      #expect(try isLetIn("[\(ranges)]", client) == expected)
    }
  }

  @Test(arguments: [
    ("{}", "says of nobody"), ("{ allow: [10.0.0.0/33] }", "is no range of addresses"),
    ("{ deny: localhost }", "is no range of addresses"),
  ])
  func `a mistake is found when the configuration is loaded`(entry: String, message: String) {
    let text = PluginFixture.mistakes(IPAccess.self, "ip_access: \(entry)")
    #expect(text.contains(message), "\(text)")
  }

  @Test func `the example of its page loads and refuses`() throws {
    let chain = try PluginFixture.chain(
      ofFile: try Page("plugins/ip_access.md").example("yaml"), of: definitions, on: worker)
    var fixture = try ExchangeFixture()
    fixture.exchange.client = IPAddress(v4: 0xc633_6401)
    guard case .fail = chain.runRequestHeadAtOnce(&fixture.exchange) else {
      Issue.record("198.51.100.1 is not among those that the example allows")
      return
    }
  }
}
