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
  static func chain(_ entries: String..., of definitions: [PluginDefinition]) throws(Mistakes) -> Chain {
    try chain(ofFile: configuration(entries.joined(separator: "\n")), of: definitions)
  }

  /// The chain of a whole configuration's first route.
  static func chain(ofFile text: String, of definitions: [PluginDefinition]) throws(Mistakes) -> Chain {
    let loaded = load(text, definitions)
    guard let settings = loaded.settings else { throw Mistakes(text: loaded.diagnostics.text) }
    let entries = settings.plugins + settings.routes[0].plugins
    let worker = StillWorker()
    return Chain(
      entries.compactMap { entry in
        definitions.first { $0.name == entry.name }?.instance(entry.settings, worker)
      })
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
