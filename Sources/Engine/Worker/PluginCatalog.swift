import Configuration
public import PluginKit

/// The plugins that a configuration may name; the one visible list is made by the executable.
public struct PluginCatalog: Sendable {
  private let definitions: [String: PluginDefinition]

  public init(_ definitions: [PluginDefinition]) {
    self.definitions = Dictionary(definitions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func definition(of entry: PluginEntry) -> PluginDefinition? { definitions[entry.name] }
}

/// The entries of a configuration with what the instances of each share, compiled once for all workers.
struct CompiledPlugins: Sendable {
  /// Those that run before every route's own.
  private(set) var common: [CompiledPlugin] = []
  /// By the index of the route; empty when no route has any.
  private var routes: [[CompiledPlugin]] = []
  /// What is shared, by where it was written: an entry of a plugin set stands once, however many routes use it.
  private var shared: [PluginOrigin: SharedPart] = [:]
  private let catalog: PluginCatalog
  private let stores: Set<String>

  private struct SharedPart: Sendable {
    let plugin: String
    let settings: Description
    let value: any Sendable
  }

  /// - Parameter previous: whose shared parts live on where an entry's settings did not change.
  init(_ settings: GatewaySettings, _ catalog: PluginCatalog, previous: CompiledPlugins?) throws(SnapshotError) {
    self.catalog = catalog
    stores = Set(settings.stores.map(\.name))
    var known = previous?.shared ?? [:]
    common = try compile(settings.plugins, &known)
    guard settings.routes.contains(where: { !$0.plugins.isEmpty }) else { return }
    routes.reserveCapacity(settings.routes.count)
    for route in settings.routes { routes.append(try compile(route.plugins, &known)) }
  }

  /// Those that count what callers use up, each once.
  var spendSources: [any SpendSource] {
    var seen: Set<ObjectIdentifier> = []
    return ([common] + routes).joined().compactMap { $0.shared as? any SpendSource }
      .filter { seen.insert(ObjectIdentifier($0)).inserted }
  }

  /// Those of the shared parts that hold answers.
  var answerStores: [any AnswerStore] { shared.values.compactMap { $0.value as? any AnswerStore } }

  func ofRoute(_ index: Int) -> [CompiledPlugin] { routes.isEmpty ? [] : routes[index] }

  /// An instance of an entry with a state of its own, to judge a sample request; nil for an unknown name.
  func rehearse(_ entry: PluginEntry, _ services: any WorkerServices) throws(PluginError) -> (any Plugin)? {
    guard let definition = catalog.definition(of: entry) else { return nil }
    return definition.instance(try definition.share(definition.rehearsal(of: entry.settings)), services)
  }

  private mutating func compile(
    _ entries: [PluginEntry], _ known: inout [PluginOrigin: SharedPart]
  ) throws(SnapshotError) -> [CompiledPlugin] {
    var compiled: [CompiledPlugin] = []
    for entry in entries {
      guard let definition = catalog.definition(of: entry) else { continue }
      for name in definition.stores(of: entry.settings) where !stores.contains(name) {
        throw SnapshotError(
          position: entry.position,
          message:
            "`\(entry.name)` uses the store `\(name)`, which `stores` does not have: `stores: { \(name): redis://… }`")
      }
      do {
        compiled.append(CompiledPlugin(definition: definition, shared: try share(entry, definition, &known)))
      } catch {
        throw SnapshotError(position: entry.position, message: "`\(entry.name)` cannot run: \(error.message)")
      }
    }
    return compiled
  }

  private mutating func share(
    _ entry: PluginEntry, _ definition: PluginDefinition, _ known: inout [PluginOrigin: SharedPart]
  ) throws(PluginError) -> any Sendable {
    guard definition.hasShared, let origin = entry.origin else { return try definition.share(entry.settings) }
    if let there = shared[origin] { return there.value }
    let settings = definition.declaration.describe(entry.settings)
    // The same place of the list first: an entry may have moved within its list, but mostly it did not.
    let kept =
      known[origin].flatMap { $0.plugin == entry.name && $0.settings == settings ? origin : nil }
      ?? known.first {
        $0.key.list == origin.list && $0.value.plugin == entry.name && $0.value.settings == settings
      }?.key
    let value =
      if let kept, let part = known.removeValue(forKey: kept) { part.value } else {
        try definition.share(entry.settings)
      }
    shared[origin] = SharedPart(plugin: entry.name, settings: settings, value: value)
    return value
  }
}

/// One entry of the configuration, for every worker to make its instance of.
struct CompiledPlugin: Sendable {
  let definition: PluginDefinition
  let shared: any Sendable

  func instance(_ services: any WorkerServices) -> any Plugin { definition.instance(shared, services) }
}
