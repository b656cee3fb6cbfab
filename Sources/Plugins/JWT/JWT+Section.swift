public import Configuration
import Foreign
import Kernel
public import PluginKit

extension JWT {
  public struct Settings: Sendable {
    var issuers: [String] = []
    var audiences: [String] = []
    var algorithms: [SignatureAlgorithm] = []
    var keys = KeySource()
    var types = ["jwt", "at+jwt"]
    var skew: Nanoseconds = .seconds(60)
    var user: RequestValue = .jwt("sub")
    var groups: RequestValue?
    var scopes: RequestValue = .jwt("scope")
    var forward: [(String, RequestValue)] = []
    var forwardsToken = true
    var realm = "gateway"
    var cache = 10_000
    var failures: Rate?
  }

  /// Where keys come from, and those that were read when the configuration was.
  struct KeySource: Sendable {
    var jwks: KeySet?
    var pem: FileKeys?
    var secret: Secret?

    var keys: [VerificationKey] = []
  }

  /// A JWK Set: in a file, or where it is fetched.
  struct KeySet: Sendable {
    var file: FileKeys?
    var url: ServiceURL?
    var authority: AuthoritySettings?
    var fetching = RemoteKeys.Settings()

    var call: ServiceCall? { url.map { ServiceCall($0, authority: authority) } }
  }

  /// A file with its keys; a new fingerprint makes the configuration another one.
  struct FileKeys: Sendable {
    var path = ""
    var fingerprint = ""
    var keys: [VerificationKey] = []
  }

  public static let section = Section(
    "jwt", Settings(), "Knows callers by a signed token (RFC 7519).", identityKeywords + tokenKeywords
  ) { settings, node, reading in
    let keys = settings.keys
    guard [keys.jwks != nil, keys.pem != nil, keys.secret != nil].filter({ $0 }).count == 1 else {
      reading.error(
        "a token's signature is checked with keys from one place", at: node.position,
        expected: "one of `jwks: { file: … }` or `{ url: … }`, `pem: …` and `secret: …`")
      return
    }
    if let set = keys.jwks { check(set, (node.value(for: "jwks") ?? node), &reading) }
    settings.keys.keys = (keys.jwks?.file ?? keys.pem)?.keys ?? []
    if let secret = keys.secret {
      do throws(SignatureKey.Mistake) {
        settings.keys.keys = [VerificationKey(id: nil, key: try SignatureKey(secret: Array(secret.reveal().utf8)))]
      } catch {
        reading.error(
          "this secret cannot be used: \(error.reason)", at: (node.value(for: "secret") ?? node).position,
          expected: "32 random bytes or more")
      }
    }
    let known = Set(settings.keys.keys.flatMap(\.algorithms))
    for algorithm in settings.algorithms where !known.contains(algorithm) && !settings.keys.keys.isEmpty {
      reading.warning(
        "no key is for \(algorithm.rawValue)", at: (node.value(for: "algorithms") ?? node).position,
        expected: known.map(\.rawValue).sorted().joined(separator: ", "))
    }
    if settings.issuers.isEmpty {
      reading.warning("tokens of any issuer that has such a key are taken", at: node.position, expected: "`issuer`")
    }
    if settings.audiences.isEmpty {
      reading.warning(
        "tokens that are meant for others are taken too", at: node.position, expected: "`audience`")
    }
  }

  private static func check(_ set: KeySet, _ node: Node, _ reading: inout Reading) {
    if (set.file == nil) == (set.url == nil) {
      reading.error("a key set is in one place", at: node.position, expected: "`file` or `url`")
    }
    if let url = set.url, !url.isSecure, !["localhost", "127.0.0.1", "::1"].contains(url.host) {
      reading.warning(
        "whoever is between here and \(url.host) can make tokens: its keys come in the clear",
        at: (node.value(for: "url") ?? node).position, expected: "https://")
    }
    if set.fetching.cooldown > set.fetching.refresh {
      reading.error(
        "`cooldown` is the shortest time between two fetches, and `refresh` the longest",
        at: (node.value(for: "cooldown") ?? node).position, expected: "a `cooldown` of at most `refresh`")
    }
  }

  private static let identityKeywords: [Keyword<Settings>] = [
    Keyword(
      "issuer", \.issuers, .list(of: .text("issuer", expectation: "the issuer", limit: 1000), maximum: 32),
      "Who may have issued it (`iss`)."),
    Keyword(
      "audience", \.audiences, .list(of: .text("audience", expectation: "the audience", limit: 1000), maximum: 32),
      "For whom it must be meant (`aud`); one of these is enough."),
    Keyword(
      "user", \.user, .claimName, "The claim that names whom the caller acts for."),
    Keyword("groups", \.groups, .claimName, "The claim that lists the groups of the caller."),
    Keyword("scopes", \.scopes, .claimName, "The claim that lists scopes, as a list or with spaces between them."),
    Keyword(
      "forward", \.forward, .forwardedIdentity,
      "Fields that tell the upstream who calls: consumer, user, jwt.CLAIM. The client's own of these names are removed."
    ),
    Keyword("forward_token", \.forwardsToken, .boolean, "Whether the upstream gets the token too."),
    Keyword("realm", \.realm, .realm, "What the challenge of a 401 calls the protected space."),
  ]

  private static let tokenKeywords: [Keyword<Settings>] = [
    Keyword(
      "algorithms", \.algorithms, .list(of: .choice, minimum: 1, maximum: 13),
      "How it may be signed; unset: as the keys allow."),
    Keyword("jwks", \.keys.jwks, .section(jwks), "A JWK Set (RFC 7517)."),
    Keyword(
      "pem", \.keys.pem,
      .keyFile { pem throws(VerificationKeys.Mistake) in
        do throws(SignatureKey.Mistake) {
          return [VerificationKey(id: nil, key: try SignatureKey(pem: pem))]
        } catch { throw VerificationKeys.Mistake(reason: error.reason) }
      }, "The file of one public key, or of a certificate with it."),
    Keyword("secret", \.keys.secret, .secret, "A secret that issuer and gateway share, for HS256 and its kin."),
    Keyword(
      "types", \.types, .list(of: .token("type", expectation: "a type such as at+jwt") { $0.lowercased() }, minimum: 1),
      "What its `typ` may be, where it has one."),
    Keyword(
      "clock_skew", \.skew, .duration(in: 0 ... .minutes(10)),
      "How far the issuer's clock may be from the gateway's."),
    Keyword(
      "cache", \.cache, .integer(in: 1...1_000_000),
      "How many verified tokens each worker remembers until they expire."),
    Keyword(
      "failures", \.failures, .rate,
      "How often one address may come with a bad token; beyond, it waits, with good ones too. Unset: no limit."),
  ]

  private static let jwks = Section(
    "jwks", KeySet(), "A JWK Set.",
    [
      Keyword(
        "file", \.file, .keyFile { bytes throws(VerificationKeys.Mistake) in try VerificationKeys(jwks: bytes).all },
        "Its file, read again on a reload."),
      Keyword("url", \.url, .serviceURL, "Where it is fetched while the gateway runs."),
      Keyword(
        "authority", \.authority, .authority,
        "Who must have signed the certificate of the URL: PEM. Unset: whom the system trusts."),
      Keyword(
        "refresh", \.fetching.refresh, .duration(in: .seconds(1) ... .hours(24)),
        "The longest time between two fetches; `Cache-Control` may ask for a shorter one."),
      Keyword(
        "cooldown", \.fetching.cooldown, .duration(in: .milliseconds(100) ... .hours(1)),
        "The shortest time between two fetches, whatever keys tokens name."),
      Keyword(
        "stale", \.fetching.stale, .duration(in: 0 ... .hours(24 * 7)),
        "How much longer keys hold while no others can be had."),
      Keyword(
        "timeout", \.fetching.timeout, .duration(in: .milliseconds(1) ... .minutes(1)),
        "For a fetch, and for a request that waits for one."),
    ])
}

extension JWT.Settings: ServiceCalling {
  public var services: [ServiceCall] { (keys.jwks?.call).map { [$0] } ?? [] }
}

extension ValueType where Value == RequestValue {
  /// A claim of the token.
  static var claimName: ValueType {
    requestValue.checked { value throws(ScalarMistake) in
      guard case .jwt = value else { throw .other("`\(value.text)` is no claim", expected: "jwt.CLAIM") }
    }
  }
}

extension ValueType where Value == JWT.FileKeys {
  /// The path of a file of keys, which is read at once.
  fileprivate static func keyFile(
    _ parse: @escaping @Sendable ([UInt8]) throws(VerificationKeys.Mistake) -> [VerificationKey]
  ) -> ValueType {
    let path = ValueType<String>.filePath
    return ValueType(
      shape: path.shape,
      read: { node, reading in
        guard let path = path.read(node, &reading) else { return nil }
        switch reading.files.read(path, 1 << 20) {
        case .failure(let failure):
          reading.error(
            "cannot read \(Printable(path)): \(failure.reason)", at: node.position,
            expected: "a file that the gateway's user may read")
          return nil
        case .success(let bytes):
          do throws(VerificationKeys.Mistake) {
            let keys = try parse(bytes)
            return JWT.FileKeys(path: path, fingerprint: SHA256.digest(of: bytes.span).hexadecimal, keys: keys)
          } catch {
            reading.error("\(Printable(path)) has no keys: \(Printable(error.reason))", at: node.position)
            return nil
          }
        }
      },
      // With the fingerprint, so that a diff shows that a file has other keys now.
      describe: { .text($0.fingerprint.isEmpty ? $0.path : "\($0.path) (\($0.fingerprint.prefix(16)))") })
  }
}
