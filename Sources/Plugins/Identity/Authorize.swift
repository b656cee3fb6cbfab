public import Configuration
import HTTP
import Kernel
public import PluginKit

/// Lets callers in by what a plugin before it has found out of them.
public final class Authorize: Plugin {
  /// What a caller must have: everything that is said.
  public struct Rule: Sendable {
    var scopes: [String] = []
    var groups: [String] = []
    var claims: [(String, [String])] = []
    var consumers: [String] = []
    var methods: [String] = []

    var isEmpty: Bool {
      scopes.isEmpty && groups.isEmpty && claims.isEmpty && consumers.isEmpty && methods.isEmpty
    }
  }

  public struct Settings: Sendable {
    var rule = Rule()
    var alternatives: [Rule] = []
  }

  public static let section = Section(
    "authorize", Settings(), "Lets callers in by their scopes, groups and claims.",
    keywords(\.rule) + [
      Keyword(
        "any_of", \.alternatives,
        .list(
          of: .section(
            Section("rule", Rule(), "One way to be let in.", keywords(\.self)) { rule, node, reading in
              if rule.isEmpty { reading.error("this rule lets everybody in", at: node.position) }
            }), minimum: 1, maximum: 32),
        "Rules of which one must hold, beside what is said outside of it.")
    ],
    check: { settings, node, reading in
      if settings.rule.isEmpty, settings.alternatives.isEmpty {
        reading.error(
          "`authorize` wants nothing of anybody", at: node.position,
          expected: "scopes, groups, claims, consumers, methods or any_of")
      }
    })

  private static func keywords<Settings>(
    _ rule: any WritableKeyPath<Settings, Rule> & Sendable
  ) -> [Keyword<Settings>] {
    let word = ValueType<String>.text("name", expectation: "a name", limit: 500)
    return [
      Keyword(
        "scopes", .list(of: word, maximum: 64), "Scopes of the token, all of which it must have.",
        get: { $0[keyPath: rule].scopes }, set: { $0[keyPath: rule].scopes = $1 }),
      Keyword(
        "groups", .list(of: word, maximum: 64), "Groups of which the caller must be in one.",
        get: { $0[keyPath: rule].groups }, set: { $0[keyPath: rule].groups = $1 }),
      Keyword(
        "claims", .map(key: word, to: .list(of: word, minimum: 1, maximum: 64), label: "CLAIM"),
        "Claims of the token, each with the values of which it must have one.",
        get: { $0[keyPath: rule].claims }, set: { $0[keyPath: rule].claims = $1 }),
      Keyword(
        "consumers", .list(of: word, maximum: 1000), "Consumers of which the caller must be one.",
        get: { $0[keyPath: rule].consumers }, set: { $0[keyPath: rule].consumers = $1 }),
      Keyword(
        "methods", .list(of: .method, maximum: 16), "Methods of which the request must have one.",
        get: { $0[keyPath: rule].methods }, set: { $0[keyPath: rule].methods = $1 }),
    ]
  }

  public static let metrics = [results]
  private static let results = PluginMetric(
    "sluice_authorize_requests", .counter, labels: ["result"],
    "Requests that authorize judged; result is allowed, or what the caller lacked: identity, scope, group, claim, consumer, method, or any_of: every rule."
  )

  private let settings: Settings
  private let counters: [PluginCounter]
  private let allowed: PluginCounter
  /// What a bearer of a token without the scopes is told; nil where no scope would let anybody in.
  private let challenge: RenderedFields?

  public init(_ settings: Settings, _ services: any WorkerServices) {
    self.settings = settings
    challenge = Self.challenge(
      settings.rule.scopes + (settings.alternatives.first { !$0.scopes.isEmpty }?.scopes ?? []))
    allowed = services.counter(Self.results, ["allowed"])
    counters = Lack.allCases.map { services.counter(Self.results, ["\($0.word)"]) }
  }
}

extension Authorize: ResponseHeadHook {
  /// RFC 6750 §3.1: a token that is good but does not reach so far can be had with these scopes.
  private static func challenge(_ scopes: [String]) -> RenderedFields? {
    if scopes.isEmpty { return nil }
    let sayable = scopes.filter { scope in
      scope.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }
    let list = sayable.isEmpty ? "" : ", scope=\"\(sayable.joined(separator: " "))\""
    return RenderedFields(
      ("WWW-Authenticate", "Bearer realm=\"gateway\", error=\"insufficient_scope\"\(list)"))
  }

  public func onResponseHead(_ exchange: inout Exchange) {
    guard let challenge, exchange.notes.value(of: self) != nil else { return }
    exchange.response.addHeaders(challenge)
  }
}

/// What a caller lacks.
private enum Lack: Int, CaseIterable {
  case identity, scope, group, claim, consumer, method, all

  var word: StaticString {
    switch self {
    case .identity: "identity"
    case .scope: "scope"
    case .group: "group"
    case .claim: "claim"
    case .consumer: "consumer"
    case .method: "method"
    case .all: "any_of"
    }
  }

  var fault: Fault {
    switch self {
    case .identity: .missingIdentity
    case .scope: .missingScope
    case .group: .missingGroup
    case .claim: .missingClaim
    case .consumer: .otherConsumer
    case .method: .methodNotPermitted
    case .all: .noRuleHolds
    }
  }
}

extension Authorize {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard let lack = lack(of: exchange) else { return "the caller has all that is wanted" }
    let rules = settings.alternatives.count == 1 ? [settings.rule, settings.alternatives[0]] : [settings.rule]
    let wanted: [String] =
      switch lack {
      case .identity: ["no plugin before it has found out who calls"]
      case .scope: ["wanted are the scopes"] + rules.flatMap(\.scopes)
      case .group: ["wanted is one of the groups"] + rules.flatMap(\.groups)
      case .claim:
        ["wanted are the claims"] + rules.flatMap { $0.claims.map { "\($0.0)=\($0.1.joined(separator: "|"))" } }
      case .consumer: ["wanted is one of the consumers"] + rules.flatMap(\.consumers)
      case .method: ["wanted is one of the methods"] + rules.flatMap(\.methods)
      case .all: ["none of the \(settings.alternatives.count) rules of `any_of` holds"]
      }
    return wanted.joined(separator: " ")
  }
}

extension Authorize: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    if let lack = lack(of: exchange) {
      counters[lack.rawValue].add()
      // Only a token has claims, and only a token could have had scopes.
      if lack == .scope || lack == .all, exchange.identity?.claims.all.isEmpty == false {
        exchange.notes.set(1, for: self)
      }
      return .fail(lack.fault)
    }
    allowed.add()
    return .proceed
  }

  private func lack(of exchange: borrowing Exchange) -> Lack? {
    guard let identity = exchange.identity else { return .identity }
    if let lack = settings.rule.lack(of: identity, exchange) { return lack }
    if settings.alternatives.isEmpty { return nil }
    for index in settings.alternatives.indices
    where settings.alternatives[index].lack(of: identity, exchange) == nil {
      return nil
    }
    return settings.alternatives.count == 1 ? settings.alternatives[0].lack(of: identity, exchange) : .all
  }
}

extension Authorize.Rule {
  /// What the caller lacks first; nil when the rule holds.
  fileprivate func lack(of identity: Identity, _ exchange: borrowing Exchange) -> Lack? {
    for scope in scopes where !identity.scopes.contains(scope) { return .scope }
    if !groups.isEmpty, !groups.contains(where: { identity.groups.contains($0) }) { return .group }
    for (name, values) in claims {
      guard let claim = identity.claims[name], values.contains(where: { claim.items.contains($0) }) else {
        return .claim
      }
    }
    if !consumers.isEmpty, !(identity.consumer.map { consumers.contains($0) } ?? false) { return .consumer }
    if !methods.isEmpty {
      for method in methods where ByteScan.equal(method.utf8Span.span, exchange.request.methodText) { return nil }
      return .method
    }
    return nil
  }
}

extension Fault {
  /// Which rule refused is for the operator.
  private static func forbidden(_ reason: StaticString) -> Fault {
    Fault(.policy, 403, reason, "This caller may not do this.", code: "forbidden")
  }

  public static let missingIdentity = forbidden("no_identity")
  public static let missingScope = forbidden("missing_scope")
  public static let missingGroup = forbidden("missing_group")
  public static let missingClaim = forbidden("missing_claim")
  public static let otherConsumer = forbidden("other_consumer")
  public static let methodNotPermitted = forbidden("method_not_permitted")
  public static let noRuleHolds = forbidden("no_rule_holds")
}
