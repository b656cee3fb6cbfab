import GatewayTesting
import Kernel
import Testing

/// Reloads, stops and upgrades under clients of HTTP/2 whose streams are in flight.
@Suite(.enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct HTTP2LifecycleTests {
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
}
