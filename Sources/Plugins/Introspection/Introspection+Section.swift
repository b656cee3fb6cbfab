public import Configuration
public import PluginKit

extension Introspection {
  /// How the gateway says who it is.
  enum Login: String, Sendable, CaseIterable { case basic, post }

  public struct Settings: Sendable {
    var url: ServiceURL?
    var authority: AuthoritySettings?
    var clientID = ""
    var clientSecret: Secret?
    var login = Login.basic
    var issuers: [String] = []
    var audiences: [String] = []
    var user: RequestValue = .jwt("sub")
    var groups: RequestValue?
    var scopes: RequestValue = .jwt("scope")
    var forward: [(String, RequestValue)] = []
    var forwardsToken = true
    var realm = "gateway"
    var ttl = Nanoseconds.minutes(1)
    var negative = Nanoseconds.seconds(10)
    var timeout = Nanoseconds.seconds(3)
    var cache = 10_000
    var failures = Rate(count: 60, per: .minutes(1))
  }

  public static let section = Section(
    "oauth2_introspection", Settings(), "Knows callers by a token of which its issuer is asked (RFC 7662).",
    question + answer)

  private static let question: [Keyword<Settings>] = [
    Keyword("url", \.url, .serviceURL, required: true, "The issuer's introspection endpoint."),
    Keyword(
      "authority", \.authority, .authority,
      "Who must have signed the certificate of the URL: PEM. Unset: whom the system trusts."),
    Keyword(
      "client_id", \.clientID, .text("client", expectation: "what the issuer calls the gateway", limit: 1000),
      required: true, "What the issuer calls the gateway."),
    Keyword("client_secret", \.clientSecret, .secret, required: true, "With what the gateway proves it."),
    Keyword("login", \.login, .choice, "Whether both go in `Authorization` (basic) or in the form (post)."),
    Keyword(
      "timeout", \.timeout, .duration(in: .milliseconds(1) ... .minutes(1)), "How long the issuer may take."),
    Keyword(
      "ttl", \.ttl, .duration(in: .milliseconds(100) ... .hours(24)),
      "How long a good token is not asked for again; its `exp` may end it sooner."),
    Keyword(
      "negative_ttl", \.negative, .duration(in: .milliseconds(100) ... .hours(1)), "The same for a bad one."),
    Keyword(
      "cache", \.cache, .integer(in: 1...1_000_000),
      "How many tokens each worker remembers, and as many bad ones beside them."),
  ]

  private static let answer: [Keyword<Settings>] = [
    Keyword(
      "issuer", \.issuers, .list(of: .text("issuer", expectation: "the issuer", limit: 1000), maximum: 32),
      "Who may have issued it (`iss`)."),
    Keyword(
      "audience", \.audiences, .list(of: .text("audience", expectation: "the audience", limit: 1000), maximum: 32),
      "For whom it must be meant (`aud`); one of these is enough."),
    Keyword("user", \.user, .claimName, "The member that names whom the caller acts for."),
    Keyword("groups", \.groups, .claimName, "The member that lists the groups of the caller."),
    Keyword("scopes", \.scopes, .claimName, "The member that lists scopes, as a list or with spaces between them."),
    Keyword(
      "forward", \.forward, .forwardedIdentity,
      "Fields that tell the upstream who calls: consumer, user, jwt.MEMBER. The client's own of these names are removed."
    ),
    Keyword("forward_token", \.forwardsToken, .boolean, "Whether the upstream gets the token too."),
    Keyword("realm", \.realm, .realm, "What the challenge of a 401 calls the protected space."),
    Keyword(
      "failures", \.failures, .rate, "How often one address may fail; beyond, it waits, with good tokens too."),
  ]
}

extension Introspection.Settings: ServiceCalling {
  public var services: [ServiceCall] { url.map { [ServiceCall($0, authority: authority)] } ?? [] }
}
