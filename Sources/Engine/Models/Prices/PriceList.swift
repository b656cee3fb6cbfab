/// What models cost by the price lists of their providers, for those that the configuration gives no price.
///
/// Standard prices for text, below the length from which some charge more. They were collected by hand, not read from
/// the providers' pages, and change: `prices` in the configuration says what holds, and is what a budget should rest on.
enum PriceList {
  /// Thousandths of a USD per million tokens, which are billionths of a USD for each.
  struct Entry {
    let name: StaticString
    let input: Int
    /// Read from the provider's cache.
    let cached: Int
    let output: Int

    init(_ name: StaticString, _ input: Int, _ cached: Int, _ output: Int) {
      (self.name, self.input, self.cached, self.output) = (name, input, cached, output)
    }
  }

  static let entries: [Entry] = openAI + anthropic + gemini

  private static let openAI = [
    Entry("gpt-4o", 2500, 1250, 10_000),
    Entry("gpt-4o-mini", 150, 75, 600),
    Entry("gpt-4.1", 2000, 500, 8000),
    Entry("gpt-4.1-mini", 400, 100, 1600),
    Entry("gpt-4.1-nano", 100, 25, 400),
    Entry("gpt-5", 1250, 125, 10_000),
    Entry("gpt-5-mini", 250, 25, 2000),
    Entry("gpt-5-nano", 50, 5, 400),
    Entry("gpt-5.1", 1250, 125, 10_000),
    Entry("gpt-5.2", 1750, 175, 14_000),
    Entry("o3", 2000, 500, 8000),
    Entry("o4-mini", 1100, 275, 4400),
  ]

  private static let anthropic = [
    Entry("claude-3-5-haiku", 800, 80, 4000),
    Entry("claude-3-7-sonnet", 3000, 300, 15_000),
    Entry("claude-haiku-4-5", 1000, 100, 5000),
    Entry("claude-sonnet-4", 3000, 300, 15_000),
    Entry("claude-sonnet-4-0", 3000, 300, 15_000),
    Entry("claude-sonnet-4-5", 3000, 300, 15_000),
    Entry("claude-opus-4", 15_000, 1500, 75_000),
    Entry("claude-opus-4-0", 15_000, 1500, 75_000),
    Entry("claude-opus-4-1", 15_000, 1500, 75_000),
    Entry("claude-opus-4-5", 5000, 500, 25_000),
  ]

  private static let gemini = [
    Entry("gemini-2.0-flash", 100, 25, 400),
    Entry("gemini-2.5-flash", 300, 30, 2500),
    Entry("gemini-2.5-flash-lite", 100, 10, 400),
    Entry("gemini-2.5-pro", 1250, 125, 10_000),
  ]

  private static let byName = Dictionary(
    entries.map { ("\($0.name)", $0) }, uniquingKeysWith: { first, _ in first })

  /// The price of a model by its provider's name for it, or of the model that such a name with a date is a version of.
  static func price(of model: ModelName) -> PriceSettings? {
    guard let entry = byName[model.model] ?? byName[undated(model.model)] else { return nil }
    return PriceSettings(model: model, input: entry.input, cachedInput: entry.cached, output: entry.output)
  }

  /// The name without `-2024-07-18`, `-20250929` or `-latest` at its end.
  private static func undated(_ name: String) -> String {
    if name.hasSuffix("-latest") { return String(name.dropLast(7)) }
    let digits = name.utf8.reversed().prefix { 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "-") }
    for length in [9, 11] where digits.count >= length {
      let date = name.utf8.suffix(length)
      let isDate = date.first == UInt8(ascii: "-") && date.count { $0 == UInt8(ascii: "-") } == (length == 9 ? 1 : 3)
      if isDate { return String(name.dropLast(length)) }
    }
    return name
  }
}
