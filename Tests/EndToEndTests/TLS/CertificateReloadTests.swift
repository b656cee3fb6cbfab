import GatewayTesting
import Kernel
import Testing

/// Certificates that are renamed, broken, encrypted or over.
struct CertificateReloadTests {
  private static let text = """
    admin: "127.0.0.1:${ADMIN_PORT}"
    routes: { all: { match: /*, respond: { status: 200, body: fine } } }
    """
  private static let metric = "sluice_tls_certificate_expiry_timestamp_seconds{listener=\"public\",name="

  private func days(_ name: String, _ gateway: RunningGateway) throws -> Double? {
    let head = Self.metric + "\"\(name)\"} "
    guard let line = try gateway.admin("/metrics").text.split(separator: "\n").first(where: { $0.hasPrefix(head) })
    else { return nil }
    let moment = try #require(Double(line.dropFirst(head.count)))
    return (moment - Double(Clock.wall / 1_000_000_000)) / 86_400
  }

  @Test func `of certificates with one name the first to expire is shown, and none that a reload took away`() throws {
    let files = try TLSFixture.files
    let soon = try files.authority.issue(names: ["DNS:both.test"], days: 0...3)
    let later = try files.authority.issue(names: ["DNS:both.test"], key: .rsa, days: 0...9)
    let other = try files.authority.issue(names: ["DNS:renamed.test"], days: 0...5)
    let directory = try TemporaryDirectory()
    let live = CertificateAuthority.Files(certificate: directory["live.pem"], key: directory["live.key"])
    #expect(Shell.run("cp \(soon.certificate) \(live.certificate) && cp \(soon.key) \(live.key)") == 0)
    try withGateway(Self.text, TLSFixture.plan([live, later])) { gateway in
      let first = try #require(try days("both.test", gateway))
      #expect(2.9...3.1 ~= first)
      #expect(Shell.run("cp \(other.certificate) \(live.certificate) && cp \(other.key) \(live.key)") == 0)
      gateway.process.signal(1)
      let isRenamed = try Deadline.usual.poll { try days("renamed.test", gateway) != nil }
      #expect(isRenamed)
      let left = try #require(try days("both.test", gateway))
      #expect(8.9...9.1 ~= left)
    }
    try withGateway(Self.text, TLSFixture.plan([live])) { gateway in
      #expect(Shell.run("cp \(soon.certificate) \(live.certificate) && cp \(soon.key) \(live.key)") == 0)
      gateway.process.signal(1)
      let isGone = try Deadline.usual.poll { try days("renamed.test", gateway) == nil }
      #expect(isGone)
    }
  }

  @Test func `a reload tells how many certificates are new where no line changed`() throws {
    let files = try TLSFixture.files
    let renewed = try files.authority.issue(subject: "/CN=renewed", names: ["DNS:localhost"])
    let directory = try TemporaryDirectory()
    let live = CertificateAuthority.Files(certificate: directory["live.pem"], key: directory["live.key"])
    func install(_ files: CertificateAuthority.Files) -> Bool {
      Shell.run("cp \(files.certificate) \(live.certificate) && cp \(files.key) \(live.key)") == 0
    }
    #expect(install(files.localhost))
    try withGateway(Self.text, TLSFixture.plan([live])) { gateway in
      #expect(install(renewed))
      let said = try TLSFixture.run("\(RunningGateway.program) reload --admin 127.0.0.1:\(gateway.adminPort)")
      #expect(said.output.contains("generation 2 runs, 0 changes, 1 new certificate\n"), "\(said.output)")
    }
  }

  @Test func `a reload of a broken certificate leaves the old one running, and says so`() throws {
    let files = try TLSFixture.files
    let directory = try TemporaryDirectory()
    let live = CertificateAuthority.Files(certificate: directory["live.pem"], key: directory["live.key"])
    #expect(
      Shell.run("cp \(files.localhost.certificate) \(live.certificate) && cp \(files.localhost.key) \(live.key)") == 0)
    try withGateway(Self.text, TLSFixture.plan([live])) { gateway in
      try directory.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "live.pem")
      gateway.process.signal(1)
      let isSaid = try Deadline.usual.poll {
        try gateway.admin("/metrics").text.contains("\nsluice_config_last_reload_succeeded 0\n")
      }
      #expect(isSaid)
      #expect(try TLSFixture.curl(gateway) == "fine200")
    }
  }

  @Test func `a client's certificate that is over counts as none that one can trust`() throws {
    let files = try TLSFixture.files
    let over = try files.authority.issue(subject: "/CN=over", names: ["DNS:batch.internal"], days: -9 ... -1)
    let more = "client_authority: \"\(files.authority.certificate)\", client_certificates: optional"
    try withGateway(Self.text, TLSFixture.plan([files.localhost], more)) { gateway in
      let answer = try TLSFixture.curl(gateway, "--cert \(over.certificate) --key \(over.key)")
      #expect(answer.hasSuffix("000"), "\(answer)")
      #expect(try TLSFixture.curl(gateway) == "fine200")
    }
  }

  @Test func `an authority that clients are trusted by is not sent with the gateway's own certificate`() throws {
    let files = try TLSFixture.files
    let more = "client_authority: \"\(files.authority.certificate)\", client_certificates: optional"
    try withGateway(Self.text, TLSFixture.plan([files.localhost], more)) { gateway in
      let said = try TLSFixture.client(gateway, "-showcerts")
      #expect(said.occurrences(of: "BEGIN CERTIFICATE") == 1, "\(said)")
    }
  }

  @Test func `where only HTTP/2 is spoken HTTP/1.1 is told so`() throws {
    let files = try TLSFixture.files
    let request = "GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
    try withGateway(Self.text, TLSFixture.plan([files.localhost], protocols: "[h2]")) { gateway in
      let said = try TLSFixture.client(gateway, "-quiet", input: request)
      #expect(said.contains("HTTP/1.1 505 "), "\(said)")
      #expect(try TLSFixture.curl(gateway, "--http2") == "fine200")
    }
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: { address: "127.0.0.1:${PORT}", protocols: [h2c] } }"#
    try withGateway(Self.text, plan) { gateway in
      let answer = try gateway.get("/")
      #expect(answer.status == 505)
    }
  }
}

extension String {
  /// How often a text occurs.
  fileprivate func occurrences(of text: String) -> Int {
    var (count, rest) = (0, self[...])
    while let range = rest.firstRange(of: text) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
