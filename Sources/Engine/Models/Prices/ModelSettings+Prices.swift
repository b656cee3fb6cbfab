import Configuration
import Kernel
import PluginKit

extension ModelSettings {
  /// What a model costs: by the configuration, by the public price lists, or nothing where this machine runs it.
  ///
  /// Nil: nobody knows.
  func price(of model: ModelName) -> PriceSettings? {
    if let own = prices.first(where: { $0.model == model }) { return own }
    guard let provider = providers.first(where: { $0.name == model.provider }) else { return nil }
    return Self.usualPrice(of: model, at: provider)
  }

  /// The price of a model to which the configuration gives none.
  static func usualPrice(of model: ModelName, at provider: ProviderSettings) -> PriceSettings? {
    if let listed = PriceList.price(of: model) { return listed }
    return provider.isOnThisMachine ? PriceSettings(model: model) : nil
  }

  /// Refuses a plugin that counts costs on a route whose models have none.
  func checkPrices(_ settings: GatewaySettings, _ catalog: PluginCatalog) throws(SnapshotError) {
    for route in settings.routes {
      guard case .models = route.handler else { continue }
      for entry in settings.plugins + route.plugins {
        guard catalog.definition(of: entry)?.needsPrices(entry.settings) == true else { continue }
        for case .model(let model) in references where price(of: model) == nil {
          throw SnapshotError(
            position: entry.position,
            message: "`\(entry.name)` counts what calls cost, and the model \(model.text) has no price: "
              + "`ai: { prices: { \(model.text): { input: …, output: … } } }`")
        }
      }
    }
  }
}

extension ProviderSettings {
  /// Whether its address is this machine's own.
  fileprivate var isOnThisMachine: Bool {
    guard let name = endpoint?.host else { return false }
    let host = name.hasPrefix("[") ? String(name.dropFirst().prefix { $0 != "]" }) : String(name.prefix { $0 != ":" })
    return host == "localhost" || IPAddress(host)?.isLoopback == true
  }
}
