/// A value of the request, named the same way wherever the configuration wants one: in keys, conditions and
/// templates.
public enum RequestValue: Sendable, Equatable {
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
}
