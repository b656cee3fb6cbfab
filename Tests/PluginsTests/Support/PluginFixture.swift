import Configuration
import Engine
import PluginKit

/// Makes plugins from what a configuration says of them, as the gateway does.
enum PluginFixture {
  /// What is wrong with this entry, as `check` prints it; empty when nothing is.
  static func mistakes<Kind: Plugin>(_ kind: Kind.Type, _ entry: String) -> String {
    load(configuration(entry), [PluginDefinition(kind)]).diagnostics.text
  }

  /// The chain of a configuration with these entries: `headers: {…}`, one a line.
  static func chain(
    _ entries: String..., of definitions: [PluginDefinition], on worker: StillWorker = StillWorker()
  ) throws(Mistakes) -> Chain {
    try chain(ofFile: configuration(entries.joined(separator: "\n")), of: definitions, on: worker)
  }

  /// The chain of a whole configuration's first route.
  static func chain(
    ofFile text: String, of definitions: [PluginDefinition], on worker: StillWorker = StillWorker()
  ) throws(Mistakes) -> Chain {
    let loaded = load(text, definitions)
    guard let settings = loaded.settings else { throw Mistakes(text: loaded.diagnostics.text) }
    let entries = settings.plugins + settings.routes[0].plugins
    return Chain(try instances(of: entries, definitions, on: worker))
  }

  /// The same on several workers, which share what the entries share.
  static func chains(_ entry: String, of definitions: [PluginDefinition], on workers: [StillWorker]) throws -> [Chain] {
    let loaded = load(configuration(entry), definitions)
    guard let settings = loaded.settings else { throw Mistakes(text: loaded.diagnostics.text) }
    let parts = try settings.plugins.compactMap { entry in
      try definitions.first { $0.name == entry.name }.map { ($0, try $0.share(entry.settings)) }
    }
    return workers.map { worker in Chain(parts.map { $0.0.instance($0.1, worker) }) }
  }

  private static func instances(
    of entries: [PluginEntry], _ definitions: [PluginDefinition], on worker: StillWorker
  ) throws(Mistakes) -> [any Plugin] {
    var instances: [any Plugin] = []
    for entry in entries {
      guard let definition = definitions.first(where: { $0.name == entry.name }) else { continue }
      do { instances.append(definition.instance(try definition.share(entry.settings), worker)) } catch {
        throw Mistakes(text: error.message)
      }
    }
    return instances
  }

  struct Mistakes: Error { let text: String }

  private static func configuration(_ entries: String) -> String {
    let plugins = entries.split(separator: "\n").map { "  - \($0)\n" }.joined()
    return """
      listeners: { public: "127.0.0.1:8080" }
      call_log: off
      plugins:
      \(plugins)
      routes: { all: { match: /*, upstream: "http://127.0.0.1:9101" } }
      """
  }

  private static func load(_ text: String, _ definitions: [PluginDefinition]) -> LoadedSettings {
    let files = ConfigurationFiles(read: { _, _ in .success(Array(text.utf8)) }, matching: { _ in [] })
    return GatewaySettings.load(
      file: "gateway.conf", environment: Environment([:]), files: files, plugins: definitions.map(\.declaration))
  }
}
