import GatewayTesting
import Kernel
import Testing

/// Attacks over HTTP/2: memory stays bounded, others are served, and who attacks is cut off and counted.
@Suite(.serialized, .enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct HTTP2HostileTests {
  private static let text = """
    admin: "127.0.0.1:${ADMIN_PORT}"
    limits: { body_timeout: 1s }
    routes: { all: { match: /*, upstream: ORIGIN } }
    """

  /// A sanitizer keeps some of what was freed, and shadows all of it.
  private static let allowance = (ProcessEnvironment.value("SLUICE_SANITIZER") == nil ? 16 : 64) << 20

  private func attack(_ check: String, _ body: (RunningGateway, Origin) throws -> Void = { _, _ in }) throws {
    let origin = try HTTP2Origin.make()
    try withGateway(Self.text, to: origin, PythonPeer.plan()) { gateway in
      _ = try gateway.get("/echo")
      let before = gateway.process.residentBytes
      try PythonPeer.run("hostile.py", check, gateway)
      #expect(gateway.process.residentBytes - before < Self.allowance)
      #expect(try gateway.get("/echo").status == 200)
      try body(gateway, origin)
    }
  }

  @Test(arguments: ["rapid_reset", "made_to_reset"])
  func `who resets too many streams is cut off and counted`(check: String) throws {
    try attack(check) { gateway, _ in
      let page = try gateway.admin("/metrics").text
      #expect(page.contains(#"sluice_http2_refused_total{listener="public",reason="resets"} 1"#))
    }
  }

  @Test(arguments: [
    "ping_flood", "settings_flood", "priority_flood", "unknown_flood", "window_flood", "empty_data_flood",
  ])
  func `who sends frames that carry nothing is cut off and counted`(check: String) throws {
    try attack(check) { gateway, _ in
      let page = try gateway.admin("/metrics").text
      #expect(page.contains(#"sluice_http2_refused_total{listener="public",reason="idle_frames"} 1"#))
    }
  }

  @Test(arguments: [
    "ping_flood_unread", "continuation_flood", "empty_continuation_flood", "large_head", "crumbs", "hpack_bomb",
    "concurrency", "unread", "nonsense",
  ])
  func `an attack takes little memory and nobody else's turn`(check: String) throws { try attack(check) }

  @Test func `a stream whose window never opens ends by its timeout`() throws { try attack("stall") }

  @Test(arguments: ["forbidden", "lengths"])
  func `what HTTP/2 forbids is refused before anything is forwarded`(check: String) throws {
    try attack(check) { _, origin in
      #expect(origin.requests.filter { $0["Via"] == "2.0 sluice" }.isEmpty)
    }
  }
}
