public import Configuration

/// Which requests are meant, and what becomes of them.
public struct RouteSettings: Sendable {
  public enum Handler: Sendable, Equatable {
    /// Index into the gateway's upstreams.
    case upstream(Int)
    case split(SplitSettings)
    case respond(RespondSettings)
    case redirect(RedirectSettings)
    case models(ModelRouteSettings)
  }

  /// What is done with `%2F` in a path.
  public enum EncodedSlashes: String, Sendable, CaseIterable { case refuse, keep }

  /// What is done with empty segments, `//`, in a path.
  public enum EmptySegments: String, Sendable, CaseIterable { case refuse, merge, keep }

  public var name: String
  /// Each is one way to match; at least one.
  public var matches: [MatchSettings]
  public var plugins: [PluginEntry]
  public var handler: Handler
  public var rewrite: RewriteSettings?
  public var limits: RouteLimitSettings?
  public var timeouts: RouteTimeoutSettings?
  public var encodedSlashes: EncodedSlashes
  public var emptySegments: EmptySegments
  /// Whether calls of gRPC-Web become calls of gRPC for the upstream.
  public var translatesGRPCWeb: Bool
  public var priority: Priority
  public var version: VersionSettings?
  public var fallback: FallbackSettings?
  public var mirror: MirrorSettings?
  /// Of a route to a server of the Model Context Protocol.
  public var mcp: MCPTarget?
  public var position: Position

  public init(
    name: String,
    matches: [MatchSettings] = [],
    plugins: [PluginEntry] = [],
    handler: Handler = .upstream(0),
    rewrite: RewriteSettings? = nil,
    limits: RouteLimitSettings? = nil,
    timeouts: RouteTimeoutSettings? = nil,
    encodedSlashes: EncodedSlashes = .refuse,
    emptySegments: EmptySegments = .merge,
    translatesGRPCWeb: Bool = false,
    priority: Priority = .normal,
    version: VersionSettings? = nil,
    fallback: FallbackSettings? = nil,
    mirror: MirrorSettings? = nil,
    position: Position = .none
  ) {
    self.name = name
    self.matches = matches
    self.plugins = plugins
    self.handler = handler
    self.rewrite = rewrite
    self.limits = limits
    self.timeouts = timeouts
    self.encodedSlashes = encodedSlashes
    self.emptySegments = emptySegments
    self.translatesGRPCWeb = translatesGRPCWeb
    self.priority = priority
    self.version = version
    self.fallback = fallback
    self.mirror = mirror
    self.position = position
  }
}

/// Conditions that a request must all meet; of each list one member. An empty list asks nothing.
public struct MatchSettings: Sendable, Equatable {
  /// `example.com` or `*.example.com` (one or more labels in front), in lower case, without port.
  public var hosts: [String]
  /// Templates: `/v1/items/{id}`, `/static/*`; at least one.
  public var paths: [String]
  /// In upper case. `GET` includes `HEAD`.
  public var methods: [String]
  /// Names in lower case.
  public var headers: [ConditionSettings]
  public var query: [ConditionSettings]
  /// Names of listeners.
  public var listeners: [String]
  public var position: Position

  public init(
    hosts: [String] = [],
    paths: [String] = [],
    methods: [String] = [],
    headers: [ConditionSettings] = [],
    query: [ConditionSettings] = [],
    listeners: [String] = [],
    position: Position = .none
  ) {
    self.hosts = hosts
    self.paths = paths
    self.methods = methods
    self.headers = headers
    self.query = query
    self.listeners = listeners
    self.position = position
  }
}

/// A condition on a field of the request or a parameter of its query.
public struct ConditionSettings: Sendable, Equatable {
  public var name: String
  /// Nil: it is enough that it is there.
  public var value: String?

  public init(name: String, value: String? = nil) {
    self.name = name
    self.value = value
  }
}

/// How a request is changed on its way to the upstream.
public struct RewriteSettings: Sendable, Equatable {
  /// Taken off the front of the path when it is there, as whole segments.
  public var stripPrefix: String?
  /// Put in front of the path, after stripping.
  public var prefix: String?
  /// Instead of the whole path; excludes the other two.
  public var path: String?
  /// Nil: the client's `Host` is kept.
  public var host: String?

  public init(stripPrefix: String? = nil, prefix: String? = nil, path: String? = nil, host: String? = nil) {
    self.stripPrefix = stripPrefix
    self.prefix = prefix
    self.path = path
    self.host = host
  }
}

/// The timeouts that a route may set anew. Nil: the upstream's.
public struct RouteTimeoutSettings: Sendable, Equatable {
  public var connect: Nanoseconds?
  public var firstByte: Nanoseconds?
  public var idle: Nanoseconds?
  public var total: Nanoseconds?
  public var tunnel: Nanoseconds?

  public init(
    connect: Nanoseconds? = nil, firstByte: Nanoseconds? = nil, idle: Nanoseconds? = nil, total: Nanoseconds? = nil,
    tunnel: Nanoseconds? = nil
  ) {
    self.connect = connect
    self.firstByte = firstByte
    self.idle = idle
    self.total = total
    self.tunnel = tunnel
  }
}

/// A fixed answer.
public struct RespondSettings: Sendable, Equatable {
  public var status: Int
  /// Without `Content-Length`, which follows from the body.
  public var headers: [FieldSettings]
  public var body: String

  public init(status: Int = 200, headers: [FieldSettings] = [], body: String = "") {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// A field of a message, as written.
public struct FieldSettings: Sendable, Equatable {
  public var name: String
  public var value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// An answer that sends the client elsewhere.
public struct RedirectSettings: Sendable, Equatable {
  /// 301, 302, 303, 307 or 308.
  public var status: Int
  public var location: String

  public init(status: Int = 308, location: String) {
    self.status = status
    self.location = location
  }
}
