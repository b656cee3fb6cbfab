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
    "exchange", "interim", "trailers", "sized", "sustained", "many", "refused", "goaway", "reset", "cancel", "early",
    "slow", "http1",
    "refuses",
  ])
  func `a target that speaks HTTP/2 in the clear is called`(check: String) throws {
    try self.check(check, "retries: { maximum: 2 }")
  }

  @Test func `a target that speaks HTTP/2 under TLS is called`() throws { try check("tls", tls: true) }

  @Test func `a target under TLS that does not choose HTTP/2 is a fault that says so`() throws {
    try check("http1", tls: true)
  }

  @Test func `the log and the metrics say what a target is spoken to in`() throws {
    let behind = "routes: { all: { match: /*, respond: { status: 200, body: fine } } }"
    try withGateway(behind, PythonPeer.plan()) { target in
      let text = """
        admin: "127.0.0.1:${ADMIN_PORT}"
        upstreams:
          new: { targets: "http://127.0.0.1:\(target.port)", protocol: h2 }
          old: { targets: "http://127.0.0.1:\(target.port)" }
        routes: { new: { match: /new, upstream: new }, old: { match: /old, upstream: old } }
        """
      try withGateway(text) { gateway in
        for path in ["/new", "/new", "/old"] { #expect(try gateway.get(path).status == 200) }
        let spoken = try gateway.awaitRecords(3).map { $0["upstream_protocol"]?.string }
        #expect(spoken == ["HTTP/2", "HTTP/2", "HTTP/1.1"])
        let page = try gateway.admin("/metrics").text
        for (upstream, version, calls) in [("new", "2", 2), ("old", "1.1", 1)] {
          let count = page.split(separator: "\n").first {
            $0.hasPrefix("http_client_request_duration_seconds_count{upstream=\"\(upstream)\"")
          }
          #expect(count?.contains("network_protocol_version=\"\(version)\"") == true)
          #expect(count?.hasSuffix(" \(calls)") == true)
        }
      }
    }
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
