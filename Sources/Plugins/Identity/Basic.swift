public import Configuration
import Foreign
public import HTTP
import Kernel
public import PluginKit

/// Knows consumers by a name and a password (RFC 7617), which never reach the upstream.
public final class Basic: Plugin {
  public struct Settings: Sendable {
    var forward: [(String, RequestValue)] = []
    var realm = "gateway"
    var failures = Rate(count: 20, per: .minutes(1))
  }

  public static let section = Section(
    "basic", Settings(), "Knows consumers by a name and a password.",
    [
      Keyword(
        "forward", \.forward, .forwardedIdentity,
        "Fields that tell the upstream who calls: consumer or user. The client's own of these names are removed."),
      Keyword("realm", \.realm, .realm, "What the challenge of a 401 calls the protected space; browsers show it."),
      Keyword(
        "failures", \.failures, .rate, "How often one address may fail; beyond, it waits, with a good password too."),
    ])

  public static let metrics = [results]
  private static let results = PluginMetric(
    "sluice_basic_requests", .counter, labels: ["result"],
    "Requests that basic judged; result is accepted, missing, refused, or limited: its address failed too often.")

  private let shared: CountingFailures<Settings>
  private let services: any WorkerServices
  private let fields: ForwardedIdentity
  private let sha = SHA256()
  private let removed = FieldNameSet(["authorization"])
  public let challenge: RenderedFields
  public var forwarded: FieldNameSet { fields.names }
  private let accepted, missing, refused, limited: PluginCounter

  public static func share(_ settings: Settings) throws(PluginError) -> CountingFailures<Settings> {
    try CountingFailures(settings, settings.failures)
  }

  public init(_ shared: CountingFailures<Settings>, _ services: any WorkerServices) {
    self.shared = shared
    self.services = services
    fields = ForwardedIdentity(shared.settings.forward)
    challenge = RenderedFields(("WWW-Authenticate", "Basic realm=\"\(shared.settings.realm)\", charset=\"UTF-8\""))
    accepted = services.counter(Self.results, ["accepted"])
    missing = services.counter(Self.results, ["missing"])
    refused = services.counter(Self.results, ["refused"])
    limited = services.counter(Self.results, ["limited"])
  }
}

extension Basic: Authenticator {
  public func countMissing() { missing.add() }

  public func isCarried(by exchange: borrowing Exchange) -> Bool {
    AuthorizationField.credentials(of: exchange, scheme: "Basic ") != nil
  }

  public func authenticate(_ exchange: inout Exchange) -> Verdict {
    if let wait = shared.failures.wait(for: exchange, now: services.now) {
      limited.add()
      var fault = Fault.tooManyFailures
      fault.retryAfter = wait
      return .fail(fault)
    }
    guard let identity = identity(of: exchange) else {
      shared.failures.charge(exchange, now: services.now)
      refused.add()
      return .fail(.wrongPassword)
    }
    accepted.add()
    exchange.identify(identity)
    exchange.request.removeHeaders(removed)
    if !forwarded.isEmpty { exchange.request.addHeaders(fields.lines(for: identity)) }
    return .proceed
  }

  private func identity(of exchange: borrowing Exchange) -> Identity? {
    guard let text = AuthorizationField.credentials(of: exchange, scheme: "Basic "), text.count <= 1024 else {
      return nil
    }
    var decoded = ByteBuffer(capacity: text.count)
    var decoder = Base64Decoder()
    guard decoder.decode(text, into: &decoded), decoder.isComplete else { return nil }
    let colon = ByteScan.index(of: UInt8(ascii: ":"), in: decoded.span)
    guard colon < decoded.count else { return nil }
    let name = decoded.span.extracting(0..<colon)
    let user = String(decoding: name.indices.map { name[$0] }, as: UTF8.self)
    return services.consumers.identity(
      user: user, password: sha.digest(of: decoded.span.extracting(colon + 1..<decoded.count)))
  }
}

extension Basic {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail(let fault) = verdict else { return nil }
    if fault.isTooManyFailures { return Fault.tooManyFailuresWords }
    guard isCarried(by: exchange) else { return "there is no `Authorization: Basic`" }
    return "no consumer has that name with that password"
  }
}

extension Fault {
  public static let wrongPassword = unauthenticated("wrong_password")
}

/// The `Authorization` field (RFC 9110 §11.6.2).
enum AuthorizationField {
  /// What follows the scheme, which is compared without case; nil for another scheme.
  @_lifetime(borrow exchange)
  static func credentials(of exchange: borrowing Exchange, scheme: StaticString) -> Span<UInt8>? {
    guard let value = exchange.request.header(.authorization) else { return nil }
    let count = scheme.utf8CodeUnitCount
    guard value.count > count,
      ByteScan.equalIgnoringCase(value.extracting(0..<count), ByteScan.bytes(of: scheme))
    else { return nil }
    var start = count
    while start < value.count, value[start] == 0x20 { start += 1 }
    return value.extracting(start..<value.count)
  }
}
