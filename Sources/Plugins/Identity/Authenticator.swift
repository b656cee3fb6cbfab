import Configuration
public import HTTP
import Kernel
public import PluginKit

/// A plugin that finds out who calls, from one kind of proof.
///
/// Alone it refuses a request without proof of its kind; in `any_of` the first one whose proof the request carries
/// decides.
public protocol Authenticator: RequestHeadHook, ResponseHeadHook, AnyObject {
  /// Fields that it sets for the upstream, which nobody outside may set.
  var forwarded: FieldNameSet { get }
  /// `WWW-Authenticate` for a request without proof.
  var challenge: RenderedFields { get }
  /// The same for a request whose proof was refused, where the scheme tells these apart (RFC 6750 §3).
  var refusal: RenderedFields { get }
  /// Whether a request carries proof of its kind, good or bad.
  func isCarried(by exchange: borrowing Exchange) -> Bool
  /// Whether the proof looks like its own where others have the same place for theirs.
  func recognises(_ exchange: borrowing Exchange) -> Bool
  /// Judges the proof that a request carries.
  func authenticate(_ exchange: inout Exchange) -> Verdict
  /// Says what of a request no log may show, before anything is decided: a key that is refused is a key all the same.
  func hideSecrets(of exchange: inout Exchange)
  /// Counts a request that carries none.
  func countMissing()
}

/// An authenticator that must wait for somebody else's word on some requests.
public protocol PatientAuthenticator: Authenticator {
  /// Whether it ever must, by its settings; where not, it is a plain one.
  var isPatient: Bool { get }
  /// Judges at once; nil, with nothing changed or counted, when it must wait.
  func tryAuthenticate(_ exchange: inout Exchange) -> Verdict?
  func awaitAuthentication(_ exchange: inout Exchange) async -> Verdict
}

/// The hook of an authenticator that may wait.
final class PatientLogin: PatientRequestHeadHook, ResponseHeadHook {
  private let authenticator: any PatientAuthenticator

  init(_ authenticator: any PatientAuthenticator) { self.authenticator = authenticator }

  func tryRequestHead(_ exchange: inout Exchange) -> Verdict? {
    authenticator.hideSecrets(of: &exchange)
    exchange.request.removeHeaders(authenticator.forwarded)
    if authenticator.isCarried(by: exchange) { return authenticator.tryAuthenticate(&exchange) }
    authenticator.countMissing()
    return .fail(.noCredentials)
  }

  func onRequestHead(_ exchange: inout Exchange) async -> Verdict {
    if let verdict = tryRequestHead(&exchange) { return verdict }
    return await authenticator.awaitAuthentication(&exchange)
  }

  func onResponseHead(_ exchange: inout Exchange) { authenticator.onResponseHead(&exchange) }
}

extension Authenticator {
  public func hideSecrets(of exchange: inout Exchange) {}
  public var refusal: RenderedFields { challenge }
  public func recognises(_ exchange: borrowing Exchange) -> Bool { isCarried(by: exchange) }

  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    hideSecrets(of: &exchange)
    exchange.request.removeHeaders(forwarded)
    if isCarried(by: exchange) { return authenticate(&exchange) }
    countMissing()
    return .fail(.noCredentials)
  }

  /// Every 401 says how to do better (RFC 9110 §15.5.2).
  public func onResponseHead(_ exchange: inout Exchange) {
    guard let fault = exchange.fault, fault.isUnauthenticated else { return }
    let isMissing = ByteScan.equal(ByteScan.bytes(of: fault.reason), ByteScan.bytes(of: Fault.noCredentials.reason))
    exchange.response.addHeaders(isMissing ? challenge : refusal)
  }
}

extension Fault {
  /// Whether it is a refusal for want of good proof.
  var isUnauthenticated: Bool {
    status == 401 && ByteScan.equal(ByteScan.bytes(of: code), ByteScan.bytes(of: "unauthenticated"))
  }

  /// Why proof was refused is for the operator: whoever guesses learns nothing from the answer.
  static func unauthenticated(_ reason: StaticString) -> Fault {
    Fault(
      .policy, 401, reason, "This request needs good credentials; WWW-Authenticate says of which kind.",
      code: "unauthenticated")
  }

  /// What an explanation says of too many failures.
  static let tooManyFailuresWords = "too many requests with bad credentials came from its address"
  var isTooManyFailures: Bool {
    ByteScan.equal(ByteScan.bytes(of: reason), ByteScan.bytes(of: Fault.tooManyFailures.reason))
  }

  public static let noCredentials = unauthenticated("no_credentials")
  public static let tooManyFailures = Fault(
    .policy, 429, "too_many_failed_logins",
    "Too many requests with bad credentials came from this address; try again after the time that Retry-After says.")
}

/// What a plugin tells the upstream of who calls: the fields and where their values come from.
struct ForwardedIdentity: Sendable {
  let names: FieldNameSet
  private let fields: [(name: String, value: RequestValue)]

  init(_ fields: [(String, RequestValue)]) {
    self.fields = fields.map { (name: $0.0, value: $0.1) }
    names = FieldNameSet(fields.map(\.0))
  }

  /// The lines for one identity; a value that it does not have, or that cannot stand in a field, has none.
  func lines(for identity: Identity) -> RenderedFields {
    var lines = RenderedFields()
    for (name, value) in fields {
      let text: String? =
        switch value {
        case .consumer: identity.consumer
        case .user: identity.user
        case .jwt(let claim): identity.claims[claim]?.text
        default: nil
        }
      if let text { lines.append(name, text) }
    }
    return lines
  }
}

extension ValueType where Value == [(String, RequestValue)] {
  /// Fields for the upstream with values of the identity.
  static var forwardedIdentity: ValueType {
    let value = ValueType<RequestValue>.requestValue.checked { value throws(ScalarMistake) in
      switch value {
      case .consumer, .user, .jwt: return
      default: throw .other("`\(value.text)` says nothing of who calls", expected: "consumer, user or jwt.CLAIM")
      }
    }
    let name = ValueType<String>.token("field name", expectation: "a field name such as X-User-Id") { $0 }
    return map(key: name, to: value, label: "FIELD")
  }
}

extension ValueType where Value == String {
  /// The realm of a challenge (RFC 9110 §11.5).
  static var realm: ValueType {
    text("realm", expectation: "text in printable ASCII without quotes and backslashes", limit: 100).checked {
      text throws(ScalarMistake) in
      guard text.utf8.allSatisfy({ $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
        throw .malformed
      }
    }
  }
}
