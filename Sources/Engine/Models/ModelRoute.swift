import AI
import Configuration

/// A route with models on one worker: which there are, and who runs them.
final class ModelRoute {
  let settings: ModelRouteSettings
  private let providers: [String: ModelProvider]
  private let aliases: [String: ModelName]
  /// What the list of models shows, in order.
  let names: [String]

  init(_ settings: ModelRouteSettings, _ models: ModelSettings?, _ pools: [UpstreamPool]) {
    self.settings = settings
    var providers: [String: ModelProvider] = [:]
    for provider in models?.providers ?? [] where pools.indices.contains(provider.upstream) {
      providers[provider.name] = ModelProvider(provider, models?.prices ?? [], pools[provider.upstream])
    }
    self.providers = providers
    var aliases: [String: ModelName] = [:]
    for alias in models?.aliases ?? [] { if let model = alias.model { aliases[alias.name] = model } }
    self.aliases = aliases
    names = (models?.aliases ?? []).map(\.name)
  }

  func accepts(_ front: Front) -> Bool {
    switch front {
    case .chat, .responses: settings.accept.contains(.openai)
    case .messages: settings.accept.contains(.anthropic)
    case .generate: settings.accept.contains(.gemini)
    }
  }

  /// Who runs the model that a client asks for, by an alias or as `PROVIDER/MODEL`.
  func find(_ name: String) -> (provider: ModelProvider, model: ModelName)? {
    guard let model = aliases[name] ?? ModelName(name), let provider = providers[model.provider] else { return nil }
    return (provider, model)
  }
}

/// A provider on one worker.
final class ModelProvider {
  let settings: ProviderSettings
  let pool: UpstreamPool
  private let keys: [String]
  private var turn = 0
  private let prices: [String: PriceSettings]

  init(_ settings: ProviderSettings, _ prices: [PriceSettings], _ pool: UpstreamPool) {
    self.settings = settings
    self.pool = pool
    keys = settings.keys.map { $0.reveal() }
    self.prices = Dictionary(
      prices.filter { $0.model.provider == settings.name }.map { ($0.model.model, $0) },
      uniquingKeysWith: { first, _ in first })
  }

  func price(of model: String) -> PriceSettings? { prices[model] }

  /// Each key in its turn.
  func nextKey() -> String? {
    if keys.isEmpty { return nil }
    turn = (turn + 1) % keys.count
    return keys[turn]
  }
}
