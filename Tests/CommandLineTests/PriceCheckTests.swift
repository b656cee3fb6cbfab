import GatewayTesting
import Testing

/// What `check` says of budgets and prices.
struct PriceCheckTests {
  private func check(_ model: String, _ plugin: String, prices: String = "{}") throws -> Command {
    try check(alias: "p/\(model)", plugin, prices: prices)
  }

  private func check(alias: String, _ plugin: String, prices: String = "{}") throws -> Command {
    let files = try Files([
      "gateway.conf": """
      listeners: { public: 127.0.0.1:8080 }
      call_log: off
      ai:
        providers: { p: { url: "https://api.example.com/v1" } }
        models: { fast: \(alias) }
        prices: \(prices)
      routes: { models: { match: /*, plugins: [\(plugin)], ai: openai } }

      """
    ])
    return try Command(["check", "-c", files["gateway.conf"]])
  }

  @Test func `a model without a price under a budget is a mistake, with what to write`() throws {
    let check = try check("unheard-of", "{ budget: { usd: 5/h } }")
    #expect(check.status == 1)
    #expect(check.errors.contains("the model p/unheard-of has no price"))
    #expect(check.errors.contains("prices: { p/unheard-of:"))
  }

  @Test func `a price in the file or on the list is enough, and who counts no money needs none`() throws {
    #expect(try check("gpt-4o-mini", "{ budget: { usd: 5/h } }").status == 0)
    let priced = try check(
      "unheard-of", "{ budget: { usd: 5/h } }", prices: "{ p/unheard-of: { input: 1, output: 1 } }")
    #expect(priced.status == 0)
    #expect(try check("unheard-of", "{ token_limit: 5/h }").status == 0)
  }

  @Test(arguments: [
    "{ model: p/gpt-4o, fallbacks: [p/unheard-of] }",
    "{ split: { to: [{ model: p/gpt-4o }, { model: p/unheard-of }] } }",
  ])
  func `every model that may answer needs a price`(alias: String) throws {
    let check = try check(alias: alias, "{ budget: { usd: 5/h } }")
    #expect(check.status == 1)
    #expect(check.errors.contains("the model p/unheard-of has no price"))
  }
}
