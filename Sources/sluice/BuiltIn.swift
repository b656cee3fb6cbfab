import Configuration
import Engine
import PluginKit
import Plugins

/// The one visible list of plugins.
enum BuiltIn {
  static let plugins = [
    PluginDefinition(AICache.self),
    PluginDefinition(APIKey.self),
    PluginDefinition(AnyOf.self),
    PluginDefinition(Authorize.self),
    PluginDefinition(Basic.self),
    PluginDefinition(Budget.self),
    PluginDefinition(CORS.self),
    PluginDefinition(Cache.self),
    PluginDefinition(ClientCertificateLogin.self),
    PluginDefinition(Compress.self),
    PluginDefinition(Concurrency.self),
    PluginDefinition(Guardrails.self),
    PluginDefinition(Headers.self),
    PluginDefinition(IPAccess.self),
    PluginDefinition(Introspection.self),
    PluginDefinition(JWT.self),
    PluginDefinition(Mask.self),
    PluginDefinition(MessageSignature.self),
    PluginDefinition(Quota.self),
    PluginDefinition(RateLimit.self),
    PluginDefinition(RequestSize.self),
    PluginDefinition(TokenLimit.self),
    PluginDefinition(Trace.self),
    PluginDefinition(Transform.self),
    PluginDefinition(Validate.self),
  ]

  static let declarations = plugins.map(\.declaration)
  static let catalog = PluginCatalog(plugins)

  /// A configuration file as this executable reads it.
  static func source(_ file: String) -> ConfigurationSource {
    ConfigurationSource(file: file, declarations: declarations, catalog: catalog)
  }
}
