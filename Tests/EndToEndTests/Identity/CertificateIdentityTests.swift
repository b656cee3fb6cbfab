import GatewayTesting
import Testing

/// Consumers by what their certificates say: the subject alone, an alternative name alone, or neither.
struct CertificateIdentityTests {
  private static let text = """
    admin: "127.0.0.1:${ADMIN_PORT}"
    consumers:
      reports: { client_certificate: { subject: "CN=reports,O=Example" } }
      batch: { client_certificate: { san: "dns:batch.internal" } }
    routes:
      open: { match: /open, upstream: ORIGIN }
      known: { match: /*, plugins: [client_certificate: { forward: { X-Consumer: consumer } }], upstream: ORIGIN }
    """

  private struct Caller {
    let files: CertificateAuthority.Files?
    let status: Int
    let consumer: String?
    let reason: String?
  }

  /// What each may do whose connection was taken.
  private static func callers() throws -> [Caller] {
    let authority = try TLSFixture.files.authority
    func made(_ subject: String, _ names: [String]) throws -> CertificateAuthority.Files {
      try authority.issue(subject: subject, names: names)
    }
    return [
      // No alternative name at all.
      Caller(files: try made("/O=Example/CN=reports", []), status: 200, consumer: "reports", reason: nil),
      // A subject that says nothing, and one name of two.
      Caller(
        files: try made("/CN=anybody", ["DNS:other.internal", "DNS:batch.internal"]), status: 200, consumer: "batch",
        reason: nil),
      // Names that look like those of consumers, in the other place.
      Caller(
        files: try made("/CN=batch.internal", ["DNS:reports"]), status: 401, consumer: nil,
        reason: "unknown_client_certificate"),
      Caller(
        files: try made("/O=Example/CN=reports/CN=more", ["DNS:a.batch.internal"]), status: 401, consumer: nil,
        reason: "unknown_client_certificate"),
    ]
  }

  private func plan(_ mode: String) throws -> RunningGateway.Plan {
    let files = try TLSFixture.files
    return TLSFixture.plan(
      [files.localhost], "client_authority: \"\(files.authority.certificate)\", client_certificates: \(mode)")
  }

  private func curl(
    _ gateway: RunningGateway, _ files: CertificateAuthority.Files?, _ version: String, _ path: String = "/"
  )
    throws -> String
  {
    let shown = files.map { "--cert \($0.certificate) --key \($0.key)" } ?? ""
    return try TLSFixture.curl(gateway, "-o /dev/null \(version) \(shown)", path: path)
  }

  @Test(arguments: ["optional", "required"], ["--http1.1", "--http2"])
  func `a certificate says who its consumer is by subject or by name, and by nothing else`(
    mode: String, version: String
  )
    throws
  {
    let origin = try Origin.ok("fine")
    try withGateway(Self.text, to: origin, plan(mode)) { gateway in
      let callers = try Self.callers()
      for caller in callers {
        let said = try curl(gateway, caller.files, version)
        #expect(said == "\(caller.status)")
      }
      let records = try gateway.awaitRecords(callers.count)
      #expect(records.map { $0["consumer"]?.string } == callers.map(\.consumer))
      #expect(records.map { $0["reason"]?.string } == callers.map(\.reason))
      #expect(records.allSatisfy { $0["tls_client"]?.string != nil })
      #expect(origin.requests.map { $0["X-Consumer"] } == ["reports", "batch"])
    }
  }

  @Test(arguments: ["--http1.1", "--http2"])
  func `without a certificate one is nobody where it is optional, and not let in where it is required`(version: String)
    throws
  {
    try withGateway(Self.text, to: Origin.ok("fine"), plan("optional")) { gateway in
      let refused = try curl(gateway, nil, version)
      #expect(refused == "401")
      let served = try curl(gateway, nil, version, "/open")
      #expect(served == "200")
      #expect(try gateway.awaitRecords(2).map { $0["reason"]?.string } == ["no_credentials", nil])
    }
    try withGateway(Self.text, to: Origin.ok("fine"), plan("required")) { gateway in
      let refused = try curl(gateway, nil, version, "/open")
      #expect(refused.hasSuffix("000"), "\(refused)")
      #expect(try gateway.records().isEmpty)
    }
  }

  @Test(arguments: ["optional", "required"])
  func `a certificate of another authority is not let in`(mode: String) throws {
    let stranger = try CertificateAuthority("Another").issue(subject: "/O=Example/CN=reports", names: [])
    try withGateway(Self.text, to: Origin.ok("fine"), plan(mode)) { gateway in
      let refused = try curl(gateway, stranger, "--http2", "/open")
      #expect(refused.hasSuffix("000"), "\(refused)")
      #expect(try gateway.records().isEmpty)
    }
  }
}
