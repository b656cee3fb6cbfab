public import Configuration
public import Foreign

/// How a listener speaks TLS.
public struct ListenerTLSSettings: Sendable, Equatable {
  /// The first is shown to clients that ask for no host, or for one that no certificate names.
  public var certificates: [IdentitySettings]
  public var minimumVersion: TLSVersion
  /// Who must have signed the certificates of clients.
  public var clientAuthority: AuthoritySettings?
  public var clientCertificates: TLSServerContext.ClientCertificates

  public init(
    certificates: [IdentitySettings] = [], minimumVersion: TLSVersion = .v12,
    clientAuthority: AuthoritySettings? = nil, clientCertificates: TLSServerContext.ClientCertificates = .none
  ) {
    self.certificates = certificates
    self.minimumVersion = minimumVersion
    self.clientAuthority = clientAuthority
    self.clientCertificates = clientCertificates
  }
}

/// How TLS is spoken to the targets of an upstream whose URL begins with `https://`.
public struct UpstreamTLSSettings: Sendable, Equatable {
  /// Who must have signed the target's certificate. Nil: whom the system trusts.
  public var authority: AuthoritySettings?
  public var clientCertificate: IdentitySettings?
  /// The host to ask for and to find in the certificate. Nil: the target's own.
  public var serverName: String?
  public var verify: Bool

  public init(
    authority: AuthoritySettings? = nil, clientCertificate: IdentitySettings? = nil, serverName: String? = nil,
    verify: Bool = true
  ) {
    self.authority = authority
    self.clientCertificate = clientCertificate
    self.serverName = serverName
    self.verify = verify
  }
}

/// A certificate and its key: where they lie, and what lay there when the configuration was read.
public struct IdentitySettings: Sendable, Equatable {
  public var certificate: String
  public var privateKey: String
  /// Nil until the files are read.
  public var identity: TLSIdentity?

  public init(certificate: String = "", privateKey: String = "", identity: TLSIdentity? = nil) {
    self.certificate = certificate
    self.privateKey = privateKey
    self.identity = identity
  }

  public static func == (one: IdentitySettings, other: IdentitySettings) -> Bool {
    one.certificate == other.certificate && one.privateKey == other.privateKey
      && one.identity?.certificate.fingerprint == other.identity?.certificate.fingerprint
  }
}

/// What a listener speaks.
public enum ListenerProtocol: String, Sendable, CaseIterable {
  case h2
  case http1 = "http/1.1"
  /// HTTP/2 in the clear, by clients that know of it.
  case h2c

  /// What the gateway serves over TLS; ALPN offers nothing else, whatever a listener asks for.
  static let served: [ListenerProtocol] = [.h2, .http1]
}

extension ListenerSettings {
  var speaksHTTP1: Bool { protocols.contains(.http1) }
  /// Whether a connection may turn out to speak HTTP/2.
  var speaksHTTP2: Bool { protocols.contains(tls == nil ? .h2c : .h2) }

  /// What ALPN offers, in the order of preference.
  var negotiable: [String] {
    let offered = protocols.filter(ListenerProtocol.served.contains)
    return (offered.isEmpty ? [.http1] : offered).map(\.rawValue)
  }
}
