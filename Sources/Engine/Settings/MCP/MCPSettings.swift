public import Configuration

/// Servers of the Model Context Protocol behind one route: each has a path of its own below the route's.
public struct MCPRouteSettings: Sendable, Equatable {
  public var servers: [MCPServerSettings] = []
  /// Pages of other origins whose scripts may call, beside those of the gateway's own host.
  public var origins: [String] = []
}

/// A server, and which of its tools who may call.
public struct MCPServerSettings: Sendable, Equatable {
  public var name = ""
  public var url: ServiceURL?
  /// Other processes of the same server.
  public var replicas: [ServiceURL] = []
  /// Who must have signed its certificate. Nil: whom the system trusts.
  public var authority: AuthoritySettings?
  /// Tools for everybody; `*` at the end of a name is any rest.
  public var allow: [String] = []
  /// More tools for a consumer, and for a group.
  public var consumers: [(String, [String])] = []
  public var groups: [(String, [String])] = []
  public var position = Position.none

  /// Whether somebody may not call every tool.
  var isRestricted: Bool { !allow.isEmpty || !consumers.isEmpty || !groups.isEmpty }

  public static func == (one: MCPServerSettings, other: MCPServerSettings) -> Bool {
    one.name == other.name && one.url == other.url && one.replicas == other.replicas
      && one.authority == other.authority && one.allow == other.allow
      && one.consumers.elementsEqual(other.consumers, by: ==) && one.groups.elementsEqual(other.groups, by: ==)
  }
}

extension MCPRouteSettings {
  public static let section = Section(
    "mcp", MCPRouteSettings(), "Servers of the Model Context Protocol (Streamable HTTP).", shorthand: "servers",
    [
      Keyword(
        "servers", \.servers,
        .named(
          MCPServerSettings.section, name: \.name,
          locate: {
            $0.name = $1
            $0.position = $2
          }), required: true, "Each is at its name below the route's path."),
      Keyword(
        "origins", \.origins,
        .list(of: .text("origin", expectation: "an origin such as https://app.example.com", limit: 300), maximum: 100),
        "Pages of other origins whose scripts may call; no others may, as a browser could be tricked into it."),
    ])
}

extension MCPServerSettings {
  static let section = Section(
    "server", MCPServerSettings(), "A server of the Model Context Protocol.", shorthand: "url",
    [
      Keyword("url", \.url, .serviceURL, required: true, "Its endpoint."),
      Keyword(
        "replicas", \.replicas, .list(of: .serviceURL, maximum: 64),
        "Other processes of the same server, at the same path, which know it by the host of `url`."),
      Keyword(
        "authority", \.authority, .authority,
        "Who must have signed its certificate: PEM. Unset: whom the system trusts."),
      Keyword("allow", \.allow, .tools, "Tools that everybody may call. Unset, and no other list either: all."),
      Keyword("consumers", \.consumers, .toolLists, "More tools for a consumer."),
      Keyword("groups", \.groups, .toolLists, "More tools for those of a group."),
    ],
    check: { server, node, reading in
      for replica in server.replicas where replica.target != server.url?.target {
        reading.error(
          "the replica \(replica.text) has another path than `url`", at: node.position,
          expected: "the path \(server.url?.target ?? "/")")
      }
    })
}

extension ValueType where Value == [String] {
  /// Names of tools.
  fileprivate static var tools: ValueType {
    .list(of: .text("tool", expectation: "a tool's name, or its beginning and *", limit: 200), maximum: 1000)
  }
}

extension ValueType where Value == [(String, [String])] {
  fileprivate static var toolLists: ValueType {
    .map(key: .text("name", expectation: "a name", limit: 200), to: .tools)
  }
}
