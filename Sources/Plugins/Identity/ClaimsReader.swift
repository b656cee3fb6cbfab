import Configuration
import PluginKit

/// Makes an identity of what a token says, or of what is said of it.
struct ClaimsReader {
  let user: RequestValue
  let groups: RequestValue?
  let scopes: RequestValue

  func identity(_ claims: Claims, _ consumers: ConsumerDirectory) -> Identity {
    let consumer = consumers.consumer(with: claims)
    let groups = groups.map { Self.items(of: $0, claims) } ?? []
    var scopes: [String] = []
    for item in Self.items(of: self.scopes, claims) { scopes += item.split(separator: " ").map(String.init) }
    return Identity(
      consumer: consumer?.name, user: Self.claim(user, claims)?.text, groups: groups + (consumer?.groups ?? []),
      scopes: scopes, claims: claims)
  }

  private static func claim(_ value: RequestValue, _ claims: Claims) -> Claims.Claim? {
    if case .jwt(let name) = value { claims[name] } else { nil }
  }

  private static func items(of value: RequestValue, _ claims: Claims) -> [String] { claim(value, claims)?.items ?? [] }
}
