import Configuration

/// A route with servers becomes one route for each, and one that refuses what names none of them.
extension RouteSettings {
  /// - Parameter upstream: the index of a server's upstream.
  func routes(for mcp: MCPRouteSettings, _ reading: inout Reading, upstream: (MCPServerSettings) -> Int)
    -> [RouteSettings]
  {
    var routes: [RouteSettings] = []
    for server in mcp.servers {
      guard let url = server.url else { continue }
      var route = self
      route.name = "\(name)/\(server.name)"
      route.matches = matches.map { match in
        var match = match
        match.paths = match.paths.map { Self.path($0, server.name) }
        return match
      }
      route.handler = .upstream(upstream(server))
      route.mcp = MCPTarget(server, origins: mcp.origins)
      // A server checks whom it is called as, so that no page can call it under another name.
      route.rewrite = RewriteSettings(path: url.target, host: url.hostField)
      routes.append(route)
    }
    var other = self
    other.handler = .respond(RespondSettings(status: 404))
    other.mcp = MCPTarget(nil, origins: mcp.origins)
    return routes + [other]
  }

  func checkPaths(of mcp: MCPRouteSettings, _ reading: inout Reading) {
    for match in matches where match.paths.contains(where: { !$0.hasSuffix("/*") }) {
      reading.error(
        "the servers of route `\(name)` have paths below the route's", at: match.position,
        expected: "a path that ends in /*, such as /mcp/*")
    }
    if mcp.servers.isEmpty, !reading.diagnostics.hasErrors {
      reading.error("route `\(name)` has no server", at: position, expected: "`servers: { NAME: https://… }`")
    }
  }

  private static func path(_ pattern: String, _ server: String) -> String {
    pattern.hasSuffix("/*") ? "\(pattern.dropLast())\(server)" : pattern
  }
}

/// What a route of an MCP server knows of it; no server where the path names none.
public struct MCPTarget: Sendable, Equatable {
  public var server: MCPServerSettings?
  public var origins: [String]

  init(_ server: MCPServerSettings?, origins: [String]) {
    self.server = server
    self.origins = origins
  }
}
