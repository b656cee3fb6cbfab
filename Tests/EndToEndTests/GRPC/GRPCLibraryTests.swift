import GatewayTesting
import Testing

/// gRPC as its own library speaks it, over HTTP/2 in front and behind.
@Suite(.enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct GRPCLibraryTests {
  private static let script = "../GRPC/calls.py"

  private func configuration(_ target: String, _ more: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    upstreams: { calls: { targets: "\(target)", protocol: h2\(more) } }
    routes: { all: { match: POST /*, upstream: calls } }
    """
  }

  @Test func `every kind of call passes, with its deadline, status and end`() throws {
    let port = Ports.free()
    try withGateway(configuration("http://127.0.0.1:\(port)"), PythonPeer.plan()) { gateway in
      let child = try PythonPeer.start(Self.script, ["\(gateway.port)", "\(port)"], gateway)
      try PythonPeer.expectOK(child, "\(gateway.port)", gateway)
      let records = try gateway.awaitRecords(110)
      #expect(records.contains { $0["path"]?.string == "/test.Calls/Refuse" && $0["grpc_status"]?.integer == 9 })
      #expect(records.contains { $0["path"]?.string == "/test.Calls/Hang" && $0["cancelled"]?.string == "client" })
    }
  }

  @Test func `a call that breaks off behind messages ends in a status`() throws {
    let port = Ports.free()
    try withGateway(configuration("http://127.0.0.1:\(port)"), PythonPeer.plan()) { gateway in
      let child = try PythonPeer.start("../GRPC/broken.py", ["\(gateway.port)", "\(port)"], gateway)
      try PythonPeer.expectOK(child, "\(gateway.port)", gateway)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["grpc_status"]?.integer == 14 && record["fault"]?.string == "upstream")
    }
  }

  @Test func `calls pass under TLS on both sides`() throws {
    let port = Ports.free()
    let files = try TLSFixture.files
    let authority = files.authority.certificate
    let text = configuration("https://localhost:\(port)", ", tls: { authority: \"\(authority)\" }")
    try withGateway(text, TLSFixture.plan([files.localhost])) { gateway in
      let child = try PythonPeer.start(
        Self.script, ["\(gateway.port)", "\(port)", authority, files.localhost.certificate, files.localhost.key],
        gateway)
      try PythonPeer.expectOK(child, "\(gateway.port)", gateway)
    }
  }
}
