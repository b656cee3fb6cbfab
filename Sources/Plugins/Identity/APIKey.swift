public import Configuration
import Foreign
public import HTTP
import Kernel
public import PluginKit

/// Knows consumers by a key that they send in a field or in the query.
///
/// The configuration has the SHA-256 of keys only. A request costs one digest in memory of the instance's own and one
/// look into a table.
public final class APIKey: Plugin {
  public struct Settings: Sendable {
    var header: [String] = []
    var query: String?
    var forward: [(String, RequestValue)] = []
    var realm = "gateway"
    var failures = Rate(count: 60, per: .minutes(1))
  }

  public static let section = Section(
    "api_key", Settings(), "Knows consumers by a key.", shorthand: "header",
    [
      Keyword(
        "header", \.header, .list(of: .fieldName, maximum: 8),
        "The field that has the key, or several of which one has it; in Authorization it stands behind Bearer."),
      Keyword(
        "query", \.query, .text("parameter", expectation: "the name of a parameter of the query", limit: 100),
        "The parameter of the query that has it, where no field has."),
      Keyword(
        "forward", \.forward, .forwardedIdentity,
        "Fields that tell the upstream who calls: consumer. The client's own of these names are removed."),
      Keyword("realm", \.realm, .realm, "What the challenge of a 401 calls the protected space."),
      Keyword(
        "failures", \.failures, .rate, "How often one address may fail; beyond, it waits, with good keys too."),
    ],
    check: { settings, node, reading in
      if settings.header.isEmpty, settings.query == nil { settings.header = ["x-api-key"] }
    })

  public static let metrics = [results]
  private static let results = PluginMetric(
    "sluice_api_key_requests", .counter, labels: ["result"],
    "Requests that api_key judged; result is accepted, missing, refused, or limited: its address failed too often.")

  private let shared: CountingFailures<Settings>
  private let services: any WorkerServices
  private let places: [KeyField]
  private let query: String?
  private let removed: FieldNameSet
  private let fields: ForwardedIdentity
  private var lines: [ObjectIdentifier: RenderedFields] = [:]
  private let sha = SHA256()
  public let challenge: RenderedFields
  public var forwarded: FieldNameSet { fields.names }
  private let accepted, missing, refused, limited: PluginCounter

  public static func share(_ settings: Settings) throws(PluginError) -> CountingFailures<Settings> {
    try CountingFailures(settings, settings.failures)
  }

  public init(_ shared: CountingFailures<Settings>, _ services: any WorkerServices) {
    self.shared = shared
    self.services = services
    let settings = shared.settings
    places = settings.header.map { KeyField($0) }
    query = settings.query
    removed = FieldNameSet(settings.header)
    fields = ForwardedIdentity(settings.forward)
    let place = settings.header.first.map { "in=\"header\", name=\"\($0)\"" } ?? "in=\"query\""
    challenge = RenderedFields(("WWW-Authenticate", "APIKey realm=\"\(settings.realm)\", \(place)"))
    accepted = services.counter(Self.results, ["accepted"])
    missing = services.counter(Self.results, ["missing"])
    refused = services.counter(Self.results, ["refused"])
    limited = services.counter(Self.results, ["limited"])
  }
}

extension APIKey: Authenticator {
  public func countMissing() { missing.add() }

  public func hideSecrets(of exchange: inout Exchange) {
    if let query { exchange.secretParameter = query }
  }

  public func isCarried(by exchange: borrowing Exchange) -> Bool {
    if field(of: exchange) != nil { return true }
    guard let query else { return false }
    return QueryParameters.first(query.utf8Span.span, in: exchange.query) != nil
  }

  /// Behind `Bearer` tokens of others stand too: there only a key that somebody has is one of ours.
  public func recognises(_ exchange: borrowing Exchange) -> Bool {
    guard let place = place(in: exchange), place.hasScheme else { return isCarried(by: exchange) }
    return digest(of: exchange).flatMap { services.consumers.identity(ofKey: $0) } != nil
  }

  public func authenticate(_ exchange: inout Exchange) -> Verdict {
    if let wait = shared.failures.wait(for: exchange, now: services.now) {
      limited.add()
      var fault = Fault.tooManyFailures
      fault.retryAfter = wait
      return .fail(fault)
    }
    guard let digest = digest(of: exchange), let identity = services.consumers.identity(ofKey: digest) else {
      shared.failures.charge(exchange, now: services.now)
      refused.add()
      return .fail(.unknownKey)
    }
    accepted.add()
    exchange.identify(identity)
    exchange.request.removeHeaders(removed)
    if let query, QueryParameters.first(query.utf8Span.span, in: exchange.query) != nil { exchange.removeQuery(query) }
    if !forwarded.isEmpty { add(identity, to: &exchange) }
    return .proceed
  }

  @_lifetime(borrow exchange)
  private func field(of exchange: borrowing Exchange) -> Span<UInt8>? {
    for place in places { if let key = key(at: place, of: exchange) { return key } }
    return nil
  }

  private func place(in exchange: borrowing Exchange) -> KeyField? {
    for place in places where key(at: place, of: exchange) != nil { return place }
    return nil
  }

  @_lifetime(borrow exchange)
  private func key(at place: KeyField, of exchange: borrowing Exchange) -> Span<UInt8>? {
    if place.hasScheme { return AuthorizationField.credentials(of: exchange, scheme: "Bearer ") }
    return place.known == .other ? exchange.request.header(named: place.name) : exchange.request.header(place.known)
  }

  private func digest(of exchange: borrowing Exchange) -> SHA256Digest? {
    if let value = field(of: exchange) { return sha.digest(of: value) }
    guard let query, let range = QueryParameters.first(query.utf8Span.span, in: exchange.query) else { return nil }
    return sha.digest(of: exchange.query.extracting(range))
  }

  private func add(_ identity: Identity, to exchange: inout Exchange) {
    let owner = ObjectIdentifier(identity)
    // Identities are those of the configuration, which outlives the instance, so the table is bounded by it.
    if lines[owner] == nil { lines[owner] = fields.lines(for: identity) }
    if let lines = lines[owner] { exchange.request.addHeaders(lines) }
  }
}

extension APIKey {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail(let fault) = verdict else { return nil }
    if fault.isTooManyFailures { return Fault.tooManyFailuresWords }
    if let place = place(in: exchange) { return "no consumer has the key in `\(place.name)`" }
    if isCarried(by: exchange) { return "no consumer has the key in the query" }
    let all = places.map { "`\($0.name)`" } + (query.map { ["`?\($0)=`"] } ?? [])
    return "there is no key in " + all.joined(separator: " or ")
  }
}

/// A field that may have the key.
private struct KeyField {
  let name: String
  let known: FieldName
  /// Whether the key stands behind `Bearer`, as in clients' libraries for models.
  let hasScheme: Bool

  init(_ name: String) {
    self.name = name
    known = FieldName.known(name.utf8Span.span)
    hasScheme = name == "authorization"
  }
}

extension Fault {
  public static let unknownKey = unauthenticated("unknown_api_key")
}
