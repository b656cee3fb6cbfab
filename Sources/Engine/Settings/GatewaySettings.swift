package import Configuration

/// Everything that a configuration says, checked and with defaults filled in: the value that the engine compiles
/// into what its workers run.
package struct GatewaySettings: Sendable {
  package var listeners: [ListenerSettings]
  /// Nil: no admin port.
  package var admin: AdminSettings?
  package var limits: LimitSettings
  package var callLog: CallLogSettings
  /// A route names its upstream by its index here. Those that a route spells out as a URL stand at the end.
  package var upstreams: [UpstreamSettings]
  package var routes: [RouteSettings]
  /// They run before every route's own.
  package var plugins: [PluginEntry]
  /// Whose `Forwarded` and `X-Forwarded-*` are believed.
  package var trustedProxies: [AddressRange]
  /// Event loops. Nil: one for each core that the process may use.
  package var workers: Int?
  package var drain: DrainSettings
  package var resolver: ResolverSettings
  package var log: LogSettings

  package init(
    listeners: [ListenerSettings] = [],
    admin: AdminSettings? = nil,
    limits: LimitSettings = LimitSettings(),
    callLog: CallLogSettings = CallLogSettings(),
    upstreams: [UpstreamSettings] = [],
    routes: [RouteSettings] = [],
    plugins: [PluginEntry] = [],
    trustedProxies: [AddressRange] = [],
    workers: Int? = nil,
    drain: DrainSettings = DrainSettings(),
    resolver: ResolverSettings = ResolverSettings(),
    log: LogSettings = LogSettings()
  ) {
    self.listeners = listeners
    self.admin = admin
    self.limits = limits
    self.callLog = callLog
    self.upstreams = upstreams
    self.routes = routes
    self.plugins = plugins
    self.trustedProxies = trustedProxies
    self.workers = workers
    self.drain = drain
    self.resolver = resolver
    self.log = log
  }
}

/// What a plugin was told, at one place of the file.
package struct PluginEntry: Sendable {
  package var name: String
  /// The plugin's own settings value, as its section read it.
  package var settings: any Sendable
  package var position: Position

  package init(name: String, settings: any Sendable, position: Position = .none) {
    self.name = name
    self.settings = settings
    self.position = position
  }
}

/// How the process leaves on SIGTERM.
package struct DrainSettings: Sendable, Equatable {
  /// How long `/readyz` fails before connections are turned away, so that balancers in front notice.
  package var delay: Nanoseconds
  /// How long what is in flight may take after that; then it is cut.
  package var limit: Nanoseconds

  package init(delay: Nanoseconds = 0, limit: Nanoseconds = .seconds(30)) {
    self.delay = delay
    self.limit = limit
  }
}

/// How the names of targets become addresses.
package struct ResolverSettings: Sendable, Equatable {
  /// `ADDRESS` or `ADDRESS:PORT`. Empty: those of /etc/resolv.conf.
  package var servers: [String]
  /// For one question to one server.
  package var timeout: Nanoseconds
  /// How often each server is asked.
  package var attempts: Int

  package init(servers: [String] = [], timeout: Nanoseconds = .seconds(2), attempts: Int = 2) {
    self.servers = servers
    self.timeout = timeout
    self.attempts = attempts
  }
}

/// The process's own log, on standard error; calls have a log of their own.
package struct LogSettings: Sendable, Equatable {
  package enum Level: String, Sendable, CaseIterable { case trace, debug, info, warning, error }
  /// `auto` is text on a terminal and JSON elsewhere.
  package enum Format: String, Sendable, CaseIterable { case auto, text, json }

  package var level: Level
  package var format: Format

  package init(level: Level = .info, format: Format = .auto) {
    self.level = level
    self.format = format
  }
}
