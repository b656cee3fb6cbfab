import GatewayTesting
import Testing

/// Targets that speak HTTP/2, by the library of Python.
@Suite(.enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
struct HTTP2TargetTests {
  private func check(_ check: String, tls: Bool = false, _ more: String = "") throws {
    let port = Ports.free()
    let files = try TLSFixture.files
    let target = tls ? "https://localhost:\(port)" : "http://127.0.0.1:\(port)"
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      upstreams:
        service:
          targets: "\(target)"
          protocol: h2
          \(tls ? "tls: { authority: \"\(files.authority.certificate)\" }" : "")
          \(more)
      routes: { all: { match: /*, upstream: service } }
      """
    try withGateway(text) { gateway in
      let child = try PythonPeer.start(
        "behind.py",
        [check, "\(gateway.port)", "\(port)"] + (tls ? [files.localhost.certificate, files.localhost.key] : []),
        gateway)
      try PythonPeer.expectOK(child, check, gateway)
    }
  }

  @Test(arguments: [
    "exchange", "interim", "trailers", "many", "refused", "goaway", "reset", "cancel", "early", "slow", "http1",
    "refuses",
  ])
  func `a target that speaks HTTP/2 in the clear is called`(check: String) throws {
    try self.check(check, "retries: { maximum: 2 }")
  }

  @Test func `a target that speaks HTTP/2 under TLS is called`() throws { try check("tls", tls: true) }

  @Test func `a target under TLS that does not choose HTTP/2 is a fault that says so`() throws {
    try check("http1", tls: true)
  }

  @Test func `a target that speaks HTTP/2 is probed in it`() throws {
    let port = Ports.free()
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      upstreams:
        service:
          targets: "http://127.0.0.1:\(port)"
          protocol: h2
          health_check: { path: /echo, interval: 100ms, healthy_after: 1, unhealthy_after: 1 }
      routes: { all: { match: /*, upstream: service } }
      """
    try withGateway(text) { gateway in
      #expect(Deadline.usual.poll { (try? gateway.get("/echo").status) == 503 })
      let child = try PythonPeer.start("behind.py", ["probed", "\(gateway.port)", "\(port)"], gateway)
      try PythonPeer.expectOK(child, "probed", gateway)
    }
  }
}
