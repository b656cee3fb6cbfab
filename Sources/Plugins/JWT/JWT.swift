import Configuration
import Foreign
public import HTTP
import Kernel
public import PluginKit

/// Knows callers by a signed token in `Authorization: Bearer` (RFC 6750, RFC 7519).
///
/// A token is verified once and remembered until it expires, by each worker for itself, so that the common request
/// costs a hash and a comparison. The algorithm is that of the key, never what a token asks for: a key is of one
/// family, and a token of another is refused before any key is touched (RFC 8725 §3.1).
public final class JWT: Plugin {
  public static let metrics = [results, fetches]
  private static let results = PluginMetric(
    "sluice_jwt_requests", .counter, labels: ["result"],
    "Requests that jwt judged; result is cached, verified, missing, refused, limited: its address failed too often, or unavailable: there were no keys."
  )
  private static let fetches = PluginMetric(
    "sluice_jwt_key_fetches", .counter, labels: ["url", "result"],
    "Fetches of key sets; result is fetched: other keys than before, unchanged, unreadable: no key of it can be used, or failed."
  )

  /// What the workers share of an entry.
  public struct Shared: Sendable {
    let settings: Settings
    let remote: RemoteKeys?
    let failures: FailedLogins?
  }

  public static func share(_ settings: Settings) throws(PluginError) -> Shared {
    var failures: FailedLogins?
    if let rate = settings.failures { failures = try FailedLogins(rate) }
    let isRemote = settings.keys.jwks?.url != nil
    return Shared(
      settings: settings, remote: isRemote ? settings.keys.jwks.map { RemoteKeys($0.fetching) } : nil,
      failures: failures)
  }

  private let services: any WorkerServices
  private let settings: Settings
  private let remote: RemoteKeys?
  private let failures: FailedLogins?
  private var fetcher: KeyFetcher?
  private var keys: VerificationKeys
  /// Which of the fetched keys these are.
  private var version = -1
  private let algorithms: Set<SignatureAlgorithm>
  private let reader: ClaimsReader
  private let fields: ForwardedIdentity
  private let removed: FieldNameSet
  private let skew: Int
  private var cache: TokenCache
  private var lastHeader: TokenHeader?
  public let challenge: RenderedFields
  public let refusal: RenderedFields
  public var forwarded: FieldNameSet { fields.names }
  private let cached, verified, missing, refused, limited, unavailable: PluginCounter

  public init(_ shared: Shared, _ services: any WorkerServices) {
    let settings = shared.settings
    self.services = services
    self.settings = settings
    remote = shared.remote
    failures = shared.failures
    keys = VerificationKeys(settings.keys.keys)
    algorithms = Set(settings.algorithms.isEmpty ? SignatureAlgorithm.allCases : settings.algorithms)
    reader = ClaimsReader(user: settings.user, groups: settings.groups, scopes: settings.scopes)
    fields = ForwardedIdentity(settings.forward)
    removed = FieldNameSet(settings.forwardsToken ? [] : ["authorization"])
    skew = settings.skew
    cache = TokenCache(capacity: settings.cache)
    challenge = RenderedFields(("WWW-Authenticate", "Bearer realm=\"\(settings.realm)\""))
    refusal = RenderedFields(("WWW-Authenticate", "Bearer realm=\"\(settings.realm)\", error=\"invalid_token\""))
    cached = services.counter(Self.results, ["cached"])
    verified = services.counter(Self.results, ["verified"])
    missing = services.counter(Self.results, ["missing"])
    refused = services.counter(Self.results, ["refused"])
    limited = services.counter(Self.results, ["limited"])
    unavailable = services.counter(Self.results, ["unavailable"])
    if let remote, let call = settings.keys.jwks?.call {
      let fetcher = KeyFetcher(
        keys: remote, call: call, services: services,
        fetched: services.counter(Self.fetches, [call.url.text, "fetched"]),
        unchanged: services.counter(Self.fetches, [call.url.text, "unchanged"]),
        unreadable: services.counter(Self.fetches, [call.url.text, "unreadable"]),
        failed: services.counter(Self.fetches, [call.url.text, "failed"]))
      self.fetcher = fetcher
      services.start { await fetcher.run() }
    }
  }

  public var hooks: [AnyObject] { [isPatient ? PatientLogin(self) : self] }
}

extension JWT {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail(let fault) = verdict else { return nil }
    if !isCarried(by: exchange) { return "there is no `Authorization: Bearer`" }
    if "\(fault.reason)" == "\(Fault.keysUnavailable.reason)" {
      return
        "there are no keys from \(settings.keys.jwks?.url?.text ?? "the URL") here: only a gateway that runs fetches them"
    }
    return TokenMistake.allCases.first { "\($0.fault.reason)" == "\(fault.reason)" }?.words
  }
}

extension JWT: PatientAuthenticator {
  public var isPatient: Bool { remote != nil }

  public func countMissing() { missing.add() }

  public func isCarried(by exchange: borrowing Exchange) -> Bool {
    AuthorizationField.credentials(of: exchange, scheme: "Bearer ") != nil
  }

  /// A token of this kind has three parts; one that has not may be another's.
  public func recognises(_ exchange: borrowing Exchange) -> Bool {
    guard let token = AuthorizationField.credentials(of: exchange, scheme: "Bearer ") else { return false }
    let first = ByteScan.index(of: UInt8(ascii: "."), in: token)
    return ByteScan.index(of: UInt8(ascii: "."), in: token, from: min(first + 1, token.count)) < token.count
  }

  public func authenticate(_ exchange: inout Exchange) -> Verdict { judge(&exchange, mayWait: false) ?? .proceed }

  public func tryAuthenticate(_ exchange: inout Exchange) -> Verdict? { judge(&exchange, mayWait: true) }

  public func awaitAuthentication(_ exchange: inout Exchange) async -> Verdict {
    if let remote {
      let flight: Flight? =
        switch remote.turn(now: services.now, wanted: true) {
        case .fetch(let flight): begin(flight)
        case .running(let flight): flight
        case .notBefore: nil
        }
      if let flight { await services.wait(remote.timeout) { flight.join($0) } }
    }
    return judge(&exchange, mayWait: false) ?? .proceed
  }

  private func begin(_ flight: Flight) -> Flight {
    if let fetcher { services.start { await fetcher.fetch(flight) } }
    return flight
  }

  /// Nil when a fetch may bring the key that is missing.
  private func judge(_ exchange: inout Exchange, mayWait: Bool) -> Verdict? {
    if let wait = failures?.wait(for: exchange, now: services.now) {
      limited.add()
      var fault = Fault.tooManyFailures
      fault.retryAfter = wait
      return .fail(fault)
    }
    if let remote {
      adoptKeys(of: remote)
      if version < 0 {
        if mayWait, mayFetch(remote) { return nil }
        unavailable.add()
        return .fail(.keysUnavailable)
      }
    }
    do throws(TokenMistake) {
      let place = try place(of: exchange, now: exchange.began)
      exchange.identify(cache[place].identity)
      exchange.request.removeHeaders(removed)
      if !forwarded.isEmpty { exchange.request.addHeaders(cache[place].lines) }
      return .proceed
    } catch {
      if mayWait, error == .unknownKey, let remote, mayFetch(remote) { return nil }
      failures?.charge(exchange, now: services.now)
      refused.add()
      return .fail(error.fault)
    }
  }

  /// Other keys may not have made the tokens that these have.
  private func adoptKeys(of remote: RemoteKeys) {
    let current = remote.currentVersion(now: services.now)
    if current == version { return }
    version = current
    keys = current < 0 ? VerificationKeys([]) : remote.keys
    cache = TokenCache(capacity: settings.cache)
  }

  private func mayFetch(_ remote: RemoteKeys) -> Bool { remote.mayFetch(now: services.now) }

  /// Where the request's token is in the cache, after verification if it is new.
  private func place(of exchange: borrowing Exchange, now: Int) throws(TokenMistake) -> Int {
    guard let token = AuthorizationField.credentials(of: exchange, scheme: "Bearer ") else { throw .malformed }
    let hash = cache.hash(token)
    if let place = cache.place(of: token, hash: hash) {
      // The clock may have been set back, too.
      if cache[place].validUntil <= now { throw .expired }
      if cache[place].validFrom > now { throw .notYetValid }
      cached.add()
      return place
    }
    let entry = try verify(token, hash: hash, now: now)
    verified.add()
    return cache.insert(entry)
  }

  private func verify(_ token: Span<UInt8>, hash: UInt64, now: Int) throws(TokenMistake) -> TokenCache.Entry {
    let parts = try TokenParts(token)
    let header = try header(token.extracting(0..<parts.headerEnd))
    guard algorithms.contains(header.algorithm) else { throw .algorithm }
    if let type = header.type, !settings.types.contains(type) { throw .type }
    switch keys.candidates(id: header.keyID, algorithm: header.algorithm) {
    case .unknownID: throw .unknownKey
    case .otherAlgorithm: throw .algorithm
    case .keys(let candidates):
      let message = token.extracting(0..<parts.signed)
      var isSigned = false
      for candidate in candidates where !isSigned {
        isSigned = candidate.key.verifies(parts.signature, of: message, by: header.algorithm)
      }
      if !isSigned { throw .signature }
    }
    let claims = try TokenClaims.read(parts.payload)
    let (from, until) = try period(claims, now: now)
    if !settings.issuers.isEmpty, !(claims.string("iss").map { settings.issuers.contains($0) } ?? false) {
      throw .issuer
    }
    if !settings.audiences.isEmpty, !claims.texts("aud").contains(where: { settings.audiences.contains($0) }) {
      throw .audience
    }
    let identity = reader.identity(claims.claims, services.consumers)
    return TokenCache.Entry(
      token: Array(copying: token), identity: identity, lines: fields.lines(for: identity),
      validFrom: from, validUntil: until, hash: hash)
  }

  /// What a header says. The tokens of one issuer have the same one, so the last is remembered.
  private func header(_ text: Span<UInt8>) throws(TokenMistake) -> TokenHeader {
    if let last = lastHeader {
      let known = last.text
      if ByteScan.equal(known.span, text) { return last }
    }
    let header = try TokenHeader(text)
    lastHeader = header
    return header
  }

  /// From when to when a token holds, in nanoseconds since 1970, with what the clocks may differ.
  private func period(_ claims: TokenClaims, now: Int) throws(TokenMistake) -> (from: Int, until: Int) {
    guard let expiry = try claims.time("exp") else { throw .noExpiry }
    let until = Self.nanoseconds(expiry) + skew
    let begin = max(try claims.time("nbf") ?? 0, try claims.time("iat") ?? 0)
    let from = Self.nanoseconds(begin) - skew
    if until <= now { throw .expired }
    if from > now { throw .notYetValid }
    return (from, until)
  }

  /// Times beyond some centuries are as good as for ever.
  private static func nanoseconds(_ seconds: Double) -> Int {
    Int(min(max(seconds, -4_000_000_000), 8_000_000_000) * 1_000_000_000)
  }
}
