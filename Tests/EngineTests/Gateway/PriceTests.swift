import Configuration
import PluginKit
import Testing

@testable import Engine

/// What models cost where the configuration does not say so.
struct PriceTests {
  private func price(_ model: String, _ url: String = "https://api.example.com") throws -> PriceSettings? {
    let text = """
      listeners: { public: "127.0.0.1:8080" }
      call_log: off
      ai: { providers: { p: { url: "\(url)" } }, prices: { p/own: { input: 1, output: 2 }, p/gpt-4o: { input: 9, output: 9 } } }
      routes: { models: { match: /*, ai: openai } }
      """
    let files = ConfigurationFiles(read: { _, _ in .success(Array(text.utf8)) }, matching: { _ in [] })
    let loaded = GatewaySettings.load(file: "gateway.conf", environment: Environment([:]), files: files, plugins: [])
    let models = try #require(loaded.settings?.models)
    return models.price(of: ModelName(provider: "p", model: model))
  }

  @Test(arguments: [
    ("gpt-4o-mini", 150, 75, 600), ("gpt-4o-mini-2024-07-18", 150, 75, 600), ("gpt-4o", 9000, nil, 9000),
    ("claude-sonnet-4-5-20250929", 3000, 300, 15_000), ("claude-3-5-haiku-latest", 800, 80, 4000),
    ("claude-opus-4-1", 15_000, 1500, 75_000), ("gemini-2.5-flash", 300, 30, 2500), ("own", 1000, nil, 2000),
  ])
  func `a model costs what the file says, or the public list`(
    _ model: String, _ input: Int, _ cached: Int?, _ output: Int
  ) throws {
    let price = try #require(try price(model))
    #expect(price.input == input && price.cachedInput == cached && price.output == output)
  }

  @Test(arguments: [
    "gpt-4o-maxi", "gpt", "", "gpt-4o-20", "-2024-07-18", "gpt-4o-mini-2024-07-18-x", "gpt-4o-mini-20240718-20240718",
  ])
  func `nothing is guessed of a model that is on no list`(_ model: String) throws {
    #expect(try price(model) == nil)
  }

  @Test(arguments: ["http://127.0.0.1:11434/v1", "http://localhost:11434", "http://[::1]:80"])
  func `what this machine runs costs nothing`(_ url: String) throws {
    #expect(try price("llama3.2", url) == PriceSettings(model: ModelName(provider: "p", model: "llama3.2")))
    #expect(try price("own", url)?.input == 1000)
  }

  @Test func `every entry of the list has a price, and a name of its own`() {
    let names = PriceList.entries.map { "\($0.name)" }
    #expect(Set(names).count == names.count)
    for entry in PriceList.entries {
      #expect(entry.cached > 0 && entry.cached <= entry.input && entry.input < entry.output)
    }
  }
}
