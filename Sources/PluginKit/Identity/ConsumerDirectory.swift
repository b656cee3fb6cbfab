import Configuration
public import Foreign

/// The consumers of a configuration, found by what they prove; immutable and shared by all workers.
public final class ConsumerDirectory: Sendable {
  public static let none = ConsumerDirectory([])

  private let byKey: [SHA256Digest: Identity]
  private let byUser: [String: (password: SHA256Digest, identity: Identity)]
  private let byClaims: [(claims: [(String, String)], consumer: ConsumerSettings)]
  private let byCertificate: [(names: ConsumerSettings.CertificateSettings, identity: Identity)]
  private let bySignature: [String: MessageSigner]

  public init(_ consumers: [ConsumerSettings]) {
    var byKey: [SHA256Digest: Identity] = [:]
    var byUser: [String: (password: SHA256Digest, identity: Identity)] = [:]
    var byCertificate: [(names: ConsumerSettings.CertificateSettings, identity: Identity)] = []
    var bySignature: [String: MessageSigner] = [:]
    for consumer in consumers {
      let identity = Identity(consumer: consumer.name, user: nil, groups: consumer.groups)
      for key in consumer.apiKeys {
        if let digest = SHA256Digest(hexadecimal: key.dropFirst("sha256:".utf8.count)) { byKey[digest] = identity }
      }
      if let basic = consumer.basic {
        byUser[basic.user] = (
          SHA256.digest(of: basic.password.reveal().utf8Span.span),
          Identity(consumer: consumer.name, user: basic.user, groups: consumer.groups)
        )
      }
      if let names = consumer.certificate { byCertificate.append((names, identity)) }
      if let hmac = consumer.hmac, let key = hmac.key {
        bySignature[hmac.keyID] = MessageSigner(keyID: hmac.keyID, key: key, identity: identity)
      }
    }
    self.byKey = byKey
    self.byUser = byUser
    self.byCertificate = byCertificate
    self.bySignature = bySignature
    byClaims = consumers.filter { !$0.claims.isEmpty }.map { ($0.claims, $0) }
  }

  /// Whose API key has this digest.
  ///
  /// A lookup tells nothing by its time: nobody can choose keys by what their digests begin with.
  public func identity(ofKey digest: SHA256Digest) -> Identity? { byKey[digest] }

  /// Whose name and password these are. A password is always compared, so that the time tells no names.
  public func identity(user: String, password: SHA256Digest) -> Identity? {
    let known = byUser[user]
    let matches = (known?.password ?? Self.nobody) == password
    return matches ? known?.identity : nil
  }

  private static let nobody = SHA256.digest(of: [0].span)

  /// Who has a certificate with all the names that the configuration wants of theirs.
  public func identity(of certificate: ClientCertificate) -> Identity? {
    byCertificate.first { entry in
      let names = entry.names
      return names.san.map { certificate.names.contains($0) } ?? true
        && names.subject.map { $0 == certificate.subject } ?? true
        && names.fingerprint.map { $0 == certificate.fingerprint } ?? true
    }?.identity
  }

  /// Who signs requests with the key of this name.
  public func signer(keyID: String) -> MessageSigner? { bySignature[keyID] }

  /// The consumer all of whose claims a token has, the one with the most of them first.
  public func consumer(with claims: Claims) -> (name: String, groups: [String])? {
    var best: (name: String, groups: [String], claims: Int)?
    for entry in byClaims where entry.claims.count > best?.claims ?? 0 {
      let fits = entry.claims.allSatisfy { claims[$0.0]?.items.contains($0.1) ?? false }
      if fits { best = (entry.consumer.name, entry.consumer.groups, entry.claims.count) }
    }
    return best.map { ($0.name, $0.groups) }
  }
}

/// A consumer who signs requests, with the secret that they are checked by.
public struct MessageSigner: Sendable {
  public let keyID: String
  public let key: [UInt8]
  public let identity: Identity
}
