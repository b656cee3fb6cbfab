import GatewayTesting
import Kernel
import Testing

/// TLS in front, with curl, OpenSSL's client and Python's.
struct ListenerTLSTests {
  /// The configuration of gateways without an origin.
  private func routes(_ more: String = "") -> String {
    "admin: \"127.0.0.1:${ADMIN_PORT}\"\n\(more)\nroutes: { all: { match: /*, respond: { status: 200, body: fine } } }"
  }

  @Test func `a call over TLS is forwarded, and says so to the target and in the log`() throws {
    let files = try TLSFixture.files
    let origin = try Origin.ok("hello")
    let plan = TLSFixture.plan([files.localhost])
    try withGateway(to: origin, plan) { gateway in
      #expect(try TLSFixture.curl(gateway) == "hello200")
      #expect(origin.requests.first?["X-Forwarded-Proto"] == "https")
      #expect(origin.requests.first?["Forwarded"]?.hasSuffix(";proto=https") == true)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["tls_version"]?.string == "TLSv1.3")
      #expect(record["tls_cipher"]?.string == "TLS_AES_128_GCM_SHA256")
      #expect(record["tls_server_name"]?.string == "localhost")
      #expect(record["tls_client"] == nil)
    }
  }

  @Test func `when a certificate expires is a metric`() throws {
    let files = try TLSFixture.files
    let soon = try files.authority.issue(names: ["DNS:soon.test"], days: 0...3)
    try withGateway(routes(), TLSFixture.plan([files.localhost, soon])) { gateway in
      let name = "sluice_tls_certificate_expiry_timestamp_seconds{listener=\"public\",name=\"soon.test\"} "
      let page = try gateway.admin("/metrics").text
      let line = try #require(page.split(separator: "\n").first { $0.hasPrefix(name) })
      let moment = try #require(Double(line.dropFirst(name.count)))
      let days = (moment - Double(Clock.wall / 1_000_000_000)) / 86_400
      #expect(2.9...3.1 ~= days)
    }
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"])
  func `a session is resumed by whichever worker takes the connection`(version: String) throws {
    let files = try TLSFixture.files
    var plan = TLSFixture.plan([files.localhost])
    plan.workers = 4
    try withGateway(routes(), plan) { gateway in
      let session = gateway.directory["session"]
      let first = try TLSFixture.client(
        gateway, "\(version) -sess_out \(session)", input: "GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
      #expect(first.contains("New, TLS"))
      // Each connection is another worker's turn by chance: twelve in a row meet all four.
      for _ in 0..<12 {
        #expect(try TLSFixture.client(gateway, "\(version) -sess_in \(session)").contains("Reused, TLS"))
      }
    }
  }

  @Test func `bodies pass whole in both directions`() throws {
    let files = try TLSFixture.files
    let origin = try Origin.echo()
    try withGateway(to: origin, TLSFixture.plan([files.localhost])) { gateway in
      let directory = try TemporaryDirectory()
      #expect(Shell.run("head -c 3000000 /dev/urandom | base64 -w 0 > \(directory["sent"])") == 0)
      let output = try TLSFixture.curl(
        gateway, "--data-binary @\(directory["sent"]) -o \(directory["came"])")
      #expect(output == "200")
      #expect(Shell.run("cmp \(directory["sent"]) \(directory["came"])") == 0)
    }
  }

  @Test func `HTTP/2 is spoken where ALPN chose it, and nowhere else`() throws {
    let files = try TLSFixture.files
    try withGateway(routes(), TLSFixture.plan([files.localhost])) { gateway in
      for chosen in ["-alpn http/1.1", ""] {
        let output = try TLSFixture.client(
          gateway, "-quiet \(chosen)", input: "PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n")
        #expect(output.contains("HTTP/1.1 505 "), "\(output)")
      }
    }
  }

  @Test func `a target in absolute form must name the scheme of its connection`() throws {
    let files = try TLSFixture.files
    try withGateway(routes(), TLSFixture.plan([files.localhost])) { gateway in
      for (scheme, status) in [("http", 421), ("HTTPS", 200)] {
        let request = "GET \(scheme)://localhost/ HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n"
        let output = try TLSFixture.client(gateway, "-quiet", input: request)
        #expect(output.contains("HTTP/1.1 \(status) "), "\(output)")
      }
    }
    try withGateway(routes()) { gateway in
      for (scheme, status) in [("https", 421), ("http", 200)] {
        let client = try gateway.connect()
        try client.send("GET \(scheme)://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
        #expect(try client.response().status == status)
      }
    }
  }

  @Test func `plain HTTP gets a plain 400 and the end`() throws {
    let files = try TLSFixture.files
    try withGateway(routes(), TLSFixture.plan([files.localhost])) { gateway in
      let client = try gateway.connect()
      let answer = try client.get("/")
      #expect(answer.status == 400)
      #expect(answer.text.contains("https://"))
      let rest = try client.stream.read()
      #expect(rest.isEmpty)
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"outcome="not_tls""#))
    }
  }

  @Test func `plain HTTP with a body reads its 400 too`() throws {
    let files = try TLSFixture.files
    try withGateway(routes(), TLSFixture.plan([files.localhost])) { gateway in
      let client = try gateway.connect()
      try client.stream.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")
      try client.stream.write([UInt8](repeating: 0x61, count: 200_000))
      var answer: [UInt8] = []
      while let bytes = try? client.stream.read(), !bytes.isEmpty { answer += bytes }
      #expect(String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test func `the name and the client's algorithms choose the certificate`() throws {
    let files = try TLSFixture.files
    let plan = TLSFixture.plan([files.localhost, files.localhostRSA, files.other])
    try withGateway(routes(), plan) { gateway in
      func said(_ options: String, _ text: String) throws {
        let output = try TLSFixture.client(gateway, options)
        #expect(output.contains(text), "\(output)")
      }
      try said("-servername other.test", "subject=CN = other")
      try said("-noservername", "subject=CN = localhost")
      try said("-servername localhost", "subject=CN = localhost")
      let onlyRSA = "-servername localhost -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256"
      try said(onlyRSA, "subject=CN = rsa")
      try said("-alpn h2,http/1.1", "ALPN protocol: h2")
    }
  }

  @Test(arguments: ["-tls1_1 -cipher ALL:@SECLEVEL=0", "-tls1_2 -cipher AES128-GCM-SHA256", "-tls1_2 -cipher DHE"])
  func `old versions and ciphers without forward secrecy are refused`(options: String) throws {
    let files = try TLSFixture.files
    try withGateway(routes(), TLSFixture.plan([files.localhost, files.localhostRSA])) { gateway in
      let output = try TLSFixture.client(gateway, options)
      #expect(output.contains("alert"), "\(output)")
      #expect(output.contains("Cipher is (NONE)"))
    }
  }

  @Test func `a client cannot renegotiate`() throws {
    let files = try TLSFixture.files
    try withGateway(routes(), TLSFixture.plan([files.localhost])) { gateway in
      let output = try TLSFixture.client(gateway, "-tls1_2", input: "R\\n")
      #expect(output.contains("no renegotiation"), "\(output)")
    }
  }

  @Test(arguments: ["optional", "required"])
  func `a client's certificate is its identity`(demand: String) throws {
    let files = try TLSFixture.files
    let plan = TLSFixture.plan(
      [files.localhost],
      "client_authority: \"\(files.authority.certificate)\", client_certificates: \(demand)")
    try withGateway(routes(), plan) { gateway in
      let shown = "--cert \(files.client.certificate) --key \(files.client.key)"
      #expect(try TLSFixture.curl(gateway, shown) == "fine200")
      #expect(try gateway.awaitRecords(1)[0]["tls_client"]?.string == "CN=batch,O=Example")
      let without = try TLSFixture.curl(gateway)
      #expect(without.hasSuffix(demand == "optional" ? "fine200" : "000"))
      let stranger = try CertificateAuthority("Stranger").issue(names: ["DNS:batch.internal"])
      let refused = try TLSFixture.curl(gateway, "--cert \(stranger.certificate) --key \(stranger.key)")
      #expect(refused.hasSuffix("000"))
    }
  }

  @Test func `who never finishes the handshake is closed`() throws {
    let files = try TLSFixture.files
    try withGateway(routes("limits: { handshake_timeout: 100ms }"), TLSFixture.plan([files.localhost])) { gateway in
      let client = try gateway.connect()
      try client.stream.write([0x16, 3, 1])
      #expect(throws: WireError.self) { if try client.stream.read().isEmpty { throw WireError.ended("") } }
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"outcome="timeout""#))
      #expect(try TLSFixture.curl(gateway) == "fine200")
    }
  }

  @Test func `when too many shake hands at a time, the one that waits longest goes`() throws {
    let files = try TLSFixture.files
    try withGateway(routes("limits: { handshakes: 2 }"), TLSFixture.plan([files.localhost])) { gateway in
      let silent = try (1...6).map { _ in try gateway.connect() }
      #expect(try TLSFixture.curl(gateway) == "fine200")
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"outcome="evicted""#))
      withExtendedLifetime(silent) {}
    }
  }

  @Test func `a handshake may be cut after any octet`() throws {
    let files = try TLSFixture.files
    let hello = try clientHello()
    #expect(hello.count > 100)
    try withGateway(routes(), TLSFixture.plan([files.localhost])) { gateway in
      for end in stride(from: 1, through: hello.count, by: 7) + [hello.count] {
        let client = try gateway.connect()
        try client.stream.write(Array(hello[..<end]))
        if end == hello.count { #expect(try client.stream.read().first == 0x16) }
        end % 2 == 0 ? client.stream.close() : client.stream.reset()
      }
      // What follows a hello must be a handshake.
      let client = try gateway.connect()
      try client.stream.write(hello + Array("GET / HTTP/1.1\r\n\r\n".utf8))
      while let bytes = try? client.stream.read(), !bytes.isEmpty {}
      #expect(try TLSFixture.curl(gateway) == "fine200")
    }
  }

  /// The first flight of a real client.
  private func clientHello() throws -> [UInt8] {
    let found = Lock<[UInt8]>([])
    let origin = try Origin { connection in
      let bytes = try connection.stream.read()
      found.withLock { $0 = bytes }
    }
    defer { origin.stop() }
    _ = try TLSFixture.run("timeout 10 openssl s_client -connect 127.0.0.1:\(origin.port)")
    return found.withLock { $0 }
  }

  @Test func `a reload brings new certificates, and open connections go on`() throws {
    let files = try TLSFixture.files
    let directory = try TemporaryDirectory()
    let live = CertificateAuthority.Files(certificate: directory["live.pem"], key: directory["live.key"])
    func install(_ files: CertificateAuthority.Files) {
      Shell.run("cp \(files.certificate) \(live.certificate) && cp \(files.key) \(live.key)")
    }
    install(files.localhost)
    try directory.write(Self.program, to: "client.py")
    try withGateway(routes(), TLSFixture.plan([live])) { gateway in
      let python = try ChildProcess(
        ["/bin/sh", "-c", "exec python3 \(directory["client.py"]) \(gateway.port) \(directory.path)"],
        output: directory["said"], errors: directory["said"])
      #expect(Deadline.usual.poll { directory.names.contains("first") || !python.isRunning })
      let renewed = try files.authority.issue(subject: "/CN=renewed", names: ["DNS:localhost"])
      install(renewed)
      gateway.process.signal(1)
      let isRenewed = try Deadline.usual.poll { try TLSFixture.client(gateway, "").contains("subject=CN = renewed") }
      #expect(isRenewed)
      try directory.write("", to: "go")
      #expect(try python.wait(until: .usual) == .exited(0))
      #expect(try directory.read("said") == "200\n200\n")
    }
  }

  /// One connection for two requests, with a pause between that the test ends.
  private static let program = """
    import http.client, os, ssl, sys, time
    port, directory = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
    def ask():
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        print(answer.status)
    ask()
    connected = connection.sock
    open(directory + "/first", "w").close()
    while not os.path.exists(directory + "/go"):
        time.sleep(0.01)
    ask()
    assert connection.sock is connected, "the connection was replaced"

    """
}

private func + (indices: StrideThrough<Int>, more: [Int]) -> [Int] { Array(indices) + more }
