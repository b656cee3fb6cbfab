public import Configuration
public import PluginKit

/// Lets clients in, or keeps them out, by their address.
public final class IPAccess: Plugin {
  public struct Settings: Sendable {
    var allow: [AddressRange] = []
    var deny: [AddressRange] = []
  }

  public static let section = Section(
    "ip_access", Settings(), "Lets clients in, or keeps them out, by their address.", shorthand: "allow",
    [
      Keyword("allow", \.allow, .list(of: .addressRange), "Who may come in; unset: everybody who is not denied."),
      Keyword("deny", \.deny, .list(of: .addressRange), "Who may not; stronger than `allow`."),
    ],
    check: { settings, node, reading in
      if !settings.allow.isEmpty || !settings.deny.isEmpty { return }
      reading.error("`ip_access` says of nobody what they may", at: node.position, expected: "`allow` or `deny`")
    })

  public static let metrics = [refusals]

  private static let refusals = PluginMetric(
    "sluice_ip_access_refused", .counter, labels: ["rule"],
    "Requests refused by their client's address; rule is deny, or allow where the address is none of those.")

  private let settings: Settings
  private let allow: AddressSet
  private let deny: AddressSet
  private let denied: PluginCounter
  private let notAllowed: PluginCounter

  public init(_ settings: Settings, _ services: any WorkerServices) {
    self.settings = settings
    allow = AddressSet(settings.allow)
    deny = AddressSet(settings.deny)
    denied = services.counter(Self.refusals, ["deny"])
    notAllowed = services.counter(Self.refusals, ["allow"])
  }
}

extension IPAccess {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    let client = exchange.client
    let rule = { (ranges: [AddressRange]) in ranges.first { AddressSet([$0]).contains(client) }?.text }
    if let denied = rule(settings.deny) { return "\(client) is in \(denied) of `deny`" }
    if let allowed = rule(settings.allow) { return "\(client) is in \(allowed) of `allow`" }
    return settings.allow.isEmpty ? "`deny` does not have \(client)" : "`allow` does not have \(client)"
  }
}

extension IPAccess: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    if deny.contains(exchange.client) {
      denied.add()
      return .fail(.addressDenied)
    }
    if !allow.isEmpty, !allow.contains(exchange.client) {
      notAllowed.add()
      return .fail(.addressDenied)
    }
    return .proceed
  }
}

extension Fault {
  public static let addressDenied = Fault(
    .policy, 403, "ip_denied", "Requests from this address are not let in.")
}
