import Configuration
import PluginKit

/// Upstreams that nobody has written down: of providers, servers, stores and whatever else is called by a URL.
extension GatewayCheck {
  /// Makes an upstream of each provider. Models take their time to answer.
  mutating func resolveProviders() {
    for index in settings.models?.providers.indices ?? 0..<0 {
      guard let provider = settings.models?.providers[index], let url = provider.endpoint else { continue }
      let timeouts = TimeoutSettings(connect: .seconds(5), firstByte: .minutes(10), idle: .minutes(5))
      // A stream holds its connection while the model talks: how many there may be is what limits of clients say.
      let connections = ConnectionSettings(maximum: Self.mostProviderConnections)
      settings.upstreams.append(
        UpstreamSettings(
          name: provider.upstreamName, targets: [url.target], timeouts: timeouts, connections: connections,
          position: provider.position))
      settings.models?.providers[index].upstream = settings.upstreams.count - 1
      used.insert(settings.upstreams.count - 1)
    }
  }

  private static var mostProviderConnections: Int { 65_536 }

  /// The upstream of a server. Sessions begin anywhere; `MCPSession` leads their calls to where they did.
  mutating func upstream(of server: MCPServerSettings) -> Int {
    guard let url = server.url else { return 0 }
    let targets = ([url] + server.replicas).map {
      TargetSettings(address: .host($0.host, port: $0.port), name: $0.authority, isSecure: $0.isSecure)
    }
    var upstream = UpstreamSettings(
      name: "mcp:\(server.name)", balance: .leastRequest, targets: targets,
      timeouts: TimeoutSettings(connect: .seconds(5), firstByte: .minutes(10), idle: .minutes(30)),
      tls: UpstreamTLSSettings(authority: server.authority), position: server.position)
    if let known = settings.upstreams.firstIndex(where: { $0.name == upstream.name }) {
      if settings.upstreams[known].targets == upstream.targets { return known }
      upstream.name += " (\(url.authority))"
    }
    settings.upstreams.append(upstream)
    used.insert(settings.upstreams.count - 1)
    return settings.upstreams.count - 1
  }

  /// A store is the one target of an upstream, so that its name is looked up and its TLS made as with any other.
  mutating func resolveStores() {
    for (index, store) in settings.stores.enumerated() {
      let target = TargetSettings(
        address: .host(store.url.host, port: store.url.port), name: store.url.authority, isSecure: store.url.isSecure)
      settings.stores[index].upstream = settings.upstreams.count
      used.insert(settings.upstreams.count)
      settings.upstreams.append(
        UpstreamSettings(name: "store:\(store.name)", targets: [target], tls: store.tls, position: store.position))
    }
  }

  /// Makes an upstream of each service that plugins call, once for all that call it.
  mutating func resolveServices() {
    var known: Set<String> = []
    for entry in settings.plugins + settings.routes.flatMap(\.plugins) {
      for service in (entry.settings as? any ServiceCalling)?.services ?? []
      where known.insert(service.upstream).inserted {
        let target = TargetSettings(
          address: .host(service.url.host, port: service.url.port), name: service.url.authority,
          isSecure: service.url.isSecure)
        used.insert(settings.upstreams.count)
        settings.upstreams.append(
          UpstreamSettings(
            name: service.upstream, targets: [target], tls: UpstreamTLSSettings(authority: service.authority),
            position: entry.position))
      }
    }
  }
}
