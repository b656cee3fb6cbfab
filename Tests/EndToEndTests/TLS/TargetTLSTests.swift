import GatewayTesting
import Kernel
import Testing

/// TLS behind: OpenSSL's server and a second gateway as targets.
struct TargetTLSTests {
  /// OpenSSL's own server, which answers every GET with a page about the connection.
  private final class Server {
    let port = Ports.free()
    private let process: ChildProcess

    init(_ files: CertificateAuthority.Files, _ more: String = "") throws {
      process = try ChildProcess(
        [
          "/bin/sh", "-c",
          "exec openssl s_server -quiet -www -accept 127.0.0.1:\(port) -cert \(files.certificate) -key \(files.key) \(more)",
        ])
      let port = port
      #expect(Deadline.usual.poll { (try? ByteStream(to: Ports.loopback(port), until: .after(seconds: 1))) != nil })
    }

    deinit { process.kill() }
  }

  private func configuration(_ url: String, tls: String, more: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    upstreams: { secure: { targets: "\(url)", tls: { \(tls) }\(more.isEmpty ? "" : ", " + more) } }
    routes: { all: { match: /*, upstream: secure } }
    """
  }

  @Test func `a target with a good certificate is called`() throws {
    let files = try TLSFixture.files
    let server = try Server(files.localhost)
    let text = configuration(
      "https://localhost:\(server.port)", tls: "authority: \"\(files.authority.certificate)\"")
    try withGateway(text) { gateway in
      let answer = try gateway.get("/")
      #expect(answer.status == 200)
      #expect(answer.text.contains("TLSv1.3"))
    }
  }

  @Test(arguments: [
    "upstream_certificate_expired", "upstream_certificate_not_yet_valid", "upstream_unknown_authority",
    "upstream_wrong_host",
  ])
  func `a target with a wrong certificate is a fault that names what is wrong`(reason: String) throws {
    let files = try TLSFixture.files
    let shown =
      switch reason {
      case "upstream_certificate_expired": try files.authority.issue(names: ["DNS:localhost"], days: -30 ... -1)
      case "upstream_certificate_not_yet_valid": try files.authority.issue(names: ["DNS:localhost"], days: 5...9)
      case "upstream_wrong_host": files.other
      default: files.localhost
      }
    let server = try Server(shown)
    let trusts =
      reason == "upstream_unknown_authority" ? "verify: true" : "authority: \"\(files.authority.certificate)\""
    // By its address: a name with two would have the reason of whichever was tried last.
    let url = "https://127.0.0.1:\(server.port)"
    try withGateway(configuration(url, tls: "server_name: localhost, " + trusts)) { gateway in
      for _ in 1...2 {
        let answer = try gateway.get("/")
        #expect(answer.status == 502)
        #expect(answer["X-Fault"] == "upstream")
      }
      #expect(try gateway.awaitRecords(2).map { $0["reason"]?.string } == [reason, reason])
    }
  }

  @Test func `a target that refuses the client's certificate after the handshake is a fault that says so`() throws {
    let files = try TLSFixture.files
    let foreign = try CertificateAuthority()
    let server = try Server(
      files.localhost, "-Verify 1 -verify_return_error -CAfile \(foreign.certificate) -tls1_3")
    let tls = """
      authority: "\(files.authority.certificate)", client_certificate: { certificate: "\(files.client.certificate)", \
      private_key: "\(files.client.key)" }
      """
    let url = "https://127.0.0.1:\(server.port)"
    try withGateway(configuration(url, tls: "server_name: localhost, " + tls)) { gateway in
      let answer = try gateway.get("/")
      #expect(answer.status == 502)
      #expect(answer["X-Fault"] == "upstream")
      #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == "upstream_refused_tls")
    }
  }

  @Test func `another name may be asked for, or none be checked`() throws {
    let files = try TLSFixture.files
    let server = try Server(files.other)
    let url = "https://localhost:\(server.port)"
    for tls in ["authority: \"\(files.authority.certificate)\", server_name: other.test", "verify: false"] {
      try withGateway(configuration(url, tls: tls)) { gateway in
        let status = try gateway.get("/").status
        #expect(status == 200)
      }
    }
  }

  @Test func `a target that does not speak TLS fails the handshake`() throws {
    let origin = try Origin.sending("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    defer { origin.stop() }
    try withGateway(configuration("https://localhost:\(origin.port)", tls: "verify: true")) { gateway in
      let answer = try gateway.get("/")
      #expect(answer.status == 502 || answer.status == 504)
      #expect(answer["X-Fault"] == "upstream")
    }
  }

  @Test func `another target is tried when a handshake fails`() throws {
    let files = try TLSFixture.files
    let good = try Server(files.localhost)
    let bad = try Server(files.other)
    let text = """
      upstreams:
        secure:
          targets: ["https://localhost:\(bad.port)", "https://localhost:\(good.port)"]
          tls: { authority: "\(files.authority.certificate)" }
      routes: { all: { match: /*, upstream: secure } }
      """
    try withGateway(text) { gateway in
      let statuses = try (1...4).map { _ in try gateway.get("/").status }
      #expect(statuses == [200, 200, 200, 200])
    }
  }

  @Test func `a gateway behind a gateway sees the certificate, a resumed session and probes`() throws {
    let files = try TLSFixture.files
    let plan = TLSFixture.plan(
      [files.localhost],
      "client_authority: \"\(files.authority.certificate)\", client_certificates: required")
    let behind = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      routes: { all: { match: /*, respond: { status: 200, body: behind } } }
      """
    try withGateway(behind, plan) { target in
      let text = configuration(
        "https://localhost:\(target.port)",
        tls: """
          authority: "\(files.authority.certificate)", client_certificate: { certificate: \
          "\(files.client.certificate)", private_key: "\(files.client.key)" }
          """,
        more: "connections: { idle: 0 }, health_check: { path: /probe, interval: 50ms }")
      try withGateway(text) { gateway in
        for _ in 1...3 { #expect(try gateway.get("/").text == "behind") }
        let isProbed = try Deadline.usual.poll {
          try target.records().contains { $0["path"]?.string == "/probe" }
        }
        #expect(isProbed)
        let calls = try target.records().filter { $0["path"]?.string == "/" }
        #expect(calls.allSatisfy { $0["tls_client"]?.string == "CN=batch,O=Example" })
        #expect(calls.count == 3)
        let metrics = try target.admin("/metrics").text
        #expect(metrics.contains(#"resumed="true""#))
      }
    }
  }
}
