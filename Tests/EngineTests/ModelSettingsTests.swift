import AI
import Configuration
import Testing

@testable import Engine

struct ModelSettingsTests {
  private static let providers = """
    openai: { dialect: openai, url: "https://api.openai.com/v1", keys: ["${OPENAI_API_KEY}", "${OPENAI_API_KEY_2}"], optional: true }
    anthropic: { preset: anthropic, keys: ["${ANTHROPIC_API_KEY}"], optional: true }
    azure: { dialect: azure, url: "${AZURE_ENDPOINT}", api_version: "2025-04-01-preview", keys: ["${AZURE_KEY}"], optional: true }
    local: { preset: ollama, url: "${OLLAMA_HOST:-http://127.0.0.1:11500}" }
    """

  private func load(
    _ models: String, providers: String = providers, _ environment: [String: String] = [:], route: String = "[openai]"
  ) -> LoadedSettings {
    let text = """
      listeners: { public: 127.0.0.1:8080 }
      call_log: off
      ai:
        providers:
          \(providers.replacing("\n", with: "\n    "))
        models: { \(models) }
      routes: { models: { match: /*, ai: \(route) } }
      """
    let files = ConfigurationFiles(read: { _, _ in .success(Array(text.utf8)) }, matching: { _ in [] })
    return GatewaySettings.load(file: "gateway.conf", environment: Environment(environment), files: files)
  }

  private func messages(_ loaded: LoadedSettings, _ severity: Diagnostic.Severity) -> [String] {
    loaded.diagnostics.sorted.filter { $0.severity == severity }.map(\.message)
  }

  @Test func `without any key what is left is used, and the rest is told`() throws {
    let loaded = load(
      """
      fast: { model: openai/gpt-4o-mini, fallbacks: [anthropic/claude-haiku-4-5, local/llama3.2] },
      careful: { split: { by: user, to: [{ model: anthropic/a, weight: 80 }, { model: openai/b, weight: 20 }] }, fallbacks: [fast] },
      gone: anthropic/claude, also: { model: gone }
      """)
    #expect(messages(loaded, .error) == [] && messages(loaded, .warning) == [])
    #expect(
      messages(loaded, .note) == [
        "the provider `openai` is left out: `OPENAI_API_KEY`, `OPENAI_API_KEY_2` are not set",
        "the provider `anthropic` is left out: `ANTHROPIC_API_KEY` is not set",
        "the provider `azure` is left out: `AZURE_ENDPOINT`, `AZURE_KEY` are not set",
        "the model `gone` is left out: nobody who runs it is there",
        "the model `also` is left out: nobody who runs it is there",
      ])
    let models = try #require(loaded.settings?.models)
    #expect(models.providers.map(\.name) == ["local"])
    #expect(models.providers[0].endpoint?.path == "/v1" && models.providers[0].endpoint?.host == "127.0.0.1:11500")
    #expect(models.aliases.map(\.name) == ["fast", "careful"])
    #expect(models.aliases[0].model?.text == "local/llama3.2" && models.aliases[0].fallbacks.isEmpty)
    #expect(models.aliases[1].model?.text == "fast" && models.aliases[1].split == nil)
    #expect(!loaded.diagnostics.text.contains("error") && loaded.diagnostics.json.contains(#""errors":0"#))
  }

  @Test func `files are kept by a provider of OpenAI's dialect, or one that is left out`() {
    func mistakes(_ files: String) -> [String] {
      messages(load("", ["OPENAI_API_KEY": "k"], route: "{ accept: openai, files: \(files) }"), .error)
    }
    #expect(mistakes("openai") == [] && mistakes("azure") == [] && mistakes("anthropic") == [])
    #expect(mistakes("openia") == ["there is no provider `openia` that keeps files"])
    let known = load("", ["ANTHROPIC_API_KEY": "k"], route: "{ accept: openai, files: anthropic }")
    #expect(messages(known, .error) == ["there is no provider `anthropic` that keeps files"])
  }

  @Test func `one key of several is enough`() throws {
    let loaded = load("fast: openai/gpt", ["OPENAI_API_KEY": "k1", "ANTHROPIC_API_KEY": "k2"])
    let models = try #require(loaded.settings?.models)
    #expect(models.providers.map(\.name) == ["openai", "anthropic", "local"])
    #expect(models.providers[0].keys.map { $0.reveal() } == ["k1"])
    #expect(models.providers[1].speaks == .anthropic && models.providers[1].endpoint?.host == "api.anthropic.com")
    #expect(messages(loaded, .note)[0] == "the provider `openai` goes with fewer keys: `OPENAI_API_KEY_2` is not set")
  }

  @Test func `what is not optional must be set`() {
    let loaded = load("fast: p/x", providers: #"p: { preset: groq, keys: ["${GROQ_API_KEY}"] }"#)
    #expect(messages(loaded, .error) == ["`GROQ_API_KEY` is not set in the environment"])
    // The word means something for providers only.
    let other = load("fast: p/x", providers: #"p: { preset: groq, keys: ["${GROQ_API_KEY}"], optional: false }"#)
    #expect(messages(other, .error).count == 1)
  }

  @Test func `names that lead back to themselves are a mistake`() {
    let loaded = load("a: { model: local/x, fallbacks: [b] }, b: { split: { to: [{ model: c }] } }, c: a, d: d, e: a")
    let errors = messages(loaded, .error)
    #expect(errors == ["the model `a` leads back to itself: a, b, c, a", "the model `d` leads back to itself: d, d"])
  }

  @Test(arguments: [
    ("a: nobody/x", "there is no provider `nobody`"),
    ("a: { model: local/x, fallbacks: [b] }", "there is no model `b`"),
    ("a: { fallbacks: [local/x] }", "nothing says which model is meant"),
    ("a: { model: local/x, split: { to: [{ model: local/y }] } }", "a model and a split cannot both come first"),
    ("a: { split: { to: [{ model: local/y, weight: 0 }] } }", "no model of this split gets anything"),
  ])
  func `a mistake is told`(_ models: String, _ message: String) {
    #expect(messages(load(models), .error) == [message])
  }

  @Test(arguments: [
    ("p: { dialect: openai }", "nothing says where the provider `p` is"),
    (#"p: { dialect: azure, url: "https://a.example" }"#, "azure asks for a version"),
    ("p: { preset: gemini, responses: true }", "a provider that speaks gemini has no Responses"),
    ("p: { preset: cohere, responses: true }", "a provider that speaks cohere has no Responses"),
  ])
  func `a provider's mistake is told`(_ provider: String, _ message: String) {
    #expect(messages(load("a: p/x", providers: provider), .error) == [message])
  }

  @Test func `every preset has an address`() {
    for preset in ProviderPreset.allCases {
      #expect(ProviderSettings(name: "p", preset: preset).endpoint != nil, "\(preset)")
    }
  }

  @Test(arguments: [
    ("preset: mistral", ChatVariant(thoughts: .pieces, words: .mistral)),
    (#"url: "https://api.mistral.ai/v1""#, ChatVariant(thoughts: .pieces, words: .mistral)),
    (#"preset: vllm, url: "http://10.0.0.1:9000""#, ChatVariant(thoughts: .reasoning, words: .older)),
    (#"url: "https://api.openai.com/v1""#, ChatVariant()),
    (#"url: "http://127.0.0.1:8123/v1""#, ChatVariant(thoughts: .reasoningContent, words: .usual)),
    (#"url: "http://127.0.0.1:8123/v1", thoughts: none"#, ChatVariant(words: .usual)),
    (#"dialect: azure, url: "https://a.example", api_version: "2024-10-21""#, ChatVariant()),
    ("preset: deepseek, thoughts: reasoning", ChatVariant(thoughts: .reasoning, words: .older)),
    ("preset: cohere", ChatVariant(words: .older)),
  ])
  func `a server's own words are known by its preset or its host`(_ provider: String, _ variant: ChatVariant) {
    let loaded = load("a: p/x", providers: "p: { \(provider) }")
    #expect(messages(loaded, .error) == [])
    #expect(loaded.settings?.models?.providers.first?.variant == variant)
  }

  @Test(arguments: [
    ("preset: openai", true), (#"preset: openai, url: "http://127.0.0.1:1/v1""#, true),
    (#"url: "https://api.openai.com/v1""#, true), ("preset: openai, responses: false", false),
    (#"url: "http://127.0.0.1:1/v1""#, false), (#"url: "http://127.0.0.1:1/v1", responses: true"#, true),
    ("preset: groq", false), ("preset: anthropic", false),
    (#"dialect: azure, url: "https://a.example", api_version: "2024-10-21""#, false),
    (#"dialect: azure, url: "https://a.example", api_version: "2024-10-21", responses: true"#, true),
  ])
  func `OpenAI has Responses, and who is said to`(_ provider: String, _ hasResponses: Bool) {
    let loaded = load("a: p/x", providers: "p: { \(provider) }")
    #expect(messages(loaded, .error) == [])
    #expect(loaded.settings?.models?.providers.first?.hasResponses == hasResponses)
  }
}
