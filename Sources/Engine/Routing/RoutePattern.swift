/// What one route asks of a request, as the configuration says it.
///
/// An empty list asks nothing. All that is named must hold; of each list one entry is enough, except of the
/// conditions, which must all hold.
public struct RoutePattern: Sendable {
  public var paths: [PathTemplate]
  /// Host names without port: exact (`api.example.com`) or with a leading `*.` for any name below.
  public var hosts: [String]
  /// Method names as sent: `GET`. `GET` includes `HEAD`.
  public var methods: [String]
  public var headers: [RouteCondition]
  public var query: [RouteCondition]
  /// Indices of listeners, each below 64.
  public var listeners: [Int]

  public init(
    paths: [PathTemplate], hosts: [String] = [], methods: [String] = [], headers: [RouteCondition] = [],
    query: [RouteCondition] = [], listeners: [Int] = []
  ) {
    self.paths = paths
    self.hosts = hosts
    self.methods = methods
    self.headers = headers
    self.query = query
    self.listeners = listeners
  }

  /// How many conditions beside path and host the route has: of two that fit a request, the one with more is taken.
  /// Methods count as one and listeners as one, so `POST /x` and a `/x` for all other methods can live side by side.
  public var rank: Int {
    headers.count + query.count + (methods.isEmpty ? 0 : 1) + (listeners.isEmpty ? 0 : 1)
  }
}

/// A header field or a query parameter that must be there, or must have one value.
public struct RouteCondition: Sendable, Hashable {
  /// A header name is in lower case.
  public var name: String
  /// nil: any value will do.
  public var value: String?

  public init(name: String, value: String?) {
    self.name = name
    self.value = value
  }
}

/// What header and query conditions read of a request.
///
/// A name that occurs more than once equals no value: which of them the upstream would read is not for the gateway to
/// guess, and so two conditions with different values never hold at once.
public protocol RouteConditions: ~Copyable, ~Escapable {
  /// Whether the header is there; `name` is in lower case.
  func hasHeader(_ name: Span<UInt8>) -> Bool
  /// Whether the header is there once and has the value; `name` is in lower case.
  func hasHeader(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool
  /// Whether the query parameter is there.
  func hasQuery(_ name: Span<UInt8>) -> Bool
  /// Whether the query parameter is there once and has the value, both after decoding.
  func hasQuery(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool
}

/// Why routes cannot be compiled into a table.
public enum RouteTableError: Error, Equatable, CustomStringConvertible {
  case tooManyMethods
  case listenerOutOfRange(Int)
  case badHost(route: Int, host: String)

  public var description: String {
    switch self {
    case .tooManyMethods: "routes name more than \(MethodMask.maximumExtensions) methods beside the standard ones"
    case .listenerOutOfRange(let index): "listener \(index) is out of range: routes can name the first 64 listeners"
    case .badHost(_, let host):
      "'\(host)' is no host name: write 'api.example.com', '*.example.com' or an address, without a port"
    }
  }
}
