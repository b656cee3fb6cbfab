public import Configuration
import HTTP
public import PluginKit

/// Several ways to say who one is: the first one whose proof the request carries decides.
///
/// Bad proof of an earlier kind is refused even where good proof of a later one is there: who calls must not depend on
/// which of two proofs happens to be broken.
public final class AnyOf: Plugin {
  public struct Settings: Sendable {
    var members: [Member] = []
  }

  /// One of the plugins, as it is written.
  struct Member: Sendable {
    var name: String
    var settings: any Sendable
  }

  /// What it may hold.
  private static let definitions = [
    PluginDefinition(APIKey.self), PluginDefinition(Basic.self), PluginDefinition(ClientCertificateLogin.self),
    PluginDefinition(Introspection.self), PluginDefinition(JWT.self), PluginDefinition(MessageSignature.self),
  ]

  public static let section = Section(
    "any_of", Settings(), "Several ways to say who one is, of which the first that a request carries decides.",
    shorthand: "plugins",
    [
      Keyword(
        "plugins", \.members,
        .list(
          of: .plugin(
            definitions.map(\.declaration), make: { name, settings, _ in Member(name: name, settings: settings) },
            take: { ($0.name, $0.settings) }), minimum: 1, maximum: 8), required: true,
        "api_key, basic, client_certificate, hmac, jwt and oauth2_introspection, in the order in which they are looked for."
      )
    ])

  /// What the members share, in their order.
  public struct Shared: Sendable {
    fileprivate var members: [(definition: PluginDefinition, shared: any Sendable)] = []
  }

  public static func share(_ settings: Settings) throws(PluginError) -> Shared {
    var shared = Shared()
    for member in settings.members {
      guard let definition = definitions.first(where: { $0.name == member.name }) else { continue }
      shared.members.append((definition, try definition.share(member.settings)))
    }
    return shared
  }

  fileprivate let members: [any Authenticator]
  private let isPatient: Bool
  private let bodyHooks: [any RequestBodyHook]

  public init(_ shared: Shared, _ services: any WorkerServices) {
    members = shared.members.compactMap { $0.definition.instance($0.shared, services) as? any Authenticator }
    bodyHooks = members.compactMap { $0 as? any RequestBodyHook }.filter { $0.takesRequestBodies }
    isPatient = members.contains { ($0 as? any PatientAuthenticator)?.isPatient ?? false }
  }

  public var hooks: [AnyObject] { [isPatient ? PatientAnyOf(self) : self] }
}

extension AnyOf.Settings: ServiceCalling {
  public var services: [ServiceCall] { members.flatMap { ($0.settings as? any ServiceCalling)?.services ?? [] } }
}

extension AnyOf {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail = verdict else { return nil }
    guard let member = member(for: exchange) else { return "it carries no proof" }
    return (member as? any Plugin)?.reason(for: verdict, of: exchange)
  }
}

extension AnyOf: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    prepare(&exchange)
    return member(for: exchange)?.authenticate(&exchange) ?? refuse()
  }

  fileprivate func prepare(_ exchange: inout Exchange) {
    for member in members {
      member.hideSecrets(of: &exchange)
      exchange.request.removeHeaders(member.forwarded)
    }
  }

  /// Who judges: the first whose proof it looks like, of several that have one place for it.
  fileprivate func member(for exchange: borrowing Exchange) -> (any Authenticator)? {
    var first: (any Authenticator)?
    for member in members where member.isCarried(by: exchange) {
      if member.recognises(exchange) { return member }
      first = first ?? member
    }
    return first
  }

  fileprivate func refuse() -> Verdict {
    for member in members { member.countMissing() }
    return .fail(.noCredentials)
  }
}

/// The same where one of them may have to wait.
private final class PatientAnyOf: PatientRequestHeadHook, ResponseHeadHook, RequestBodyHook {
  private let plugin: AnyOf

  init(_ plugin: AnyOf) { self.plugin = plugin }

  func tryRequestHead(_ exchange: inout Exchange) -> Verdict? {
    plugin.prepare(&exchange)
    guard let member = plugin.member(for: exchange) else { return plugin.refuse() }
    if let patient = member as? any PatientAuthenticator { return patient.tryAuthenticate(&exchange) }
    return member.authenticate(&exchange)
  }

  func onRequestHead(_ exchange: inout Exchange) async -> Verdict {
    if let verdict = tryRequestHead(&exchange) { return verdict }
    guard let member = plugin.member(for: exchange) as? any PatientAuthenticator else { return plugin.refuse() }
    return await member.awaitAuthentication(&exchange)
  }

  func onResponseHead(_ exchange: inout Exchange) { plugin.onResponseHead(&exchange) }
  var takesRequestBodies: Bool { plugin.takesRequestBodies }
  func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? { plugin.wantsRequestBody(&exchange) }
  func onRequestBody(_ exchange: inout Exchange) -> Verdict { plugin.onRequestBody(&exchange) }
}

extension AnyOf: ResponseHeadHook {
  /// A request without proof is told all kinds; also one with bad proof, so that the answer does not say which was bad.
  public func onResponseHead(_ exchange: inout Exchange) {
    guard exchange.fault?.isUnauthenticated ?? false else { return }
    for member in members { exchange.response.addHeaders(member.challenge) }
  }
}

extension AnyOf: RequestBodyHook {
  public var takesRequestBodies: Bool { !bodyHooks.isEmpty }

  /// What the member wants that has let the request pass: others have not noted anything of it.
  public func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? {
    for hook in bodyHooks { if let wish = hook.wantsRequestBody(&exchange) { return wish } }
    return nil
  }

  public func onRequestBody(_ exchange: inout Exchange) -> Verdict {
    for hook in bodyHooks where hook.wantsRequestBody(&exchange) != nil { return hook.onRequestBody(&exchange) }
    return .proceed
  }
}
