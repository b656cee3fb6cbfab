public import PluginKit

/// The plugins that a configuration may name; the one visible list is made by the executable.
public struct PluginCatalog: Sendable {
  private let definitions: [String: PluginDefinition]

  public init(_ definitions: [PluginDefinition]) {
    self.definitions = Dictionary(definitions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func instances(of entries: [PluginEntry], services: any WorkerServices) -> [PluginInstance] {
    entries.compactMap { entry in
      definitions[entry.name].map {
        PluginInstance(name: entry.name, plugin: $0.instance(entry.settings, services))
      }
    }
  }
}

/// One entry of the configuration on one worker.
struct PluginInstance {
  let name: String
  let plugin: any Plugin
}
