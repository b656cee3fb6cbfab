import Configuration
import Engine

/// The one visible list of plugins.
enum BuiltIn {
  static let declarations: [PluginDeclaration] = []
  static let catalog = PluginCatalog([])
}
