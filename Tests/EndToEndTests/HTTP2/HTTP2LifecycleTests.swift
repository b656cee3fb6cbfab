import GatewayTesting
import Kernel
import Testing

/// Reloads, stops and upgrades under clients of HTTP/2 whose streams are in flight.
@Suite(.enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct HTTP2LifecycleTests {
  private static let tunnels = "../Tunnel/tunnels.py"
  private static let admin = "admin: \"127.0.0.1:${ADMIN_PORT}\"\n"

  private func hear(_ word: String, of check: String, _ gateway: RunningGateway) {
    #expect(Deadline.usual.poll { ((try? gateway.directory.read(check)) ?? "").contains(word) }, "\(word)")
  }

  private func write(_ text: String, to gateway: RunningGateway) throws {
    try gateway.directory.write(text, to: "next.conf")
    try FileSystem.rename(gateway.directory["next.conf"], to: gateway.directory["gateway.conf"])
  }

  private func reload(_ gateway: RunningGateway, number: Int) throws {
    gateway.process.signal(ProcessSignal.hangup)
    #expect(try Deadline.usual.poll { try gateway.metric("sluice_config_reloads_total") == number })
  }

  @Test func `a reload loses no stream, and a listener that goes says so to its connections`() throws {
    let other = Ports.free()
    var plan = PythonPeer.plan()
    let front = #"public: { address: "127.0.0.1:${PORT}", protocols: [http/1.1, h2c] },"#
    plan.listeners = "{ \(front) other: \"127.0.0.1:\(other)\" }"
    let origin = try HTTP2Origin.make()
    try withGateway(Self.admin + "routes: { all: { match: /*, upstream: ORIGIN } }", to: origin, plan) { gateway in
      let peer = try PythonPeer.start("exchanges.py", ["reload", "\(gateway.port)", gateway.directory["go"]], gateway)
      hear("asked", of: "reload", gateway)
      _ = try origin.awaitRequests(3)
      let text = try gateway.directory.read("gateway.conf")
        .replacing("routes: {", with: "routes: { new: { match: /new, respond: { status: 203, body: new } },")
      try write(text, to: gateway)
      try reload(gateway, number: 1)
      try gateway.directory.write("", to: "go")
      hear("again", of: "reload", gateway)
      let kept = try gateway.connect()
      #expect(try kept.get("/new").status == 203)
      _ = try origin.awaitRequests(5)
      try write(text.replacing(front, with: ""), to: gateway)
      try reload(gateway, number: 2)
      try PythonPeer.expectOK(peer, "reload", gateway)
      // What spoke HTTP/1.1 over it rested, and is closed.
      #expect(kept.isClosedByPeer())
      #expect(try Client(port: other).get("/new").status == 203)
      let records = try gateway.awaitRecords(9)
      #expect(records.allSatisfy { $0["fault"] == nil })
    }
  }

  @Test func `a silent tunnel over HTTP/2 is closed with 1001, and its record says by whom`() throws {
    let port = Ports.free()
    let text = "routes: { all: { match: /*, upstream: \"http://127.0.0.1:\(port)\", timeouts: { tunnel: 600ms } } }"
    try withGateway(text, PythonPeer.plan()) { gateway in
      let peer = try PythonPeer.start(Self.tunnels, ["idle", "\(gateway.port)", "\(port)"], gateway)
      try PythonPeer.expectOK(peer, "idle", gateway)
      // The one that the gateway closed waits a moment for its target to leave.
      let records = try gateway.awaitRecords(2).sorted { ($0["close_code"] == nil) && ($1["close_code"] != nil) }
      #expect(records.map { $0["closed_by"]?.string } == ["client", "gateway"])
      #expect(records.map { $0["close_code"]?.integer } == [nil, 1001])
      #expect(records.map { $0["reason"]?.string } == [nil, "tunnel_idle"])
      #expect(records.map { $0["bytes_in"]?.integer } == [6, 6])
      #expect(records.map { $0["bytes_out"]?.integer } == [6, 6])
    }
  }

  @Test func `a tunnel over HTTP/2 outlives a reload, and the end of a drain says 1001`() throws {
    let port = Ports.free()
    let text =
      Self.admin + "drain_limit: 1s\nroutes: { all: { match: /*, upstream: \"http://127.0.0.1:\(port)\" } }"
    try withGateway(text, PythonPeer.plan()) { gateway in
      let peer = try PythonPeer.start(
        Self.tunnels, ["drain", "\(gateway.port)", "\(port)", gateway.directory["go"]], gateway)
      hear("open", of: "drain", gateway)
      try reload(gateway, number: 1)
      try gateway.directory.write("", to: "go")
      hear("reloaded", of: "drain", gateway)
      gateway.process.terminate()
      try PythonPeer.expectOK(peer, "drain", gateway)
      #expect(try gateway.process.wait(until: .usual) == .exited(0))
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "cut_by_drain")
      #expect(record["closed_by"]?.string == "gateway")
      #expect(record["close_code"]?.integer == 1001)
      #expect(record["bytes_in"]?.integer == 18)
    }
  }

  @Test func `an upgrade loses no stream and no tunnel of HTTP/2 under TLS`() throws {
    let port = Ports.free()
    let text =
      Self.admin + "drain_limit: 3s\nroutes: { all: { match: /*, upstream: \"http://127.0.0.1:\(port)\" } }"
    let plan = try TLSFixture.plan([TLSFixture.files.localhost])
    try withUpgradableGateway(text, plan) { gateway in
      let peer = try PythonPeer.start(
        Self.tunnels, ["upgrade", "\(gateway.port)", "\(port)", gateway.directory["go"], "tls"], gateway)
      hear("asked", of: "upgrade", gateway)
      let next = try gateway.directory.read("gateway.conf")
        .replacing("routes: {", with: "routes: { new: { match: /new, respond: { status: 203, body: new } },")
      try write(next, to: gateway)
      let outcome = try gateway.command(["upgrade"])
      #expect(outcome.exit == .exited(0), "\(outcome.errors)")
      // The old one takes no connection any more: whoever comes now meets the new one.
      try gateway.directory.write("", to: "go")
      try PythonPeer.expectOK(peer, "upgrade", gateway)
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      try gateway.stopAll()
      let records = try gateway.records()
      #expect(records.filter { $0["fault"] != nil }.compactMap { $0["reason"]?.string } == ["cut_by_drain"])
      #expect(records.count == 5)
    }
  }
}
