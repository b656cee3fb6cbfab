@testable import Configuration
import Testing

@testable import Engine

@Suite struct SettingsTests {
  @Test func `the proxy of the contract becomes its settings`() throws {
    let settings = try #require(SettingsFixture.load(file: "proxy.conf").settings)
    #expect(settings.listeners.map(\.address) == [.ip(host: "127.0.0.1", port: 8081)])
    #expect(settings.admin?.address == .ip(host: "127.0.0.1", port: 9900))
    #expect(settings.limits == LimitSettings())
    #expect(
      settings.callLog
        == CallLogSettings(
          destination: .directory("var/log/calls"), requestHeaders: ["user-agent"], responseHeaders: ["content-type"]))
    let feedback = settings.upstreams[0]
    #expect(feedback.name == "feedback" && feedback.balance == .leastRequest)
    #expect(feedback.targets.map(\.name) == ["127.0.0.1:9101", "127.0.0.1:9102"])
    #expect(feedback.targets.map(\.weight) == [2, 1])
    #expect(
      feedback.timeouts
        == TimeoutSettings(connect: .seconds(1), firstByte: .seconds(5), idle: .seconds(30), total: .seconds(60)))
    #expect(
      feedback.healthCheck
        == HealthCheckSettings(path: "/healthz", interval: .seconds(2), timeout: .milliseconds(500)))
    #expect(feedback.retries == RetrySettings(maximum: 2, statuses: [502, 503, 504], budget: 0.2))
    #expect(feedback.circuitBreaker == CircuitBreakerSettings())
    #expect(settings.upstreams[1].targets.map(\.address) == [.host("127.0.0.1", port: 9103)])
    #expect(settings.routes.map(\.name) == ["submit-feedback", "read-feedback", "reports"])
    #expect(settings.routes.map(\.handler) == [.upstream(0), .upstream(0), .upstream(1)])
    #expect(settings.routes[0].matches.map(\.methods) == [["POST"]])
    #expect(settings.routes[1].matches.map(\.paths) == [["/v1/feedback"], ["/v1/feedback/{id}"]])
    #expect(settings.routes[2].matches.map(\.hosts) == [["reports.example.com"]])
    #expect(settings.routes[2].rewrite == RewriteSettings(stripPrefix: "/reports", host: "reports.internal"))
    #expect(settings.routes[2].position == Position(file: "proxy.conf", line: 41, column: 3))
  }

  @Test func `the smallest configuration needs a listener and a route`() throws {
    let settings = try #require(SettingsFixture.load(file: "minimal.conf").settings)
    #expect(settings.upstreams.map(\.name) == ["http://127.0.0.1:9101"])
    #expect(settings.routes.map(\.handler) == [.upstream(0)])
    #expect(settings.callLog.destination == .off)
    #expect(settings.admin == nil)
  }

  @Test func `targets spelt out twice are one upstream`() throws {
    let settings = try #require(
      SettingsFixture.settings(
        """
        upstreams: { named: http://127.0.0.1:1 }
        routes:
          a: { match: /a, upstream: http://127.0.0.1:1 }
          b: { match: /b, upstream: "http://127.0.0.1:1/" }
          c: { match: /c, upstream: named }
          d: { match: /d, upstream: unix:/run/d.sock }
        """))
    #expect(settings.upstreams.map(\.name) == ["named", "http://127.0.0.1:1", "unix:/run/d.sock"])
    #expect(settings.routes.map(\.handler) == [.upstream(1), .upstream(1), .upstream(0), .upstream(2)])
  }

  @Test func `files add up`() throws {
    let loaded = SettingsFixture.load(
      text: "include: [a.conf, b.conf]\nlisteners: { public: 127.0.0.1:1 }\ncall_log: stdout",
      beside: [
        "a.conf": "upstreams: { a: http://127.0.0.1:2 }\nplugins: { stamp: { header: x-a } }\ntrusted_proxies: ::1",
        "b.conf": "routes: { b: { match: /b, upstream: a } }\nlisteners: { more: 127.0.0.1:3 }\n"
          + "plugins: { stamp: { header: x-b } }\nlimits: { headers: 7 }",
      ])
    #expect(loaded.diagnostics.text == "")
    let settings = try #require(loaded.settings)
    #expect(settings.listeners.map(\.name) == ["public", "more"])
    #expect(settings.plugins.map { ($0.settings as? Stamp)?.header } == ["x-a", "x-b"])
    #expect(settings.limits.headers == 7 && settings.trustedProxies.count == 1)
    #expect(settings.routes.map(\.position.file) == ["b.conf"])
  }

  @Test func `a small head makes the target's default small too`() throws {
    let settings = try #require(SettingsFixture.settings("limits: { request_head: 2KiB }"))
    #expect(settings.limits.requestTarget == 2048)
  }

  @Test(arguments: [
    ("10.1.2.3/8", "10.255.0.1", true), ("10.1.2.3/8", "11.0.0.1", false), ("0.0.0.0/0", "1.2.3.4", true),
    ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1/31", "192.0.2.0", true),
  ])
  func `a range of addresses holds those with its prefix`(_ range: String, _ address: String, _ holds: Bool) throws {
    let value = address.split(separator: ".").reduce(UInt32(0)) { $0 << 8 | (UInt32($1) ?? 0) }
    let range = try #require(AddressRange(range))
    #expect(range.contains(ipv4: value) == holds)
    #expect(!range.contains(ipv6: UInt128(value)))
    #expect(AddressRange(range.text) == range)
  }

  @Test func `a range of IPv6 addresses holds those with its prefix`() throws {
    let range = try #require(AddressRange("fd00::1/8"))
    #expect(range.contains(ipv6: UInt128(0xfd12) << 112))
    #expect(!range.contains(ipv6: UInt128(0xfe12) << 112))
    #expect(!range.contains(ipv4: 0xfd00_0000))
    #expect(range.text == "fd00::/8")
    #expect(AddressRange("::/0")?.contains(ipv6: 1) == true)
  }

  @Test func `too many connections for the system are told`() {
    func check(_ text: String, openFiles: Int) -> [String] {
      GatewaySettings.load(
        file: "a", environment: Environment([:]),
        files: ConfigurationFiles(read: { _, _ in .success(Array(text.utf8)) }, matching: { _ in [] }),
        openFiles: openFiles
      ).diagnostics.sorted.map(\.message)
    }
    let text =
      "{ listeners: { a: 127.0.0.1:1 }, call_log: off, routes: { a: { match: /*, respond: 200 } }, limits: { connections: 100 } }"
    #expect(check(text, openFiles: 456) == [])
    #expect(check(text, openFiles: 455) == ["100 connections take 456 open files, and this process may have 455"])
    #expect(check(text, openFiles: 64).count == 1)
    #expect(check(String(text.split(separator: ", limits")[0]) + " }", openFiles: 64) == [])
  }

  @Test func `the reference is up to date`() throws {
    let page = try #require(SettingsFixture.text(of: "../../../docs/CONFIGURATION.md"))
    let generated = GatewaySettings.reference(plugins: [])
    let differing = zip(page.split(separator: "\n"), generated.split(separator: "\n")).first { $0 != $1 }
    // What plugins declare follows, and is for their tests to check.
    #expect(
      page.hasPrefix(generated),
      "write GatewaySettings.reference to docs/CONFIGURATION.md; it differs at \(String(describing: differing))")
  }

  @Test func `every keyword has a line of help`() {
    func check(_ section: SectionShape) {
      for keyword in section.keywords {
        #expect(keyword.help.count > 2 && keyword.help.hasSuffix("."), "\(section.name).\(keyword.name)")
        #expect(keyword.name == keyword.name.lowercased(), "\(section.name).\(keyword.name)")
        check(keyword.shape)
      }
    }
    func check(_ shape: Shape) {
      switch shape {
      case .section(let section): check(section)
      case .list(let element): check(element)
      case .map(_, let value): check(value)
      case .either(let shapes): shapes.forEach(check)
      case .oneOf(let members): members.forEach { check($0.shape) }
      case .scalar, .anything: break
      }
    }
    check(GatewayDraft.section(plugins: [Stamp.declaration]).shape)
  }
}
