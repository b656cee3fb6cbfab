public import Configuration
import PluginKit

/// A configuration as it is written, before its parts are held against each other.
public struct GatewayDraft: Sendable {
  public var settings = GatewaySettings()
  public var routes: [RouteDraft] = []
  /// What runs before every route's own plugins.
  public var plugins: [PluginStep] = []
  public var pluginSets: [PluginSetDraft] = []
  /// Where `call_log` is said; nil when nowhere.
  public var callLogPosition: Position?
  /// Where `limits.connections` is said.
  public var connectionsPosition: Position?

  public init() {}

  /// The draft that these settings would come from.
  public init(_ settings: GatewaySettings) {
    self.settings = settings
    routes = settings.routes.map { route in
      var draft = RouteDraft(route)
      let name = { (index: Int) -> UpstreamReference? in
        settings.upstreams.indices.contains(index) ? .name(settings.upstreams[index].name, .none) : nil
      }
      switch route.handler {
      case .upstream(let index): draft.upstream = name(index)
      case .split(let split):
        draft.split = SplitDraft(
          by: split.by, to: split.to.map { SplitDraft.Part(upstream: name($0.upstream), weight: $0.weight) })
      case .respond(let answer): draft.respond = answer
      case .redirect(let answer): draft.redirect = answer
      case .models(let models): draft.models = models
      }
      if let fallback = route.fallback {
        switch fallback.way {
        case .respond(let answer): draft.fallback = FallbackDraft(when: fallback.when, respond: answer)
        case .upstream(let index): draft.fallback = FallbackDraft(when: fallback.when, upstream: name(index))
        }
      }
      if let mirror = route.mirror {
        draft.mirror = MirrorDraft(upstream: name(mirror.upstream), limits: mirror.limits)
      }
      return draft
    }
    self.settings.upstreams.removeAll(where: \.isSpeltOut)
    plugins = PluginStep.steps(of: settings.plugins)
    pluginSets = settings.pluginSets.map { PluginSetDraft($0) }
  }

  /// Sections that several files may have, each adding to what the others say.
  static let shared: Set<String> = [
    "include", "listeners", "upstreams", "stores", "routes", "plugins", "plugin_sets", "trusted_proxies", "consumers",
  ]

  /// The whole language.
  ///
  /// - Parameter plugins: those that the process knows.
  public static func section(plugins: [PluginDeclaration]) -> Section<GatewayDraft> {
    Section(
      "the configuration", GatewayDraft(), "What the gateway does.",
      places + parties + parts(plugins: plugins) + process)
  }

  private static let places: [Keyword<GatewayDraft>] = [
    Keyword(
      "include", shape: .list(of: .scalar(ScalarShape("path", expectation: "a path or a pattern"))),
      "Further files; paths and patterns such as routes/*.conf, relative to this file.", read: { _, _, _ in },
      describe: { _ in nil }),
    Keyword(
      "listeners",
      .named(
        ListenerSettings.section, name: \.name,
        locate: {
          $0.name = $1
          $0.position = $2
        }),
      "Addresses that clients connect to.", get: { $0.settings.listeners }, set: { $0.settings.listeners += $1 }),
    Keyword("admin", \.settings.admin, .section(AdminSettings.section), "The port for operators."),
    Keyword("limits", \.settings.limits, .section(LimitSettings.section), "How much a client may ask for.")
      .noting(\.connectionsPosition, of: "connections"),
    Keyword(
      "overload", \.settings.overload, .section(OverloadSettings.section),
      "When requests are refused because the gateway itself cannot keep up."),
    Keyword(
      "call_log", \.settings.callLog, .section(CallLogSettings.section),
      "Where the record of every call goes; nowhere without it."
    )
    .noting(\.callLogPosition),
  ]

  private static let parties: [Keyword<GatewayDraft>] = [
    Keyword(
      "upstreams",
      .named(
        UpstreamSettings.section, name: \.name,
        locate: {
          $0.name = $1
          $0.position = $2
        }),
      "Services behind the gateway.", get: { $0.settings.upstreams }, set: { $0.settings.upstreams += $1 }),
    Keyword(
      "stores",
      .named(
        StoreSettings.section, name: \.name,
        locate: {
          $0.name = $1
          $0.position = $2
        }),
      "Stores that several gateways share, for plugins with `store: NAME`.", get: { $0.settings.stores },
      set: { $0.settings.stores += $1 }),
    Keyword(
      "consumers",
      .named(
        ConsumerSettings.section, name: \.name,
        locate: {
          $0.name = $1
          $0.position = $2
        }),
      "Callers who have a name, and how they prove it to api_key, jwt, basic and client_certificate.",
      get: { $0.settings.consumers }, set: { $0.settings.consumers += $1 }),
  ]

  private static func parts(plugins: [PluginDeclaration]) -> [Keyword<GatewayDraft>] {
    [
      Keyword(
        "plugins", .plugins(plugins), "What runs before every route's own plugins, in this order.",
        get: { $0.plugins }, set: { $0.plugins += $1 }),
      Keyword(
        "ai", \.settings.models, .section(ModelSettings.section), "Models that clients may ask."),
      Keyword(
        "plugin_sets", .pluginSets(plugins), "Lists of plugins by name, for `- use: NAME` in any list of plugins.",
        get: { $0.pluginSets }, set: { $0.pluginSets += $1 }),
      Keyword(
        "routes",
        .named(
          RouteDraft.section(plugins: plugins), name: \.settings.name,
          locate: {
            $0.settings.name = $1
            $0.settings.position = $2
          }),
        "Which requests go where.", get: { $0.routes }, set: { $0.routes += $1 }),
    ]
  }

  private static let process: [Keyword<GatewayDraft>] = [
    Keyword(
      "trusted_proxies", .list(of: .addressRange), "Whose Forwarded and X-Forwarded-* are believed.",
      get: { $0.settings.trustedProxies }, set: { $0.settings.trustedProxies += $1 }),
    Keyword("workers", \.settings.workers, .integer(in: 1...256), "Event loops; one for each core by default."),
    Keyword(
      "drain_delay", \.settings.drain.delay, .duration(in: 0 ... .hours(1)),
      "On SIGTERM: how long /readyz fails before connections are turned away."),
    Keyword(
      "drain_limit", \.settings.drain.limit, .duration(in: 0 ... .hours(24)),
      "How long what is in flight may take after that."),
    Keyword(
      "upgrade_limit", \.settings.drain.upgradeLimit, .duration(in: .milliseconds(10) ... .seconds(600)),
      "How long the new process of an upgrade may take until it is ready."),
    Keyword(
      "resolver", \.settings.resolver, .section(ResolverSettings.section), "How names of targets become addresses."),
    Keyword("log", \.settings.log, .section(LogSettings.section), "The process's own log, on standard error."),
  ]
}

extension Keyword where Settings == GatewayDraft {
  /// The same keyword, which also keeps where it, or a key within it, was said.
  fileprivate func noting(
    _ property: any WritableKeyPath<GatewayDraft, Position?> & Sendable, of key: String? = nil
  ) -> Keyword {
    Keyword(
      name, shape: shape, required: isRequired, help,
      read: { [read] node, draft, reading in
        let said = if let key { node.value(for: key) } else { node }
        draft[keyPath: property] = said?.position
        read(node, &draft, &reading)
      },
      describe: describe)
  }
}

extension ResolverSettings {
  public static let section = Section(
    "resolver", ResolverSettings(), "How names of targets become addresses.", shorthand: "servers",
    [
      Keyword(
        "servers", \.servers, .list(of: .nameServer, maximum: 16), "Name servers, instead of those of /etc/resolv.conf."
      ),
      Keyword(
        "timeout", \.timeout, .duration(in: .milliseconds(10) ... .minutes(1)), "For one question to one server."),
      Keyword("attempts", \.attempts, .integer(in: 1...10), "How often each server is asked."),
    ])
}

extension LogSettings {
  public static let section = Section(
    "log", LogSettings(), "The process's own log, on standard error.", shorthand: "level",
    [
      Keyword("level", \.level, .choice, "What is worth a line."),
      Keyword("format", \.format, .choice, "auto is text on a terminal and JSON elsewhere."),
    ])
}
