import GatewayTesting
import Kernel

/// Certificates for gateways and their peers, made once, and the tools that speak TLS to them.
enum TLSFixture {
  struct Made: Sendable {
    let authority: CertificateAuthority
    let localhost: CertificateAuthority.Files
    let localhostRSA: CertificateAuthority.Files
    let other: CertificateAuthority.Files
    let client: CertificateAuthority.Files
  }

  private static let made = Result { try make() }

  static var files: Made { get throws { try made.get() } }

  private static func make() throws -> Made {
    let authority = try CertificateAuthority()
    return try Made(
      authority: authority,
      localhost: authority.issue(subject: "/CN=localhost", names: ["DNS:localhost", "IP:127.0.0.1"]),
      localhostRSA: authority.issue(subject: "/CN=rsa", names: ["DNS:localhost"], key: .rsa),
      other: authority.issue(subject: "/CN=other", names: ["DNS:other.test"]),
      client: authority.issue(subject: "/O=Example/CN=batch", names: ["DNS:batch.internal"]))
  }

  /// A gateway's plan with one listener under TLS.
  static func plan(
    _ certificates: [CertificateAuthority.Files], _ more: String = "", protocols: String = "[h2, http/1.1]"
  ) -> RunningGateway.Plan {
    let list = certificates.map { "{ certificate: \"\($0.certificate)\", private_key: \"\($0.key)\" }" }
    var plan = RunningGateway.Plan()
    plan.listeners =
      "{ public: { address: \"127.0.0.1:${PORT}\", protocols: \(protocols), "
      + "tls: { certificates: [\(list.joined(separator: ", "))]\(more.isEmpty ? "" : ", " + more) } } }"
    return plan
  }

  /// Runs a command and hands back its exit status and all that it wrote.
  static func run(_ command: String) throws -> (status: Int32, output: String) {
    let directory = try TemporaryDirectory()
    let status = Shell.run("(\(command)) > \(directory["output"]) 2>&1 < /dev/null")
    return (status, (try? directory.read("output")) ?? "")
  }

  /// curl over HTTPS; the status of the answer comes last.
  static func curl(_ gateway: RunningGateway, _ more: String = "", path: String = "/") throws -> String {
    let authority = try files.authority.certificate
    return try run(
      "curl -sS --max-time 20 --cacert \(authority) \(more) -w '%{http_code}' https://localhost:\(gateway.port)\(path)"
    ).output
  }

  static func client(_ gateway: RunningGateway, _ more: String, input: String = "") throws -> String {
    try run(
      "(printf '\(input)'; sleep 0.3) | timeout 20 openssl s_client -connect 127.0.0.1:\(gateway.port) \(more)"
    ).output
  }
}
