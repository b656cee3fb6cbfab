public import AI
import Configuration

/// Which models can be asked, and what they cost.
public struct ModelSettings: Sendable, Equatable {
  public var providers: [ProviderSettings]
  public var aliases: [AliasSettings]
  public var prices: [PriceSettings]
  public var prompts: [PromptSettings]
  /// Bytes that answers of prompts may take, once kept.
  public var promptCache: Int
  /// Models that plugins ask.
  var asked: [ModelReference] = []

  /// Optional ones that are left out.
  public internal(set) var missingProviders: Set<String> = []

  public init(
    providers: [ProviderSettings] = [], aliases: [AliasSettings] = [], prices: [PriceSettings] = [],
    prompts: [PromptSettings] = [], promptCache: Int = 64 << 20
  ) {
    self.providers = providers
    self.aliases = aliases
    self.prices = prices
    self.prompts = prompts
    self.promptCache = promptCache
  }
}

extension ModelSettings {
  /// Every model that the configuration names, under `models` and in prompts.
  var references: [ModelReference] {
    aliases.flatMap(\.references) + prompts.flatMap { $0.versions.compactMap(\.model) }
  }
}

/// A model of a provider: `PROVIDER/MODEL`.
public struct ModelName: Sendable, Hashable {
  public var provider: String
  public var model: String

  public init(provider: String, model: String) {
    self.provider = provider
    self.model = model
  }

  /// Nil when the text is none. What stands behind the first slash is the provider's business.
  public init?(_ text: String) {
    guard let slash = text.firstIndex(of: "/") else { return nil }
    provider = String(text[..<slash])
    model = String(text[text.index(after: slash)...])
    if provider.isEmpty || model.isEmpty || !model.utf8.allSatisfy(Self.isNameByte) || model.contains("..") {
      return nil
    }
  }

  /// Clients make up names, and some dialects have them in a path.
  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "+"):
      true
    default: false
    }
  }

  public var text: String { "\(provider)/\(model)" }
}

/// What a model costs, in billionths of a USD for each token.
public struct PriceSettings: Sendable, Equatable {
  public var model: ModelName
  public var input: Int
  /// Nil: as any other input.
  public var cachedInput: Int?
  public var output: Int

  public init(model: ModelName, input: Int = 0, cachedInput: Int? = nil, output: Int = 0) {
    self.model = model
    self.input = input
    self.cachedInput = cachedInput
    self.output = output
  }

  /// What a call cost, in billionths of a USD.
  func cost(of usage: Usage) -> Int {
    let cached = min(usage.cachedInput, usage.input)
    let parts = [(usage.input - cached, input), (cached, cachedInput ?? input), (usage.output, output)]
    return parts.reduce(0) { sum, part in
      let (product, overflows) = part.0.multipliedReportingOverflow(by: part.1)
      return overflows ? Int.max / 4 : sum + min(product, Int.max / 4)
    }
  }
}

/// A route's handler that speaks dialects of models.
public struct ModelRouteSettings: Sendable, Equatable {
  /// Whose dialects clients may speak.
  public enum Accepted: String, Sendable, CaseIterable { case openai, anthropic, gemini }

  public var accept: [Accepted]
  /// What becomes of what the model's dialect cannot say.
  public var unsupported: ProviderRequest.Unsupported
  /// The prompt that it answers with, in the place of dialects.
  public var prompt: String?
  /// Whether it answers with the description of all prompts.
  public var describesPrompts = false
  /// What the call log keeps of what was said.
  public var log = ModelLogSettings()
  /// How many octets of a form may come before its model.
  public var form = 32 << 20
  /// The provider that keeps files.
  public var files: String?
  /// Whether realtime conversations are passed.
  public var realtime = false

  public init(accept: [Accepted] = Accepted.allCases, unsupported: ProviderRequest.Unsupported = .refuse) {
    self.accept = accept
    self.unsupported = unsupported
  }
}
