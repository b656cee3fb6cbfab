/// A value of the request, named the same way wherever the configuration wants one: in keys, conditions and
/// templates.
public enum RequestValue: Sendable, Equatable {
  /// Who calls, by the name that the configuration has for them.
  case consumer
  /// Whom the caller acts for, such as the subject of a token.
  case user
  /// The client's address.
  case ip
  /// The name of the route.
  case route
  /// `header.x-name`: a field of the request, its name in lower case.
  case header(String)
  /// `query.name`: a parameter of the query.
  case query(String)
  /// `cookie.name`
  case cookie(String)
  /// `path.id`: what `{id}` in the route's path stood for.
  case path(String)
  /// `jwt.sub`: a claim of the token that a plugin has verified.
  case jwt(String)
}
