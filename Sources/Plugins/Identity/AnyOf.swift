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
    PluginDefinition(JWT.self), PluginDefinition(MessageSignature.self),
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
        "api_key, basic, client_certificate, hmac and jwt, in the order in which they are looked for.")
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

  private let members: [any Authenticator]
  private let bodyHooks: [any RequestBodyHook]

  public init(_ shared: Shared, _ services: any WorkerServices) {
    members = shared.members.compactMap { $0.definition.instance($0.shared, services) as? any Authenticator }
    bodyHooks = members.compactMap { $0 as? any RequestBodyHook }.filter { $0.takesRequestBodies }
  }
}

extension AnyOf {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail = verdict else { return nil }
    guard let member = members.first(where: { $0.isCarried(by: exchange) }) else { return "it carries no proof" }
    return (member as? any Plugin)?.reason(for: verdict, of: exchange)
  }
}

extension AnyOf: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    for member in members {
      member.hideSecrets(of: &exchange)
      exchange.request.removeHeaders(member.forwarded)
    }
    for member in members where member.isCarried(by: exchange) { return member.authenticate(&exchange) }
    for member in members { member.countMissing() }
    return .fail(.noCredentials)
  }
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
