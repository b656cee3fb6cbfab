public import Configuration
import Kernel

/// A name that clients ask for, and which models it means.
public struct AliasSettings: Sendable, Equatable {
  public var name: String
  /// Who is asked first; nil where a split says it.
  public var model: ModelReference?
  public var split: ModelSplit?
  /// Who is asked when that fails, in order.
  public var fallbacks: [ModelReference]
  public var timeouts: ModelTimeouts
  public var position: Position

  public init(
    name: String, model: ModelReference? = nil, split: ModelSplit? = nil, fallbacks: [ModelReference] = [],
    timeouts: ModelTimeouts = ModelTimeouts(), position: Position = .none
  ) {
    self.name = name
    self.model = model
    self.split = split
    self.fallbacks = fallbacks
    self.timeouts = timeouts
    self.position = position
  }

  /// Everything that it names.
  var references: [ModelReference] { (model.map { [$0] } ?? []) + (split?.to.map(\.model) ?? []) + fallbacks }

  /// Forgets what it names and is not there.
  mutating func drop(where isGone: (ModelReference) -> Bool) {
    if let named = model, isGone(named) { model = nil }
    split?.to.removeAll { isGone($0.model) }
    if split?.to.allSatisfy({ $0.weight == 0 }) == true { split = nil }
    fallbacks.removeAll(where: isGone)
    if model == nil, split == nil, !fallbacks.isEmpty { model = fallbacks.removeFirst() }
  }
}

/// A model as the configuration names it: one of a provider's, or another name that clients ask for.
public enum ModelReference: Sendable, Hashable {
  case model(ModelName)
  case alias(String)

  public var text: String {
    switch self {
    case .model(let name): name.text
    case .alias(let name): name
    }
  }
}

/// Divides the calls of a name among several models.
public struct ModelSplit: Sendable, Equatable {
  public struct Share: Sendable, Equatable {
    public var model: ModelReference
    /// In proportion to the others'; 0: none.
    public var weight: Int

    public init(model: ModelReference, weight: Int = 1) {
      self.model = model
      self.weight = weight
    }
  }

  public var by: SplitSettings.Key
  public var to: [Share]

  public init(by: SplitSettings.Key = .random, to: [Share] = []) {
    self.by = by
    self.to = to
  }
}

/// How long each part of a call of a model may take; nil: as providers usually need.
public struct ModelTimeouts: Sendable, Equatable {
  public var connect: Nanoseconds?
  /// Of a stream: from the request's last byte to the first of the answer itself.
  public var firstToken: Nanoseconds?
  /// Of a stream: the longest silence within it.
  public var betweenTokens: Nanoseconds?
  /// The whole call with all that is tried for it, streams too.
  public var total: Nanoseconds?

  public init() {}
}
