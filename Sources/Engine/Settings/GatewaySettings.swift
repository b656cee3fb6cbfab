public import Configuration
public import PluginKit

/// Everything that a configuration says, checked and with defaults filled in: the value that the engine compiles
/// into what its workers run.
public struct GatewaySettings: Sendable {
  public var listeners: [ListenerSettings]
  /// Nil: no admin port.
  public var admin: AdminSettings?
  public var limits: LimitSettings
  public var overload: OverloadSettings
  public var callLog: CallLogSettings
  /// A route names its upstream by its index here. Those that a route spells out as a URL stand at the end.
  public var upstreams: [UpstreamSettings]
  public var stores: [StoreSettings]
  public var routes: [RouteSettings]
  /// Nil: none.
  public var models: ModelSettings?
  /// They run before every route's own.
  public var plugins: [PluginEntry]
  /// Lists of plugins that the others name; what names them has their entries already.
  public var pluginSets: [PluginSetSettings]
  /// Callers who have a name.
  public var consumers: [ConsumerSettings] = []
  /// Whose `Forwarded` and `X-Forwarded-*` are believed.
  public var trustedProxies: [AddressRange]
  /// Event loops. Nil: one for each core that the process may use.
  public var workers: Int?
  public var drain: DrainSettings
  public var resolver: ResolverSettings
  public var log: LogSettings

  public init(
    listeners: [ListenerSettings] = [],
    admin: AdminSettings? = nil,
    limits: LimitSettings = LimitSettings(),
    overload: OverloadSettings = OverloadSettings(),
    callLog: CallLogSettings = CallLogSettings(),
    upstreams: [UpstreamSettings] = [],
    stores: [StoreSettings] = [],
    routes: [RouteSettings] = [],
    models: ModelSettings? = nil,
    plugins: [PluginEntry] = [],
    pluginSets: [PluginSetSettings] = [],
    trustedProxies: [AddressRange] = [],
    workers: Int? = nil,
    drain: DrainSettings = DrainSettings(),
    resolver: ResolverSettings = ResolverSettings(),
    log: LogSettings = LogSettings()
  ) {
    self.listeners = listeners
    self.admin = admin
    self.limits = limits
    self.overload = overload
    self.callLog = callLog
    self.upstreams = upstreams
    self.stores = stores
    self.routes = routes
    self.models = models
    self.plugins = plugins
    self.pluginSets = pluginSets
    self.trustedProxies = trustedProxies
    self.workers = workers
    self.drain = drain
    self.resolver = resolver
    self.log = log
  }
}

/// How the process leaves on SIGTERM, or for a successor.
public struct DrainSettings: Sendable, Equatable {
  /// How long `/readyz` fails before connections are turned away, so that balancers in front notice.
  public var delay: Nanoseconds
  /// How long what is in flight may take after that; then it is cut.
  public var limit: Nanoseconds
  /// How long a successor may take until it is ready.
  public var upgradeLimit: Nanoseconds

  public init(
    delay: Nanoseconds = 0, limit: Nanoseconds = .seconds(30), upgradeLimit: Nanoseconds = .seconds(30)
  ) {
    self.delay = delay
    self.limit = limit
    self.upgradeLimit = upgradeLimit
  }
}

/// How the names of targets become addresses.
public struct ResolverSettings: Sendable, Equatable {
  /// `ADDRESS` or `ADDRESS:PORT`. Empty: those of /etc/resolv.conf.
  public var servers: [String]
  /// For one question to one server.
  public var timeout: Nanoseconds
  /// How often each server is asked.
  public var attempts: Int

  public init(servers: [String] = [], timeout: Nanoseconds = .seconds(2), attempts: Int = 2) {
    self.servers = servers
    self.timeout = timeout
    self.attempts = attempts
  }
}

/// The process's own log, on standard error; calls have a log of their own.
public struct LogSettings: Sendable, Equatable {
  public enum Level: String, Sendable, CaseIterable { case trace, debug, info, warning, error }
  /// `auto` is text on a terminal and JSON elsewhere.
  public enum Format: String, Sendable, CaseIterable { case auto, text, json }

  public var level: Level
  public var format: Format

  public init(level: Level = .info, format: Format = .auto) {
    self.level = level
    self.format = format
  }
}
