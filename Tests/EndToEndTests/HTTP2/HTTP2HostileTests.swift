import GatewayTesting
import Kernel
import Testing

/// Attacks over HTTP/2: memory stays bounded, others are served, and who attacks is cut off and counted.
@Suite(.serialized, .enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct HTTP2HostileTests {
  private static let text = """
    admin: "127.0.0.1:${ADMIN_PORT}"
    limits: { body_timeout: 1s, head_timeout: 2s }
    routes: { all: { match: /*, upstream: ORIGIN } }
    """

  /// A sanitizer keeps some of what was freed, and shadows all of it.
  private static let allowance = (ProcessEnvironment.value("SLUICE_SANITIZER") == nil ? 16 : 64) << 20

  /// Where the attacker comes in.
  enum Way: String, CaseIterable, CustomTestStringConvertible {
    case clear = "public"
    case secure
    var testDescription: String { self == .clear ? "in the clear" : "under TLS" }
  }

  private func attack(
    _ check: String, _ way: Way = .clear, _ body: (RunningGateway, Origin) throws -> Void = { _, _ in }
  ) throws {
    let origin = try HTTP2Origin.make()
    let files = try TLSFixture.files.localhost
    let securePort = Ports.free()
    var plan = PythonPeer.plan()
    plan.listeners = """
      {
        public: { address: "127.0.0.1:${PORT}", protocols: [http/1.1, h2c] },
        secure: { address: "127.0.0.1:\(securePort)", protocols: [h2],
          tls: { certificates: [{ certificate: "\(files.certificate)", private_key: "\(files.key)" }] } } }
      """
    try withGateway(Self.text, to: origin, plan) { gateway in
      _ = try gateway.get("/echo")
      let before = gateway.process.residentBytes
      switch way {
      case .clear: try PythonPeer.run("hostile.py", check, gateway)
      case .secure: try PythonPeer.run("hostile.py", check, gateway, securePort: securePort)
      }
      #expect(gateway.process.residentBytes - before < Self.allowance)
      #expect(try gateway.get("/echo").status == 200)
      try body(gateway, origin)
    }
  }

  private func expectCounted(_ reason: String, _ way: Way, _ gateway: RunningGateway) throws {
    let page = try gateway.admin("/metrics").text
    #expect(page.contains(#"sluice_http2_refused_total{listener="\#(way.rawValue)",reason="\#(reason)"} 1"#))
  }

  @Test(arguments: ["rapid_reset", "made_to_reset", "endless_trailers"], Way.allCases)
  func `who resets too many streams is cut off and counted`(check: String, way: Way) throws {
    try attack(check, way) { gateway, _ in try expectCounted("resets", way, gateway) }
  }

  @Test(
    arguments: [
      "ping_flood", "settings_flood", "priority_flood", "unknown_flood", "window_flood", "empty_data_flood",
      "dribble", "padded_data_flood", "alternative_flood", "origin_flood", "priority_update_flood",
      "late_empty_data_flood", "late_head_flood",
    ], Way.allCases)
  func `who sends frames that carry nothing is cut off and counted`(check: String, way: Way) throws {
    try attack(check, way) { gateway, _ in try expectCounted("idle_frames", way, gateway) }
  }

  @Test(
    arguments: [
      ("ping_flood_unread", "idle_frames"), ("continuation_flood", "protocol"), ("continuation_burst", "protocol"),
      ("empty_continuation_flood", "protocol"), ("concurrency", "protocol"), ("unread", "unread"),
      ("nonsense", "protocol"),
    ], Way.allCases)
  func `an attack takes little memory and nobody else's turn, and is counted`(
    attack: (check: String, reason: String), way: Way
  ) throws {
    try self.attack(attack.check, way) { gateway, _ in try expectCounted(attack.reason, way, gateway) }
  }

  @Test(arguments: ["large_head", "crumbs"], Way.allCases)
  func `a head that is too long is refused, and its connection goes on`(check: String, way: Way) throws {
    try attack(check, way) { gateway, _ in
      let page = try gateway.admin("/metrics").text
      #expect(!page.contains("sluice_http2_refused_total{"))
    }
  }

  @Test(arguments: Way.allCases)
  func `a head that never ends costs its connection, and is counted`(way: Way) throws {
    try attack("unfinished_head", way) { gateway, _ in
      let page = try gateway.admin("/metrics").text
      #expect(page.contains(#"sluice_http2_refused_total{listener="\#(way.rawValue)",reason="head_timeout"} 2"#))
    }
  }

  @Test func `the time of a head begins with it, also where another has just ended`() throws {
    try attack("slow_heads")
  }

  @Test(arguments: ["hpack_bomb", "late_hpack_bomb"], Way.allCases)
  func `who names large fields again and again is cut off and counted`(check: String, way: Way) throws {
    try attack(check, way) { gateway, _ in try expectCounted("long_heads", way, gateway) }
  }

  @Test(arguments: ["stall", "stall_connection"], Way.allCases)
  func `a stream whose window never opens ends by its timeout, and its record says so`(check: String, way: Way) throws {
    try attack(check, way) { gateway, _ in
      let record = try gateway.awaitRecords(3).first { $0["path"]?.string == "/large" }
      #expect(record?["reason"]?.string == "client_stalled")
      #expect(record?["fault"]?.string == "client")
    }
  }

  @Test(arguments: ["forbidden", "lengths"], Way.allCases)
  func `what HTTP/2 forbids is refused before anything is forwarded`(check: String, way: Way) throws {
    try attack(check, way) { gateway, origin in
      #expect(origin.requests.filter { $0["Via"] == "2.0 sluice" }.isEmpty)
      guard check == "forbidden" else { return }
      // Each of the 28 is a line of the log, as every request is.
      let refused = try gateway.awaitRecords(28).filter { $0["status"]?.integer == 400 }
      #expect(refused.count >= 26, "\(refused.count)")
      #expect(refused.contains { $0["reason"]?.string == "malformed_head" && $0["fault"]?.string == "client" })
      let page = try gateway.admin("/metrics").text
      #expect(page.contains(#"sluice_http2_refused_total{listener="\#(way.rawValue)",reason="malformed"}"#))
    }
  }
}
