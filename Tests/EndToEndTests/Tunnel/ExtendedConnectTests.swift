import GatewayTesting
import Testing

/// WebSockets over HTTP/2, in front and behind, by the library of Python.
@Suite(.enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct ExtendedConnectTests {
  private static let script = "../Tunnel/extended_connect.py"

  private func run(_ check: String, _ gateway: RunningGateway, port: Int? = nil) throws {
    let ports = [gateway.port] + (port.map { [$0] } ?? [])
    let child = try PythonPeer.start(Self.script, [check] + ports.map { "\($0)" }, gateway)
    try PythonPeer.expectOK(child, check, gateway)
  }

  @Test func `a WebSocket over HTTP/2 reaches a target that speaks HTTP/1.1`() throws {
    let port = Ports.free()
    let text = "routes: { all: { match: /*, upstream: \"http://127.0.0.1:\(port)\" } }"
    try withGateway(text, PythonPeer.plan()) { gateway in
      try run("front", gateway, port: port)
      let records = try gateway.awaitRecords(4)
      #expect(records.map { $0["status"]?.integer } == [101, 101, 101, 101])
      #expect(records.map { $0["protocol"]?.string } == Array(repeating: "HTTP/2", count: 4))
      #expect(records.allSatisfy { $0["closed_by"]?.string == "client" })
      #expect(records.compactMap { $0["close_code"]?.integer } == [1000, 1000, 1000])
      try run("refusals", gateway)
    }
  }

  @Test func `an answer that does not switch is none that agrees`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let status = request.target == "/403" ? "403 Forbidden" : "200 OK"
        try connection.send("HTTP/1.1 \(status)\r\nContent-Length: 2\r\n\r\nno")
      }
    }
    try withGateway(to: origin, PythonPeer.plan()) { try run("declined", $0) }
  }

  @Test(arguments: ["behind", "unable", "through"])
  func `a WebSocket reaches a target that speaks HTTP/2 and takes them`(check: String) throws {
    let port = Ports.free()
    let text = """
      upstreams: { talk: { targets: "http://127.0.0.1:\(port)", protocol: h2 } }
      routes: { all: { match: /*, upstream: talk } }
      """
    try withGateway(text, PythonPeer.plan()) { gateway in
      try run(check, gateway, port: port)
      if check == "unable" {
        let records = try gateway.awaitRecords(1)
        #expect(records[0]["reason"]?.string == "upstream_no_websocket")
      }
    }
  }
}
