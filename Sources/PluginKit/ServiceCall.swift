public import Configuration

/// A service that a plugin calls by a URL of its settings: the gateway has an upstream for it, with its own pool.
public struct ServiceCall: Sendable, Equatable {
  public var url: ServiceURL
  /// Who must have signed its certificate. Nil: whom the system trusts.
  public var authority: AuthoritySettings?

  public init(_ url: ServiceURL, authority: AuthoritySettings? = nil) {
    self.url = url
    self.authority = authority
  }

  /// What `ClientRequest` calls it; the same for everything that is called there with the same trust.
  public var upstream: String { "call:\(url.origin)" + (authority.map { " (\($0.path))" } ?? "") }
}

/// Settings of a plugin that calls services by their URLs.
public protocol ServiceCalling {
  var services: [ServiceCall] { get }
}
