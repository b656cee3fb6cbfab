/// What routes are matched against, as views of the request's bytes.
public struct RouteRequest: ~Escapable {
  /// Normalised: percent-encoding and dot segments are done with. It begins with `/`, or no route matches.
  public let path: Span<UInt8>
  /// The `Host` value in any case, with or without port; empty when there is none.
  public let host: Span<UInt8>
  public let method: Span<UInt8>
  /// The `Access-Control-Request-Method` of a CORS preflight.
  public let preflightMethod: Span<UInt8>?
  /// The index of the listener that took the request, below 64.
  public let listener: Int

  /// - Parameter preflightMethod: the value of `Access-Control-Request-Method`, when the request is `OPTIONS` and
  ///   has one.
  @_lifetime(copy path, copy host, copy method, copy preflightMethod)
  public init(
    path: Span<UInt8>, host: Span<UInt8>, method: Span<UInt8>, preflightMethod: Span<UInt8>? = nil, listener: Int = 0
  ) {
    self.path = path
    self.host = host
    self.method = method
    self.preflightMethod = preflightMethod
    self.listener = listener
  }
}

/// What the table says to a request.
public enum RouteMatch: Sendable, Equatable {
  /// - path: which of the route's paths fits; its template is the `http.route` label and names the parameters.
  /// - rest: where the part begins that `*` took, which is the path's length when it took nothing.
  case route(Int, path: Int, rest: Int)
  case notFound
  /// Routes fit all but the method; these are the methods that they take.
  case methodNotAllowed(MethodMask)
}
