import GatewayTesting
import Kernel
import Testing

/// Runs a check that a Python client of HTTP/2 makes of the gateway.
enum PythonPeer {
  static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")

  private static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }

  static func start(_ file: String, _ check: String, _ gateway: RunningGateway) throws -> ChildProcess {
    try start(file, [check, "\(gateway.port)"], gateway)
  }

  /// - Parameter arguments: the first names the check, and the file for what it writes.
  static func start(_ file: String, _ arguments: [String], _ gateway: RunningGateway) throws -> ChildProcess {
    let output = gateway.directory[arguments[0]]
    return try ChildProcess([python ?? "python3", folder + "/" + file] + arguments, output: output, errors: output)
  }

  static func expectOK(_ child: ChildProcess, _ check: String, _ gateway: RunningGateway) throws {
    let exit = try child.wait(until: .after(seconds: 60))
    let output = try gateway.directory.read(check)
    #expect(exit == .exited(0), "\(output.suffix(3000))")
  }

  static func run(_ file: String, _ check: String, _ gateway: RunningGateway) throws {
    try expectOK(start(file, check, gateway), check, gateway)
  }

  /// The same under TLS, at the port of the listener that speaks it.
  static func run(_ file: String, _ check: String, _ gateway: RunningGateway, securePort: Int) throws {
    try expectOK(start(file, [check, "\(securePort)", "tls"], gateway), check, gateway)
  }

  static func plan() -> RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: { address: "127.0.0.1:${PORT}", protocols: [http/1.1, h2c] } }"#
    return plan
  }
}

/// HTTP/2 without TLS in front of an origin that speaks HTTP/1.1, by real clients.
@Suite(.enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct HTTP2ExchangeTests {
  @Test(arguments: [
    "get", "many", "bodies", "library", "empty", "interim", "cookies", "sized", "refusals", "windows",
    "split", "urgency",
  ])
  func `a client of HTTP/2 gets what it asks for`(check: String) throws {
    try withGateway(to: HTTP2Origin.make(), PythonPeer.plan()) { try PythonPeer.run("exchanges.py", check, $0) }
  }

  @Test func `uploads that are cancelled before they are read take nothing of the window`() throws {
    let origin = try HTTP2Origin.make()
    let text = """
      upstreams: { one: { targets: "\(origin.url)", connections: { maximum: 1 } } }
      routes: { all: { match: /*, upstream: one } }
      """
    try withGateway(text, PythonPeer.plan()) { try PythonPeer.run("exchanges.py", "abandoned", $0) }
  }

  @Test func `clients of HTTP/1.1 are served by the same listener`() throws {
    try withGateway(to: HTTP2Origin.make(), PythonPeer.plan()) { gateway in
      let answer = try gateway.get("/echo")
      #expect(answer.text == "GET /echo\n0")
    }
  }

  @Test func `a listener without h2c refuses the preface`() throws {
    try withGateway(to: HTTP2Origin.make()) { gateway in
      let client = try gateway.connect()
      try client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
      #expect(try client.response().status == 505)
    }
  }

  @Test func `curl speaks HTTP/2 with prior knowledge`() throws {
    try withGateway(to: HTTP2Origin.make(), PythonPeer.plan()) { gateway in
      let output = gateway.directory["curl"]
      let curl = try ChildProcess(
        [
          "/usr/bin/curl", "-s", "-m", "10", "--http2-prior-knowledge", "-d", "hello", "-w", "%{http_version}",
          "http://127.0.0.1:\(gateway.port)/echo",
        ], output: output)
      #expect(try curl.wait(until: .usual) == .exited(0))
      #expect(try gateway.directory.read("curl") == "POST /echo\n52")
    }
  }

  @Test func `the record of a call says that it came over HTTP/2`() throws {
    let text = "admin: \"127.0.0.1:${ADMIN_PORT}\"\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: HTTP2Origin.make(), PythonPeer.plan()) { gateway in
      try PythonPeer.run("exchanges.py", "get", gateway)
      _ = try gateway.get("/echo")
      let records = try gateway.awaitRecords(4)
      #expect(records.map { $0["protocol"]?.string } == ["HTTP/2", "HTTP/2", "HTTP/2", "HTTP/1.1"])
      let page = try gateway.admin("/metrics").text
      #expect(page.contains("network_protocol_version=\"2\""))
      #expect(page.contains("network_protocol_version=\"1.1\""))
    }
  }

  @Test func `a stream that the client cancels ends its call, and no other`() throws {
    let origin = try HTTP2Origin.make()
    try withGateway(to: origin, PythonPeer.plan()) { gateway in
      try PythonPeer.run("exchanges.py", "cancel", gateway)
      let records = try gateway.awaitRecords(2)
      #expect(records.map { $0["path"]?.string } == ["/never", "/echo"])
      #expect(records[0]["cancelled"]?.string == "client")
      #expect(records[1]["cancelled"] == nil)
    }
  }

  @Test func `a drain lets streams end and refuses none that is on its way`() throws {
    try withGateway(to: HTTP2Origin.make(), PythonPeer.plan()) { gateway in
      let peer = try PythonPeer.start("exchanges.py", "drain", gateway)
      #expect(Deadline.usual.poll { ((try? gateway.directory.read("drain")) ?? "").contains("asked") })
      Pause.milliseconds(100)
      gateway.process.terminate()
      try PythonPeer.expectOK(peer, "drain", gateway)
    }
  }

  @Test func `a connection without streams is closed after the idle timeout`() throws {
    let text = "limits: { idle_timeout: 300ms }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: HTTP2Origin.make(), PythonPeer.plan()) { gateway in
      try PythonPeer.run("exchanges.py", "idle", gateway)
    }
  }

  @Test(arguments: [("unanswered", "200ms", 1), ("answered", "1s", 0)])
  func `who answers no PING while a stream is open is closed and counted, who does is not`(
    check: String, ping: String, count: Int
  ) throws {
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      limits: { http2_ping: \(ping) }
      routes: { all: { match: /*, upstream: ORIGIN } }
      """
    try withGateway(text, to: HTTP2Origin.make(), PythonPeer.plan()) { gateway in
      try PythonPeer.run("exchanges.py", check, gateway)
      let line = #"sluice_http2_refused_total{listener="public",reason="unanswered"} 1"#
      #expect(try gateway.admin("/metrics").text.contains(line) == (count == 1))
      let record = try #require(try gateway.awaitRecords(1).first { $0["path"]?.string == "/never" })
      #expect(record["cancelled"]?.string == "client")
    }
  }

  @Test(arguments: ["events", "poll"], [("h2", "h1"), ("h1", "h2c"), ("h2", "h2c")])
  func `each piece of an answer arrives before the next is sent`(check: String, ways: (String, String)) throws {
    let port = Ports.free()
    let text = """
      upstreams: { u: { targets: "http://127.0.0.1:\(port)", protocol: \(ways.1 == "h1" ? "http/1.1" : "h2") } }
      routes: { all: { match: /*, upstream: u, timeouts: { idle: 500ms } } }
      """
    try withGateway(text, PythonPeer.plan()) { gateway in
      let child = try PythonPeer.start(
        "streams.py", [check, "\(gateway.port)", "\(port)", ways.0, ways.1], gateway)
      try PythonPeer.expectOK(child, check, gateway)
      #expect(try gateway.awaitRecords(1)[0]["fault"] == nil)
    }
  }
}
