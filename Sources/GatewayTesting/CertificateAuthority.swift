import Kernel

/// An authority that tests make with the `openssl` command, and the certificates it signs.
package final class CertificateAuthority: Sendable {
  package enum KeyType: String, Sendable {
    case rsa = "rsa:2048"
    case ecdsa = "ec -pkeyopt ec_paramgen_curve:P-256"
  }

  /// Files of a certificate and its key, both PEM.
  package struct Files: Sendable {
    package let certificate: String
    package let key: String

    package init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  package struct Failed: Error { let step: String }

  private let directory: TemporaryDirectory
  private let count = Lock(0)

  /// The authority's own certificate.
  package var certificate: String { directory["ca.pem"] }

  /// - Parameter name: its subject's common name.
  package init(_ name: String = "Test Authority") throws {
    directory = try TemporaryDirectory()
    try directory.write(
      """
      [ca]
      default_ca = authority
      [authority]
      dir = \(directory.path)
      database = $dir/index.txt
      new_certs_dir = $dir
      rand_serial = yes
      unique_subject = no
      default_md = sha256
      policy = policy
      copy_extensions = copy
      email_in_dn = no
      [policy]
      organizationName = optional
      commonName = optional
      """, to: "authority.cnf")
    try directory.write("", to: "index.txt")
    try run(
      "openssl req -x509 -newkey \(KeyType.ecdsa.rawValue) -nodes -days 30 -subj '/CN=\(name)' "
        + "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign "
        + "-keyout ca.key -out ca.pem")
  }

  /// Makes a key and signs a certificate for it.
  ///
  /// - Parameters:
  ///   - names: alternative names as OpenSSL writes them: `DNS:example.com`, `IP:127.0.0.1`.
  ///   - days: from when until when it is valid, counted from now.
  package func issue(
    subject: String = "/CN=test", names: [String], key: KeyType = .ecdsa, days: ClosedRange<Int> = -1...60
  ) throws -> Files {
    // One at a time: the command keeps its books in files.
    try count.withLock { count in
      count += 1
      return try issue(count, subject: subject, names: names, key: key, days: days)
    }
  }

  private func issue(
    _ number: Int, subject: String, names: [String], key: KeyType, days: ClosedRange<Int>
  ) throws -> Files {
    let extensions = names.isEmpty ? "" : "-addext subjectAltName=\(names.joined(separator: ","))"
    try run(
      "openssl req -new -newkey \(key.rawValue) -nodes -subj '\(subject)' \(extensions) "
        + "-keyout \(number).key -out \(number).csr")
    func date(_ days: Int) -> String { "$(date -u -d '\(days) days' +%Y%m%d%H%M%SZ)" }
    try run(
      "openssl ca -config authority.cnf -batch -notext -cert ca.pem -keyfile ca.key -in \(number).csr "
        + "-startdate \(date(days.lowerBound)) -enddate \(date(days.upperBound)) -out \(number).pem")
    return Files(certificate: directory["\(number).pem"], key: directory["\(number).key"])
  }

  private func run(_ command: String) throws {
    if Shell.run("cd \(directory.path) && \(command) >> log.txt 2>&1") != 0 {
      throw Failed(step: command + "\n" + ((try? directory.read("log.txt")) ?? ""))
    }
  }
}
