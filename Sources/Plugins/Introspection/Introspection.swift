import Configuration
import Foreign
public import HTTP
import Kernel
public import PluginKit

/// Knows callers by a token of which its issuer is asked (RFC 7662).
///
/// What the issuer says is remembered by each worker for a time, good tokens and bad ones apart, so that tokens which
/// somebody made up drive no good one out; and it is asked once for a token that several requests bring at the same time.
public final class Introspection: Plugin {
  public static let metrics = [results]
  private static let results = PluginMetric(
    "sluice_introspection_requests", .counter, labels: ["result"],
    "Requests that oauth2_introspection judged; result is cached, asked, missing, refused, limited: its address failed too often, or unavailable: the issuer did not answer."
  )

  public static func share(_ settings: Settings) throws(PluginError) -> CountingFailures<Settings> {
    try CountingFailures(settings, settings.failures)
  }

  private let shared: CountingFailures<Settings>
  private let services: any WorkerServices
  private let reader: ClaimsReader
  private let fields: ForwardedIdentity
  private let removed: FieldNameSet
  private let asker: IntrospectionCall?
  private var known: TokenCache
  private var unknown: RefusedTokens
  private var flights: [UInt64: Flight] = [:]
  public let challenge: RenderedFields
  public let refusal: RenderedFields
  public var forwarded: FieldNameSet { fields.names }
  private let cached, asked, missing, refused, limited, unavailable: PluginCounter

  public init(_ shared: CountingFailures<Settings>, _ services: any WorkerServices) {
    let settings = shared.settings
    self.shared = shared
    self.services = services
    reader = ClaimsReader(user: settings.user, groups: settings.groups, scopes: settings.scopes)
    fields = ForwardedIdentity(settings.forward)
    removed = FieldNameSet(settings.forwardsToken ? [] : ["authorization"])
    asker = IntrospectionCall(settings)
    known = TokenCache(capacity: settings.cache)
    unknown = RefusedTokens(capacity: settings.cache)
    challenge = RenderedFields(("WWW-Authenticate", "Bearer realm=\"\(settings.realm)\""))
    refusal = RenderedFields(("WWW-Authenticate", "Bearer realm=\"\(settings.realm)\", error=\"invalid_token\""))
    cached = services.counter(Self.results, ["cached"])
    asked = services.counter(Self.results, ["asked"])
    missing = services.counter(Self.results, ["missing"])
    refused = services.counter(Self.results, ["refused"])
    limited = services.counter(Self.results, ["limited"])
    unavailable = services.counter(Self.results, ["unavailable"])
  }

  private var settings: Settings { shared.settings }

  public var hooks: [AnyObject] { [PatientLogin(self)] }
}

extension Introspection {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail(let fault) = verdict else { return nil }
    if !isCarried(by: exchange) { return "there is no `Authorization: Bearer`" }
    switch "\(fault.reason)" {
    case "\(Fault.tokenUnasked.reason)": return "the issuer did not say anything of the token"
    case "\(Fault.tokenInactive.reason)": return "the issuer says that the token is not active"
    default: return nil
    }
  }
}

extension Introspection: PatientAuthenticator {
  public var isPatient: Bool { true }

  public func countMissing() { missing.add() }

  public func isCarried(by exchange: borrowing Exchange) -> Bool {
    AuthorizationField.credentials(of: exchange, scheme: "Bearer ") != nil
  }

  /// Without a place to wait in, only what is remembered is known.
  public func authenticate(_ exchange: inout Exchange) -> Verdict {
    tryAuthenticate(&exchange) ?? .fail(.tokenUnasked)
  }

  public func tryAuthenticate(_ exchange: inout Exchange) -> Verdict? {
    if let wait = shared.failures.wait(for: exchange, now: services.now) {
      limited.add()
      var fault = Fault.tooManyFailures
      fault.retryAfter = wait
      return .fail(fault)
    }
    switch memory(of: exchange) {
    case .malformed: return refuse(.malformedToken, exchange)
    case .good(let place):
      cached.add()
      return accept(place, &exchange)
    case .bad: return refuse(.tokenInactive, exchange)
    case .none: return nil
    }
  }

  private enum Memory {
    case malformed, good(Int), bad, none
  }

  /// What is remembered of the request's token.
  private func memory(of exchange: borrowing Exchange) -> Memory {
    guard let token = AuthorizationField.credentials(of: exchange, scheme: "Bearer "), Self.isToken(token) else {
      return .malformed
    }
    let hash = known.hash(token)
    if let place = known.place(of: token, hash: hash), known[place].validUntil > exchange.began { return .good(place) }
    return unknown.contains(token, now: services.now) ? .bad : .none
  }

  public func awaitAuthentication(_ exchange: inout Exchange) async -> Verdict {
    let token = Self.token(of: exchange)
    let hash = known.hash(token.span)
    if let flight = flights[hash] {
      await services.wait(settings.timeout) { flight.join($0) }
    } else if let fault = await ask(token, hash, now: exchange.began) {
      return refuse(fault, exchange)
    }
    return tryAuthenticate(&exchange) ?? refuse(.tokenUnasked, exchange)
  }

  private static func token(of exchange: borrowing Exchange) -> [UInt8] {
    guard let token = AuthorizationField.credentials(of: exchange, scheme: "Bearer ") else { return [] }
    return token.indices.map { token[$0] }
  }

  /// What a token may be written with (RFC 6750 §2.1), so that it is one value of a form.
  private static func isToken(_ token: Span<UInt8>) -> Bool {
    guard !token.isEmpty, token.count <= TokenParts.longestToken else { return false }
    for index in token.indices where token[index] <= 0x20 || token[index] >= 0x7f { return false }
    return true
  }

  private func accept(_ place: Int, _ exchange: inout Exchange) -> Verdict {
    exchange.identify(known[place].identity)
    exchange.request.removeHeaders(removed)
    if !forwarded.isEmpty { exchange.request.addHeaders(known[place].lines) }
    return .proceed
  }

  private func refuse(_ fault: Fault, _ exchange: borrowing Exchange) -> Verdict {
    if fault.status == 401 {
      shared.failures.charge(exchange, now: services.now)
      refused.add()
    } else {
      unavailable.add()
    }
    return .fail(fault)
  }

  /// Asks the issuer and remembers what it says; the fault when it says nothing.
  private func ask(_ token: [UInt8], _ hash: UInt64, now: Int) async -> Fault? {
    guard let asker, flights.count < Self.mostFlights else { return .tokenUnasked }
    let flight = Flight()
    flights[hash] = flight
    defer {
      flights[hash] = nil
      flight.end()
    }
    asked.add()
    switch await asker.ask(token, services.client) {
    case .unavailable: return .tokenUnasked
    case .inactive: unknown.insert(token, until: services.now + settings.negative)
    case .active(let claims):
      guard let until = validity(claims, now: now), isMeant(claims) else {
        unknown.insert(token, until: services.now + settings.negative)
        return nil
      }
      let identity = reader.identity(claims.claims, services.consumers)
      _ = known.insert(
        TokenCache.Entry(
          token: token, identity: identity, lines: fields.lines(for: identity), validFrom: now, validUntil: until,
          hash: hash))
    }
    return nil
  }

  private static let mostFlights = 10_000

  /// Until when what was said may be remembered, in nanoseconds since 1970; nil when the token's time is not now.
  private func validity(_ claims: TokenClaims, now: Int) -> Int? {
    var until = now + settings.ttl
    guard let expiry = try? claims.time("exp") ?? 1e12, let begin = try? claims.time("nbf") ?? 0 else { return nil }
    if expiry < 8_000_000_000 { until = min(until, Int(max(expiry, 0) * 1_000_000_000)) }
    return until > now && begin <= Double(now) / 1_000_000_000 + 60 ? until : nil
  }

  private func isMeant(_ claims: TokenClaims) -> Bool {
    if !settings.issuers.isEmpty, !(claims.string("iss").map { settings.issuers.contains($0) } ?? false) {
      return false
    }
    return settings.audiences.isEmpty || claims.texts("aud").contains { settings.audiences.contains($0) }
  }
}

extension Fault {
  public static let tokenInactive = unauthenticated("token_inactive")
  public static let tokenUnasked = Fault(
    .upstream, 503, "introspection_unavailable",
    "Whoever knows whether this token is good does not answer at the moment; try again later.", retryAfter: 1)
}
