/// Who a caller is, once a plugin has found out: made once, and shared by all requests that show the same proof.
public final class Identity: Sendable {
  /// The name that the configuration has for the caller.
  public let consumer: String?
  /// Whom the caller acts for.
  public let user: String?
  public let groups: [String]
  public let scopes: [String]
  /// What a token says of the caller.
  public let claims: Claims

  public init(
    consumer: String? = nil, user: String? = nil, groups: [String] = [], scopes: [String] = [],
    claims: Claims = Claims()
  ) {
    self.consumer = consumer
    self.user = user
    self.groups = groups
    self.scopes = scopes
    self.claims = claims
  }
}

/// What a token says (RFC 7519 §4): names with one text, or with a list of them.
public struct Claims: Sendable {
  public struct Claim: Sendable {
    public var name: String
    /// Text, or a number, truth value or object as JSON writes it; a list as its texts with commas between them.
    public var text: String
    /// The elements of a list; for any other claim its text alone.
    public var items: [String]

    public init(name: String, text: String, items: [String]) {
      self.name = name
      self.text = text
      self.items = items
    }
  }

  public var all: [Claim]

  public init(_ all: [Claim] = []) { self.all = all }

  /// `NAME`, or `NAME.MEMBER` for what is in an object.
  public subscript(name: String) -> Claim? { all.first { $0.name == name } }
}
