public import Configuration
import Foreign
import Kernel

extension ListenerTLSSettings {
  public static let section = Section(
    "tls", ListenerTLSSettings(), "How the listener speaks TLS; without it, everything is in the clear.",
    [
      Keyword(
        "certificates", \.certificates, .list(of: .section(IdentitySettings.section), minimum: 1, maximum: 1000),
        required: true,
        "A client gets the one that names the host it asks for, else the first; RSA and ECDSA may stand side by side."),
      Keyword("minimum_version", \.minimumVersion, .choice, "The oldest version that is spoken."),
      Keyword(
        "client_authority", \.clientAuthority, .authority, "Who must have signed the certificates of clients: PEM."),
      Keyword(
        "client_certificates", \.clientCertificates, .choice,
        "Whether clients show certificates; one that is shown must be good."),
    ]
  ) { tls, node, reading in
    if tls.clientCertificates != .none, tls.clientAuthority == nil {
      reading.error(
        "certificates of clients cannot be checked without an authority",
        at: (node.value(for: "client_certificates") ?? node).position, expected: "`client_authority: FILE`")
    }
    if tls.clientCertificates == .none, let written = node.value(for: "client_authority") {
      reading.warning(
        "no client is asked for a certificate", at: written.position,
        expected: "`client_certificates: optional` or `required`")
    }
  }
}

extension UpstreamTLSSettings {
  public static let section = Section(
    "tls", UpstreamTLSSettings(), "How targets with https:// are spoken to.",
    [
      Keyword(
        "authority", \.authority, .authority,
        "Who must have signed the target's certificate: PEM; whom the system trusts by default."),
      Keyword(
        "client_certificate", \.clientCertificate, .section(IdentitySettings.section),
        "What is shown to targets that ask for a certificate."),
      Keyword(
        "server_name", \.serverName, .hostName,
        "The host to ask for and to find in the certificate; the target's own by default."),
      Keyword("verify", \.verify, .boolean, "Whether the target's certificate is checked."),
    ]
  ) { tls, node, reading in
    guard !tls.verify else { return }
    reading.warning(
      "targets are not verified: anybody on the way can read and change what is sent",
      at: (node.value(for: "verify") ?? node).position, expected: "`authority: FILE` with the target's own authority")
  }
}

extension IdentitySettings {
  public static let section = Section(
    "certificate", IdentitySettings(), "A certificate and its private key, both PEM.",
    [
      Keyword(
        "certificate", \.certificate, .filePath, required: true,
        "The file of the certificate, with those that lead to its authority behind it."),
      Keyword(
        "private_key", \.privateKey, .filePath, required: true, "The file of its key, without a passphrase."),
    ]
  ) { settings, node, reading in
    let certificatePosition = (node.value(for: "certificate") ?? node).position
    let keyPosition = (node.value(for: "private_key") ?? node).position
    let certificate = reading.pem(settings.certificate, at: certificatePosition)
    let key = reading.pem(settings.privateKey, at: keyPosition)
    guard let certificate, let key else { return }
    do throws(TLSIdentity.Mistake) {
      let identity = try TLSIdentity(certificate: certificate, privateKey: key)
      settings.identity = identity
      reading.warnOfTime(identity.certificate, settings.certificate, at: certificatePosition)
    } catch {
      switch error {
      case .certificate(let why):
        reading.error(
          "\(Printable(settings.certificate)) is no certificate: \(why)", at: certificatePosition,
          expected: "a PEM file")
      case .privateKey(let why):
        reading.error(
          "\(Printable(settings.privateKey)) is no private key: \(why)", at: keyPosition,
          expected: "a PEM file without a passphrase")
      case .mismatch:
        reading.error(
          "the key is not that of the certificate \(Printable(settings.certificate))", at: keyPosition,
          expected: "the key that the certificate was requested with")
      }
    }
  }
}

extension ValueType where Value == String {
  /// A host's name as a certificate has it.
  static var hostName: ValueType {
    scalar(ScalarShape("host", expectation: "a host such as api.example.com"), text: { $0 }) {
      text throws(ScalarMistake) in
      guard HostPort.isHost(text) else { throw .malformed }
      return text.lowercased()
    }
  }
}

extension Reading {
  private static let day = 86_400

  fileprivate mutating func warnOfTime(_ certificate: TLSCertificate, _ path: String, at position: Position) {
    let now = Clock.wall / 1_000_000_000
    let left = certificate.validUntil - now
    if left < 0 {
      warning("\(Printable(path)) has expired: clients will refuse it", at: position, expected: "a new certificate")
    } else if certificate.validFrom > now {
      warning(
        "\(Printable(path)) is not valid yet: clients will refuse it", at: position,
        expected: "the right time on this machine, or another certificate")
    } else if left < 30 * Self.day {
      warning(
        "\(Printable(path)) expires in \(left / Self.day) days", at: position,
        expected: "a new certificate, and then a reload")
    }
  }
}
