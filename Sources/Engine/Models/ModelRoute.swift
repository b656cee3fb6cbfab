import AI
import Configuration
import Kernel
import PluginKit

/// A route with models on one worker: which there are, and who runs them.
final class ModelRoute {
  let settings: ModelRouteSettings
  private let providers: [String: ModelProvider]
  private let aliases: [String: ModelAlias]
  /// What the list of models shows, in order.
  let names: [String]

  /// The prompt that it answers with, in the place of dialects.
  let prompt: Prompt?

  init(
    _ settings: ModelRouteSettings, _ models: ModelSettings?, _ pools: [UpstreamPool], promptAnswers: ModelAnswerStore
  ) {
    self.settings = settings
    prompt = models?.prompts.first { $0.name == settings.prompt }.map { Prompt($0, promptAnswers) }
    let named = Set((models?.references ?? []) + (models?.asked ?? []))
    var providers: [String: ModelProvider] = [:]
    for provider in models?.providers ?? [] where pools.indices.contains(provider.upstream) {
      providers[provider.name] = ModelProvider(provider, models?.prices ?? [], named, pools[provider.upstream])
    }
    self.providers = providers
    aliases = Dictionary(
      (models?.aliases ?? []).map { ($0.name, ModelAlias($0)) }, uniquingKeysWith: { first, _ in first })
    names = (models?.aliases ?? []).map(\.name)
  }

  /// Who keeps files; nil: nobody does.
  var fileKeeper: ModelProvider? { settings.files.flatMap { providers[$0] } }

  func accepts(_ front: Front) -> Bool {
    switch front {
    case .chat, .responses: settings.accept.contains(.openai)
    case .messages: settings.accept.contains(.anthropic)
    case .generate: settings.accept.contains(.gemini)
    }
  }

  /// Who is to be asked for what a client calls a model, by a name of the configuration or as `PROVIDER/MODEL`: the
  /// first, and who comes when that fails. Nobody when there is no such model.
  func candidates(
    for name: String, _ exchange: inout Exchange, _ random: inout SplitMix
  ) -> (candidates: [ModelCandidate], timeouts: ModelTimeouts) {
    candidates(for: name, &random) { value in
      let hash = value.hash(in: exchange, seed: UpstreamSplit.seed)
      // Who acts for nobody else is the user.
      return hash == nil && value == .user ? RequestValue.consumer.hash(in: exchange, seed: UpstreamSplit.seed) : hash
    }
  }

  /// Whether a client may ask for it: a name of the configuration, or of a provider's model.
  func has(_ name: String) -> Bool {
    aliases[name] != nil || ModelName(name).map { providers[$0.provider] != nil } ?? false
  }

  /// - Parameter share: the hash by which splits decide; without one they draw.
  func candidates(
    for name: String, _ random: inout SplitMix, share: (RequestValue) -> UInt64? = { _ in nil }
  ) -> (candidates: [ModelCandidate], timeouts: ModelTimeouts) {
    var found: [ModelCandidate] = []
    if let alias = aliases[name] {
      add(alias, to: &found, share, &random)
      return (found, alias.settings.timeouts)
    }
    if let model = ModelName(name) { add(.model(model), to: &found, share, &random) }
    return (found, ModelTimeouts())
  }

  private func add(
    _ alias: ModelAlias, to found: inout [ModelCandidate], _ share: (RequestValue) -> UInt64?,
    _ random: inout SplitMix
  ) {
    if let first = alias.choose(share, &random) { add(first, to: &found, share, &random) }
    for next in alias.settings.fallbacks { add(next, to: &found, share, &random) }
  }

  private func add(
    _ reference: ModelReference, to found: inout [ModelCandidate], _ share: (RequestValue) -> UInt64?,
    _ random: inout SplitMix
  ) {
    if found.count == Self.mostCandidates { return }
    switch reference {
    case .alias(let name): if let alias = aliases[name] { add(alias, to: &found, share, &random) }
    case .model(let model):
      guard let provider = providers[model.provider], !found.contains(where: { $0.model == model }) else { return }
      found.append(ModelCandidate(provider: provider, model: model))
    }
  }

  private static let mostCandidates = 32
}

/// Somebody who may answer a call.
struct ModelCandidate {
  let provider: ModelProvider
  let model: ModelName
}

/// A name that clients ask for, on one worker.
private struct ModelAlias {
  let settings: AliasSettings
  private let key: RequestValue?
  private let shares: WeightedShares?

  init(_ settings: AliasSettings) {
    self.settings = settings
    if case .value(let value)? = settings.split?.by { key = value } else { key = nil }
    shares = settings.split.map { WeightedShares($0.to.map(\.weight)) }
  }

  /// Who is asked first; who agrees in the split's value always meets the same.
  func choose(_ share: (RequestValue) -> UInt64?, _ random: inout SplitMix) -> ModelReference? {
    guard let split = settings.split, let shares else { return settings.model }
    let hash = key.flatMap(share) ?? random.next()
    return split.to[shares.index(of: hash)].model
  }
}

/// A provider on one worker.
final class ModelProvider {
  let settings: ProviderSettings
  let pool: UpstreamPool
  let endpoint: ProviderURL?
  let variant: ChatVariant
  let hasResponses: Bool
  private let keys: [String]
  private let limits: CircuitBreakerLimits
  private let prices: [String: PriceSettings]
  /// Models that the configuration names: of others, which clients make up, nothing is kept.
  private let named: Set<String>

  init(_ settings: ProviderSettings, _ prices: [PriceSettings], _ named: Set<ModelReference>, _ pool: UpstreamPool) {
    self.settings = settings
    self.pool = pool
    endpoint = settings.endpoint
    variant = settings.variant
    hasResponses = settings.hasResponses
    keys = settings.keys.map { $0.reveal() }
    limits = CircuitBreakerLimits(settings.circuitBreaker)
    self.prices = Dictionary(
      prices.filter { $0.model.provider == settings.name }.map { ($0.model.model, $0) },
      uniquingKeysWith: { first, _ in first })
    self.named = Set(
      named.compactMap { reference in
        if case .model(let model) = reference, model.provider == settings.name { model.model } else { nil }
      })
  }

  private var health: ModelHealth { pool.upstream.models }

  /// By the configuration, or by the public price lists.
  func price(of model: String) -> PriceSettings? {
    prices[model]
      ?? ModelSettings.usualPrice(of: ModelName(provider: settings.name, model: model), at: settings)
  }

  /// Whether the configuration itself says what the model costs.
  func isPriced(_ model: String) -> Bool { prices[model] != nil }

  func key(for model: String, now: Int) -> ModelHealth.KeyChoice { health.key(of: keys, for: model, now: now) }

  /// Leaves a key alone that the provider refused, or limits.
  func block(_ key: String, for model: String?, until: Int, now: Int) {
    health.block(key, for: model, until: until, now: now)
  }

  func breaker(of model: String) -> CircuitBreaker? { named.contains(model) ? health.breaker(of: model, limits) : nil }
}
