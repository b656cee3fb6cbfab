import Configuration
import Engine

/// The one visible list of plugins.
enum BuiltIn {
  static let declarations: [PluginDeclaration] = []
  static let catalog = PluginCatalog([])

  /// A configuration file as this executable reads it.
  static func source(_ file: String) -> ConfigurationSource {
    ConfigurationSource(file: file, declarations: declarations, catalog: catalog)
  }
}
