/// Who a client is by the certificate that it has shown and proved to own.
public final class ClientCertificate: Sendable {
  /// As RFC 2253 writes it: `CN=batch,O=Example`.
  public let subject: String
  /// The alternative names, each with its kind: `dns:`, `email:`, `uri:` or `ip:`.
  public let names: [String]
  /// The SHA-256 of the whole certificate, in hexadecimal.
  public let fingerprint: String

  public init(subject: String, names: [String], fingerprint: String) {
    self.subject = subject
    self.names = names
    self.fingerprint = fingerprint
  }
}
