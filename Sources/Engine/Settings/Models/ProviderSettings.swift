public import AI
public import Configuration

/// Who runs models.
public struct ProviderSettings: Sendable, Equatable {
  /// What a provider speaks, and where on it: Azure has OpenAI's bodies under paths of its own, and Cohere its own
  /// embeddings beside OpenAI's conversations.
  public enum Dialect: String, Sendable, CaseIterable { case openai, anthropic, gemini, azure, bedrock, cohere }

  public var name: String
  /// Nil: the preset's, and without one OpenAI's.
  public var dialect: Dialect?
  public var preset: ProviderPreset?
  public var url: ProviderURL?
  /// Used in turn; none where the provider asks for none.
  public var keys: [Secret]
  public var keyRest = KeyRestSettings()
  /// Where it is told what its models thought before. Nil: as the preset's servers are.
  public var thoughts: ChatVariant.Thoughts?
  /// Whether clients of Responses get its own. Nil: as is known of its host.
  public var responses: Bool?
  /// Of each of its models.
  public var circuitBreaker = CircuitBreakerSettings(
    minimumRequests: 10, window: .seconds(30), openFor: .seconds(10), halfOpenRequests: 1)
  /// Whether it may be left out where the environment lacks one of its variables.
  public var isOptional: Bool
  /// Whether it is left out.
  public var isMissing = false
  /// Of Azure: which version of its API is meant.
  public var apiVersion: String?
  /// Of Amazon Bedrock: where it is, and who asks.
  public var region: String?
  public var accessKey: Secret?
  public var secretKey: Secret?
  public var sessionToken: Secret?
  /// Index into the gateway's upstreams.
  public var upstream: Int
  public var position: Position

  public init(
    name: String, dialect: Dialect? = nil, preset: ProviderPreset? = nil, url: ProviderURL? = nil,
    keys: [Secret] = [], isOptional: Bool = false, upstream: Int = -1, position: Position = .none
  ) {
    self.name = name
    self.dialect = dialect
    self.preset = preset
    self.url = url
    self.keys = keys
    self.isOptional = isOptional
    self.upstream = upstream
    self.position = position
  }

  public var speaks: Dialect { dialect ?? preset?.dialect ?? .openai }

  /// How requests and answers are written.
  public var back: Back {
    switch speaks {
    case .openai, .azure, .cohere: .openai
    case .anthropic: .anthropic
    case .gemini: .gemini
    case .bedrock: .bedrock
    }
  }

  /// Whether it has Responses beside Chat Completions, to which their clients are passed.
  public var hasResponses: Bool { back == .openai && (responses ?? (speaks == .openai && known == .openai)) }

  /// By the preset or by its host.
  private var known: ProviderPreset? {
    preset ?? url.flatMap { url in ProviderPreset.allCases.first { $0.url.contains("//\(url.host)/") } }
  }

  /// How its Chat Completions are not OpenAI's, by the preset or by its host. Of a server that nobody knows the usual is
  /// thought: one that has no place for thoughts answers without them, and is told none then.
  public var variant: ChatVariant {
    var variant =
      known?.variant
      ?? (speaks == .openai ? ChatVariant(thoughts: .reasoningContent, words: .usual) : ChatVariant())
    if speaks == .cohere { variant.words = .older }
    if let thoughts { variant.thoughts = thoughts }
    return variant
  }

  /// How it is asked for embeddings; nil where it has none.
  func embeddings(_ model: String) -> EmbeddingBack? {
    switch speaks {
    case .openai, .azure: .openai
    case .anthropic: nil
    case .gemini: .gemini
    case .cohere: .cohere
    case .bedrock: EmbeddingBack(bedrock: model)
    }
  }

  /// Where it is; nil when nobody says so. An address of one's own for a preset has the preset's paths.
  public var endpoint: ProviderURL? {
    let usual = (preset?.url ?? region.map { "https://bedrock-runtime.\($0).amazonaws.com" }).flatMap {
      try? ProviderURL.parse($0)
    }
    guard var own = url else { return usual }
    if own.path.isEmpty, preset != nil { own.path = usual?.path ?? "" }
    return own
  }

  /// What its upstream is called: no name that an author chooses has a colon.
  var upstreamName: String { "ai:\(name)" }
}

/// How long a key is left alone.
public struct KeyRestSettings: Sendable, Equatable {
  /// That the provider refused.
  public var refused = Nanoseconds.minutes(5)
  /// That it limits without saying for how long.
  public var limited = Nanoseconds.seconds(2)

  public init() {}
}

/// Where a provider is: an origin, and a path before all paths of its dialect.
public struct ProviderURL: Sendable, Equatable {
  public var target: TargetSettings
  /// Without a slash at its end.
  public var path: String
  /// As `Host` has it.
  public var host: String

  public init(target: TargetSettings, path: String, host: String) {
    self.target = target
    self.path = path
    self.host = host
  }

  static func parse(_ text: String) throws(ScalarMistake) -> ProviderURL {
    guard let scheme = text.firstRange(of: "://") else { throw .malformed }
    let slash = text[scheme.upperBound...].firstIndex(of: "/") ?? text.endIndex
    var path = text[slash...]
    while path.hasSuffix("/") { path = path.dropLast() }
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !path.utf8.contains(where: { $0 == 0x3F || $0 == 0x23 })
    else { throw .malformed }
    let url = try TargetURL.parse(String(text[..<slash]))
    let target = TargetSettings(address: url.address, name: url.address.name, isSecure: url.isSecure)
    return ProviderURL(target: target, path: String(path), host: String(text[scheme.upperBound..<slash]))
  }
}

/// Providers whose addresses are known.
public enum ProviderPreset: String, Sendable, CaseIterable {
  case openai, anthropic, gemini, mistral, groq, deepseek, together, openrouter, fireworks, cerebras, perplexity, xai,
    nvidia, cohere, ollama, vllm, llamacpp, lmstudio

  var dialect: ProviderSettings.Dialect {
    switch self {
    case .anthropic: .anthropic
    case .gemini: .gemini
    case .cohere: .cohere
    default: .openai
    }
  }

  /// As each says in its reference.
  var variant: ChatVariant {
    switch self {
    case .openai, .anthropic, .gemini, .xai: ChatVariant()
    case .mistral: ChatVariant(thoughts: .pieces, words: .mistral)
    case .groq, .cerebras: ChatVariant(thoughts: .reasoning)
    case .openrouter: ChatVariant(thoughts: .details, words: .older)
    case .together, .ollama, .vllm: ChatVariant(thoughts: .reasoning, words: .older)
    case .deepseek, .fireworks, .nvidia, .llamacpp, .lmstudio: ChatVariant(thoughts: .reasoningContent, words: .older)
    case .perplexity, .cohere: ChatVariant(words: .older)
    }
  }

  var url: String {
    switch self {
    case .openai: "https://api.openai.com/v1"
    case .anthropic: "https://api.anthropic.com"
    case .gemini: "https://generativelanguage.googleapis.com"
    case .mistral: "https://api.mistral.ai/v1"
    case .groq: "https://api.groq.com/openai/v1"
    case .deepseek: "https://api.deepseek.com/v1"
    case .together: "https://api.together.xyz/v1"
    case .openrouter: "https://openrouter.ai/api/v1"
    case .fireworks: "https://api.fireworks.ai/inference/v1"
    case .cerebras: "https://api.cerebras.ai/v1"
    case .perplexity: "https://api.perplexity.ai"
    case .xai: "https://api.x.ai/v1"
    case .nvidia: "https://integrate.api.nvidia.com/v1"
    case .cohere: "https://api.cohere.com"
    case .ollama: "http://127.0.0.1:11434/v1"
    case .vllm: "http://127.0.0.1:8000/v1"
    case .llamacpp: "http://127.0.0.1:8080/v1"
    case .lmstudio: "http://127.0.0.1:1234/v1"
    }
  }
}
