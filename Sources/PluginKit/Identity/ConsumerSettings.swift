public import Configuration
import Foreign
import HTTP
import Kernel

/// A caller whom the configuration knows by name, and how they prove who they are.
public struct ConsumerSettings: Sendable {
  public var name = ""
  public var position = Position.none
  public var groups: [String] = []
  /// SHA-256 of each, in hexadecimal with `sha256:` before it.
  public var apiKeys: [String] = []
  /// Claims that a token must all have to be this consumer's.
  public var claims: [(String, String)] = []
  public var basic: BasicSettings?
  public var certificate: CertificateSettings?
  public var hmac: HMACSettings?

  public init() {}

  /// A secret that signs requests, and its name.
  public struct HMACSettings: Sendable {
    public var keyID = ""
    public var secret = Secret("")
    public var encoding = Encoding.text

    public enum Encoding: String, Sendable, CaseIterable {
      case text, base64
    }

    /// The bytes that codes are made with; nil for a secret that is not in its encoding.
    public var key: [UInt8]? {
      let text = secret.reveal()
      guard encoding == .base64 else { return Array(text.utf8) }
      var decoder = Base64Decoder()
      var key = ByteBuffer(capacity: text.utf8.count)
      guard decoder.decode(text.utf8Span.span, into: &key), decoder.isComplete else { return nil }
      return key.span.indices.map { key.span[$0] }
    }
  }

  /// A name and a password.
  public struct BasicSettings: Sendable {
    public var user = ""
    public var password = Secret("")
  }

  /// Names in a certificate, each of which it must have.
  public struct CertificateSettings: Sendable {
    public var san: String?
    public var subject: String?
    public var fingerprint: String?
  }

  public static let section = Section(
    "consumer", ConsumerSettings(), "A caller with a name.",
    [
      Keyword(
        "groups", \.groups, .list(of: .text("group", expectation: "the name of a group", limit: 200), maximum: 100),
        "What the consumer belongs to, for authorize."),
      Keyword(
        "api_keys", \.apiKeys, .list(of: .keyDigest, maximum: 100),
        "SHA-256 of each key, as `sluice key new` prints it; the keys themselves stand nowhere."),
      Keyword(
        "jwt", \.claims,
        .map(
          key: .text("claim", expectation: "the name of a claim", limit: 200),
          to: .text("value", expectation: "the value of the claim", limit: 1000), label: "CLAIM"),
        "A token that has all these claims is this consumer's."),
      Keyword("basic", \.basic, .section(BasicSettings.section), "A name and a password."),
      Keyword(
        "client_certificate", \.certificate, .section(CertificateSettings.section),
        "A certificate that has all these names is this consumer's."),
      Keyword("hmac", \.hmac, .section(HMACSettings.section), "A secret that signs requests, and its name."),
    ])
}

extension ConsumerSettings.HMACSettings {
  fileprivate static let section = Section<Self?>(
    "hmac", Self(), "A secret that signs requests (RFC 9421), and its name.",
    [
      Keyword(
        "key_id", .text("name", expectation: "the `keyid` of the consumer's signatures", limit: 200), required: true,
        "The `keyid` of the consumer's signatures.", get: { $0?.keyID }, set: { $0?.keyID = $1 }),
      Keyword("secret", .secret, required: true, "The secret.", get: { $0?.secret }, set: { $0?.secret = $1 }),
      Keyword(
        "encoding", .choice, "How the secret's bytes are written.", get: { $0?.encoding }, set: { $0?.encoding = $1 }),
    ],
    check: { settings, node, reading in
      if let settings, settings.key == nil {
        reading.error("the secret is not in base64", at: (node.value(for: "secret") ?? node).position)
      }
    })
}

extension ConsumerSettings.BasicSettings {
  fileprivate static let section = Section<Self?>(
    "basic", Self(), "A name and a password (RFC 7617).",
    [
      Keyword(
        "user",
        .text("user", expectation: "a name without a colon", limit: 200).checked { name throws(ScalarMistake) in
          if name.utf8.contains(UInt8(ascii: ":")) { throw .malformed }
        }, required: true, "The name.", get: { $0?.user }, set: { $0?.user = $1 }),
      Keyword("password", .secret, required: true, "The password.", get: { $0?.password }, set: { $0?.password = $1 }),
    ])
}

extension ConsumerSettings.CertificateSettings {
  fileprivate static let section = Section<Self?>(
    "client_certificate", Self(), "Names in a client's certificate.",
    [
      Keyword(
        "san",
        .text("name", expectation: "an alternative name such as dns:batch.internal", limit: 500).checked {
          name throws(ScalarMistake) in
          guard ["dns:", "email:", "uri:", "ip:"].contains(where: { name.hasPrefix($0) }) else { throw .malformed }
        }, "An alternative name with its kind: dns:, email:, uri: or ip:.", get: { $0?.san }, set: { $0?.san = $1 }),
      Keyword(
        "subject", .text("subject", expectation: "a subject such as CN=batch,O=Example", limit: 1000),
        "The subject, as RFC 2253 writes it.", get: { $0?.subject }, set: { $0?.subject = $1 }),
      Keyword(
        "fingerprint",
        .text("fingerprint", expectation: "64 hexadecimal digits", limit: 64).checked {
          text throws(ScalarMistake) in
          guard SHA256Digest(hexadecimal: text) != nil else { throw .malformed }
        }, "The SHA-256 of the certificate.", get: { $0?.fingerprint }, set: { $0?.fingerprint = $1.lowercased() }),
    ],
    check: { settings, node, reading in
      guard settings?.san == nil, settings?.subject == nil, settings?.fingerprint == nil else { return }
      reading.error(
        "no name says whose certificate is meant", at: node.position, expected: "san, subject or fingerprint")
    })
}

extension ValueType where Value == String {
  /// The digest of a key.
  fileprivate static var keyDigest: ValueType {
    let shape = ScalarShape(
      "digest of a key",
      expectation: "`sha256:` and 64 hexadecimal digits; `sluice key new` makes a key with its digest",
      isSecret: true)
    return scalar(shape, text: { $0 }) { text throws(ScalarMistake) in
      guard text.hasPrefix("sha256:"), SHA256Digest(hexadecimal: text.dropFirst(7)) != nil else { throw .malformed }
      return text.lowercased()
    }
  }
}

extension [ConsumerSettings] {
  /// Reports proofs that two consumers share: nobody could say which of them called.
  public func check(_ reading: inout Reading) {
    var known: [String: String] = [:]
    func claim(_ proof: String, _ what: String, _ consumer: ConsumerSettings, _ reading: inout Reading) {
      guard let first = known.updateValue(consumer.name, forKey: proof), first != consumer.name else { return }
      reading.error(
        "the consumers `\(first)` and `\(consumer.name)` have the same \(what)", at: consumer.position,
        expected: "one for each")
    }
    for consumer in self {
      for key in consumer.apiKeys { claim(key, "API key", consumer, &reading) }
      if let basic = consumer.basic { claim("basic:\(basic.user)", "`basic` user", consumer, &reading) }
      if let hmac = consumer.hmac { claim("hmac:\(hmac.keyID)", "`hmac` key_id", consumer, &reading) }
      if !consumer.claims.isEmpty {
        let claims = consumer.claims.map { "\($0.0)=\($0.1)" }.sorted().joined(separator: "\n")
        claim("jwt:\(claims)", "claims", consumer, &reading)
      }
      if let names = consumer.certificate {
        claim("certificate:\(names)", "client certificate", consumer, &reading)
      }
    }
  }
}
