public import Configuration

/// A route as it is written, before the names in it are looked up.
public struct RouteDraft: Sendable {
  public var settings: RouteSettings
  public var plugins: [PluginStep]
  public var upstream: UpstreamReference?
  public var respond: RespondSettings?
  public var redirect: RedirectSettings?
  public var split: SplitDraft?
  public var fallback: FallbackDraft?
  public var mirror: MirrorDraft?
  public var models: ModelRouteSettings?
  public var mcp: MCPRouteSettings?

  public init(_ settings: RouteSettings = RouteSettings(name: "")) {
    self.settings = settings
    plugins = PluginStep.steps(of: settings.plugins)
  }

  /// - Parameter plugins: those that the process knows.
  public static func section(plugins: [PluginDeclaration]) -> Section<RouteDraft> {  // long: keywords
    Section(
      "route", RouteDraft(), "Which requests are meant, and what becomes of them. Routes have no order.",
      [
        Keyword("match", \.settings.matches, .matches, required: true, "Which requests are meant."),
        Keyword("plugins", \.plugins, .plugins(plugins), "What runs before the handler, in this order."),
        Keyword("upstream", \.upstream, .upstreamReference, "Handler: the name of an upstream, or a target's URL."),
        Keyword("split", \.split, .section(SplitDraft.section), "Handler: several upstreams, each with its share."),
        Keyword("respond", \.respond, .section(RespondSettings.section), "Handler: a fixed answer."),
        Keyword("redirect", \.redirect, .section(RedirectSettings.section), "Handler: sends the client elsewhere."),
        Keyword("ai", \.models, .section(ModelRouteSettings.section), "Handler: models, in their clients' dialects."),
        Keyword(
          "mcp", \.mcp, .section(MCPRouteSettings.section),
          "Handler: servers of the Model Context Protocol, each at its name below the path."),
        Keyword(
          "rewrite", \.settings.rewrite, .section(RewriteSettings.section), "How the request is changed on its way."),
        Keyword(
          "priority", \.settings.priority, .choice,
          "When the gateway cannot keep up, background is refused first, then normal, and critical last."),
        Keyword(
          "fallback", \.fallback, .section(FallbackDraft.section),
          "What becomes of a call that the upstream cannot answer, or answers with an error."),
        Keyword(
          "mirror", \.mirror, .section(MirrorDraft.section),
          "Sends copies of requests to another upstream, whose answers nobody sees."),
        Keyword(
          "version", \.settings.version, .section(VersionSettings.section),
          "Which version of an API the route is, and how long it stays."),
        Keyword("limits", \.settings.limits, .section(RouteLimitSettings.section), "Limits of this route."),
        Keyword("timeouts", \.settings.timeouts, .section(RouteTimeoutSettings.section), "Timeouts of this route."),
        Keyword(
          "encoded_slashes", \.settings.encodedSlashes, .choice,
          "Whether %2F in a path is refused with 400 or kept as it is."),
        Keyword(
          "empty_segments", \.settings.emptySegments, .choice,
          "Whether // in a path is refused with 400, merged into one slash, or forwarded as it is; routes are matched "
            + "without it."),
        Keyword(
          "grpc_web", \.settings.translatesGRPCWeb, .boolean,
          "Whether calls of gRPC-Web become calls of gRPC for the upstream."),
      ],
      check: { route, _, reading in route.checkSlashes(&reading) },
      checkKeys: { route, node, reading in route.checkHandler(node, &reading) })
  }

  private static let handlers = ["upstream", "split", "respond", "redirect", "ai", "mcp"]

  private func checkHandler(_ node: Node, _ reading: inout Reading) {
    let handlers = Self.handlers.filter { node.value(for: $0) != nil }
    if handlers.isEmpty {
      // A key that was misspelt has been told already.
      if node.entries.contains(where: { NearestWord.find($0.key.text, in: Self.handlers) != nil }) { return }
      reading.error(
        "route `\(settings.name)` has no handler", at: settings.position,
        expected: "one of \(Self.handlers.joined(separator: ", "))")
    } else if handlers.count > 1 {
      reading.error(
        "route `\(settings.name)` has \(handlers.count) handlers: \(handlers.map { "`\($0)`" }.joined(separator: " and "))",
        at: settings.position, expected: "one of them")
    }
    guard !handlers.contains("upstream"), !handlers.contains("split") else { return }
    let foreign =
      handlers.contains("ai") || handlers.contains("mcp")
      ? ["rewrite", "fallback", "mirror"] : ["rewrite", "timeouts", "fallback", "mirror"]
    for word in foreign where node.value(for: word) != nil {
      reading.error(
        "`\(word)` means nothing to route `\(settings.name)`, which forwards nothing", at: settings.position,
        expected: "it only with `upstream` or `split`")
    }
  }
}

extension RouteDraft {
  /// Warns of templates that no request can match as long as encoded slashes are refused.
  private func checkSlashes(_ reading: inout Reading) {
    guard settings.encodedSlashes == .refuse else { return }
    for match in settings.matches {
      for path in match.paths where path.contains("%2F") || path.contains("%5C") {
        reading.warning(
          "`\(Printable(path))` matches nothing: a request with an encoded slash is refused", at: match.position,
          expected: "`encoded_slashes: keep` in route `\(settings.name)`")
      }
    }
  }
}

extension RewriteSettings {
  public static let section = Section(
    "rewrite", RewriteSettings(), "How a request is changed on its way to the upstream.",
    [
      Keyword(
        "strip_prefix", \.stripPrefix, .plainPath,
        "Taken off the front of the path, as whole segments, when it is there."),
      Keyword("prefix", \.prefix, .plainPath, "Put in front of the path, after that."),
      Keyword("path", \.path, .plainPath, "Instead of the whole path."),
      Keyword("host", \.host, .hostHeader, "The Host that the upstream sees; without it the client's is kept."),
    ]
  ) { rewrite, node, reading in
    guard rewrite.path != nil, rewrite.prefix != nil || rewrite.stripPrefix != nil else { return }
    reading.error(
      "`path` replaces what `prefix` and `strip_prefix` would change", at: (node.value(for: "path") ?? node).position,
      expected: "`path`, or the other two")
  }
}

extension RouteTimeoutSettings {
  public static let section = Section(
    "timeouts", RouteTimeoutSettings(), "Timeouts of this route, instead of the upstream's.",
    [
      Keyword(
        "connect", \.connect, .duration,
        "To open a connection for a call of this route; an HTTP/2 connection, which calls share, has the upstream's."),
      Keyword(
        "first_byte", \.firstByte, .duration, "From the end of the request to the answer's first byte; beyond: 504."),
      Keyword("idle", \.idle, .duration, "The longest silence of a target in the middle of an answer."),
      Keyword("total", \.total, .duration, "The whole call with its retries, unless it is a stream."),
      Keyword("tunnel", \.tunnel, .duration, "The longest silence of a WebSocket, both ways."),
    ])
}

extension ValueType where Value == String {
  /// A path without patterns, without a query; in the normal form in which requests are matched.
  fileprivate static var plainPath: ValueType {
    scalar(ScalarShape("path", expectation: "a path such as /api, without a query and without patterns"), text: { $0 })
    { text throws(ScalarMistake) in
      let path = try PathTemplate.read(text, expected: "a path such as /api, without a query and without patterns")
      guard path.parameterNames.isEmpty, !path.takesRest else { throw .malformed }
      return path.description
    }
  }

  /// A value for `Host`.
  fileprivate static var hostHeader: ValueType {
    scalar(ScalarShape("host", expectation: "a name with or without a port, such as api.internal:8080"), text: { $0 }) {
      text throws(ScalarMistake) in
      guard let (host, _) = HostPort.split(text),
        HostName.pattern(text.hasPrefix("[") ? "[\(host)]" : host)?.isWildcard == false
      else { throw .malformed }
      return text
    }
  }
}
