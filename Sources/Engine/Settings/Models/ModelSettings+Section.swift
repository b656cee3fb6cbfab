import AI
public import Configuration

extension ModelSettings {
  public static let section = Section(
    "ai", ModelSettings(), "Models that clients may ask, whatever dialect they speak.",
    [
      Keyword(
        "providers", \.providers,
        .named(
          ProviderSettings.section, name: \.name,
          locate: {
            $0.name = $1
            $0.position = $2
          }), "Who runs models."),
      Keyword(
        "models", \.aliases,
        .named(
          AliasSettings.section, name: \.name,
          locate: {
            $0.name = $1
            $0.position = $2
          }), "Names that clients ask for; PROVIDER/MODEL works too."),
      Keyword(
        "prices", .map(key: .modelName, to: .section(PriceSettings.section), label: "PROVIDER/MODEL"),
        "What models cost; a call of one without a price has no cost in the log.",
        get: { $0.prices.map { ($0.model, $0) } },
        set: { settings, prices in
          settings.prices = prices.map { name, price in
            var price = price
            price.model = name
            return price
          }
        }),
      Keyword(
        "prompts", \.prompts,
        .named(
          PromptSettings.section, name: \.name,
          locate: {
            $0.name = $1
            $0.position = $2
          }), "Prompts that callers use like any other endpoint."),
      Keyword(
        "prompt_cache", \.promptCache, .size(in: (1 << 16)...(1 << 36)),
        "How much memory the answers of prompts with a `cache` may take."),
    ])
}

extension PriceSettings {
  static let section = Section(
    "price", PriceSettings(model: ModelName(provider: "", model: "")), "What a model costs, in USD per million tokens.",
    [
      Keyword("input", \.input, .price, required: true, "Tokens of the prompt."),
      Keyword("cached_input", \.cachedInput, .price, "Those that the provider had in its cache; as input without it."),
      Keyword("output", \.output, .price, required: true, "Tokens of the answer, thoughts too."),
    ])
}

extension ModelRouteSettings {
  static let section = Section(
    "handler", ModelRouteSettings(), "Calls of models in the dialects of their clients.", shorthand: "accept",
    [
      Keyword("accept", \.accept, .list(of: .choice, minimum: 1), "Whose dialects clients may speak."),
      Keyword(
        "unsupported", \.unsupported, .choice,
        "What the model's dialect cannot say is refused with 400, or dropped and told in X-Sluice-Dropped."),
      Keyword(
        "prompt", \.prompt, .text(), "Instead of dialects: the name of a prompt, whose inputs callers send as JSON."),
      Keyword(
        "openapi", \.describesPrompts, .boolean,
        "Instead of dialects: the description of all routes with a prompt, as OpenAPI 3.1."),
      Keyword("log", \.log, .section(ModelLogSettings.section), "What the call log keeps of what was said."),
      Keyword(
        "form", \.form, .size(in: 1024...(1 << 30)),
        "How much of a form may come before its `model`: so much is held. Where the model comes first, next to nothing is."
      ),
      Keyword(
        "files", \.files, .text(),
        "The provider that keeps files, which all callers of the route share; without it there are none."),
      Keyword(
        "realtime", \.realtime, .boolean,
        "Whether realtime conversations are passed to providers of OpenAI's dialect; never where guardrails read."),
    ],
    check: { route, node, reading in
      let words = ["accept", "prompt", "openapi"].filter { node.value(for: $0) != nil }
      guard words.count > 1 else { return }
      reading.error(
        "`\(words[0])` and `\(words[1])` cannot both be on one route", at: node.position, expected: "one of them")
    })
}

extension ValueType where Value == ModelName {
  static var modelName: ValueType {
    let shape = ScalarShape("model", expectation: "PROVIDER/MODEL, such as openai/gpt-4o-mini")
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      guard let name = ModelName(text), text.utf8.count <= 256, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
        throw .malformed
      }
      return name
    }
  }
}

extension ValueType where Value == Int {
  /// A price in USD per million tokens, kept as billionths of a USD per token: exact to a thousandth.
  fileprivate static var price: ValueType {
    let shape = ScalarShape(
      "price", expectation: "USD per million tokens, with at most three decimals, such as 0.15",
      schema: [("type", .string("number")), ("minimum", .integer(0))])
    return scalar(shape, text: { Self.text($0) }) { text throws(ScalarMistake) in
      let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      let decimals = parts.count == 2 ? parts[1] : ""
      guard let whole = Int(parts[0]), whole >= 0, !parts[0].hasPrefix("+"), !parts[0].hasPrefix("-"),
        parts.count == 1 || (1...3).contains(decimals.utf8.count), decimals.utf8.allSatisfy({ $0 &- 0x30 < 10 })
      else { throw .malformed }
      guard whole <= 1_000_000 else { throw .outOfRange }
      let thousandths = Int(decimals + String(repeating: "0", count: 3 - decimals.utf8.count)) ?? 0
      return whole * 1000 + thousandths
    }
  }

  private static func text(_ price: Int) -> String {
    var decimals = String(String(price % 1000 + 1000).dropFirst())
    while decimals.hasSuffix("0") { decimals.removeLast() }
    return decimals.isEmpty ? "\(price / 1000)" : "\(price / 1000).\(decimals)"
  }
}
