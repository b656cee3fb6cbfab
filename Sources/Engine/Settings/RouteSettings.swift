package import Configuration

/// Which requests are meant, and what becomes of them.
package struct RouteSettings: Sendable {
  package enum Handler: Sendable, Equatable {
    /// Index into the gateway's upstreams.
    case upstream(Int)
    case respond(RespondSettings)
    case redirect(RedirectSettings)
  }

  /// What is done with `%2F` in a path.
  package enum EncodedSlashes: String, Sendable, CaseIterable { case refuse, keep }

  package var name: String
  /// Each is one way to match; at least one.
  package var matches: [MatchSettings]
  package var plugins: [PluginEntry]
  package var handler: Handler
  package var rewrite: RewriteSettings?
  package var limits: RouteLimitSettings?
  package var timeouts: RouteTimeoutSettings?
  package var encodedSlashes: EncodedSlashes
  package var position: Position

  package init(
    name: String,
    matches: [MatchSettings] = [],
    plugins: [PluginEntry] = [],
    handler: Handler = .upstream(0),
    rewrite: RewriteSettings? = nil,
    limits: RouteLimitSettings? = nil,
    timeouts: RouteTimeoutSettings? = nil,
    encodedSlashes: EncodedSlashes = .refuse,
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
    self.position = position
  }
}

/// Conditions that a request must all meet; of each list one member. An empty list asks nothing.
package struct MatchSettings: Sendable, Equatable {
  /// `example.com` or `*.example.com` (one or more labels in front), in lower case, without port.
  package var hosts: [String]
  /// Templates: `/v1/items/{id}`, `/static/*`; at least one.
  package var paths: [String]
  /// In upper case. `GET` includes `HEAD`.
  package var methods: [String]
  /// Names in lower case.
  package var headers: [ConditionSettings]
  package var query: [ConditionSettings]
  /// Names of listeners.
  package var listeners: [String]
  package var position: Position

  package init(
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
package struct ConditionSettings: Sendable, Equatable {
  package var name: String
  /// Nil: it is enough that it is there.
  package var value: String?

  package init(name: String, value: String? = nil) {
    self.name = name
    self.value = value
  }
}

/// How a request is changed on its way to the upstream.
package struct RewriteSettings: Sendable, Equatable {
  /// Taken off the front of the path when it is there, as whole segments.
  package var stripPrefix: String?
  /// Put in front of the path, after stripping.
  package var prefix: String?
  /// Instead of the whole path; excludes the other two.
  package var path: String?
  /// Nil: the client's `Host` is kept.
  package var host: String?

  package init(stripPrefix: String? = nil, prefix: String? = nil, path: String? = nil, host: String? = nil) {
    self.stripPrefix = stripPrefix
    self.prefix = prefix
    self.path = path
    self.host = host
  }
}

/// The timeouts that a route may set anew. Nil: the upstream's.
package struct RouteTimeoutSettings: Sendable, Equatable {
  package var firstByte: Nanoseconds?
  package var idle: Nanoseconds?
  package var total: Nanoseconds?

  package init(firstByte: Nanoseconds? = nil, idle: Nanoseconds? = nil, total: Nanoseconds? = nil) {
    self.firstByte = firstByte
    self.idle = idle
    self.total = total
  }
}

/// A fixed answer.
package struct RespondSettings: Sendable, Equatable {
  package var status: Int
  /// Without `Content-Length`, which follows from the body.
  package var headers: [FieldSettings]
  package var body: String

  package init(status: Int = 200, headers: [FieldSettings] = [], body: String = "") {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// A field of a message, as written.
package struct FieldSettings: Sendable, Equatable {
  package var name: String
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// An answer that sends the client elsewhere.
package struct RedirectSettings: Sendable, Equatable {
  /// 301, 302, 303, 307 or 308.
  package var status: Int
  package var location: String

  package init(status: Int = 308, location: String) {
    self.status = status
    self.location = location
  }
}
