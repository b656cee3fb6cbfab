import Foreign
import GatewayTesting
import Kernel
import PluginKit
import Testing

@testable import Plugins

/// Which calls of models have one answer, and what becomes of limits then.
@Suite struct AICacheTests {
  private final class Kept: KeptAnswer { let size = 10 }

  private let definitions = [PluginDefinition(AICache.self), PluginDefinition(TokenLimit.self)]

  private let asks = Lock(0)

  private struct Asked {
    var consumer: String?
    var asked = "fast"
    var model = "m"
    var text = "Hi"
    var temperature: Double? = 0
    var hasMeaning = true
  }

  /// What the cache had for a call; one that is not a hit is answered, and the answer kept.
  private func ask(_ chain: Chain, _ asked: Asked) async throws -> (use: CacheUse, fault: Fault?) {
    var fixture = try ExchangeFixture()
    if let name = asked.consumer {
      fixture.exchange.identify(Identity(consumer: name))
    }
    // Each is written in another way, and asks the same.
    let form = Array("\(asks.withLock { $0 += 1; return $0 })".utf8)
    let content = FixedContent([asked.text])
    content.temperature = asked.temperature
    content.canonical = asked.hasMeaning ? form + Array(asked.text.utf8) : nil
    content.meaning = Array(asked.text.utf8)
    let call = ModelCall(
      asked: asked.asked, provider: "p", model: asked.model, streams: false, inputTokens: 10, outputTokens: 10,
      price: nil, asks: content)
    let verdict = await chain.runModelCall(call, &fixture.exchange)
    if case .fail(let fault) = verdict { return (fixture.exchange.cacheUse, fault) }
    #expect(call.isAnswered == (fixture.exchange.cacheUse == .hit))
    #expect(call.isContentKept == (fixture.exchange.cacheUse == .miss))
    if call.isContentKept { call.keep(Kept()) }
    call.settle(ModelOutcome(inputTokens: 10, outputTokens: 10, isHit: call.isAnswered))
    return (fixture.exchange.cacheUse, nil)
  }

  @Test(arguments: ["ttl: 10s", "ttl: 10s, when: { temperature: 0 }", "when: { temperature: 0 }, ttl: 10s"])
  func `the same call has the same answer, until its time is over`(_ settings: String) async throws {
    let worker = StillWorker()
    let chain = try PluginFixture.chain("ai_cache: { \(settings) }", of: definitions, on: worker)
    #expect(try await ask(chain, Asked()).use == .miss)
    worker.now = 9_999_999_999
    #expect(try await ask(chain, Asked()).use == .hit)
    worker.now = 10_000_000_000
    #expect(try await ask(chain, Asked()).use == .miss)
    #expect(try await ask(chain, Asked(hasMeaning: false)).use == .none)
    let counted = worker.counted("sluice_ai_cache_calls")
    #expect(counted == ["[\"ai_cache\", \"miss\"]": 2, "[\"ai_cache\", \"hit\"]": 1, "[\"ai_cache\", \"bypass\"]": 1])
  }

  @Test func `other words, another model and another name for it are other calls`() async throws {
    let chain = try PluginFixture.chain("ai_cache: {}", of: definitions)
    for asked in [Asked(), Asked(asked: "best"), Asked(model: "n"), Asked(text: "Ho")] {
      #expect(try await ask(chain, asked).use == .miss)
    }
  }

  @Test(arguments: [false, true])
  func `consumers have answers of their own unless they are shared`(_ isShared: Bool) async throws {
    let chain = try PluginFixture.chain("ai_cache: { shared: \(isShared) }", of: definitions)
    #expect(try await ask(chain, Asked(consumer: "a")).use == .miss)
    #expect(try await ask(chain, Asked(consumer: "a")).use == .hit)
    #expect(try await ask(chain, Asked(consumer: "b")).use == (isShared ? .hit : .miss))
    #expect(try await ask(chain, Asked(consumer: nil)).use == (isShared ? .hit : .miss))
    #expect(try await ask(chain, Asked(consumer: "-")).use == (isShared ? .hit : .miss))
  }

  @Test func `only calls of a low temperature are kept where that is asked for`() async throws {
    let chain = try PluginFixture.chain("ai_cache: { when: { temperature: 0.2 } }", of: definitions)
    #expect(try await ask(chain, Asked(temperature: 0.2)).use == .miss)
    #expect(try await ask(chain, Asked(temperature: 0.3)).use == .none)
    #expect(try await ask(chain, Asked(temperature: nil)).use == .none)
    let all = try PluginFixture.chain("ai_cache: {}", of: definitions)
    #expect(try await ask(all, Asked(text: "b", temperature: nil)).use == .miss)
  }

  @Test(arguments: [true, false])
  func `a hit uses nothing up, on whichever side of the limit the cache stands`(_ isFirst: Bool) async throws {
    let limit = "token_limit: { tokens: 45/h }"
    let entries = isFirst ? ["ai_cache: {}", limit] : [limit, "ai_cache: {}"]
    let chain = try PluginFixture.chain(entries[0], entries[1], of: definitions)
    #expect(try await ask(chain, Asked()).use == .miss)
    for _ in 0..<20 { #expect(try await ask(chain, Asked()).use == .hit) }
    #expect(try await ask(chain, Asked(text: "b")).fault == nil)
    #expect(try await ask(chain, Asked(text: "c")).fault != nil)
    // Behind the cache, the limit does not even look.
    #expect(try await ask(chain, Asked()).fault == nil || !isFirst)
  }

  @Test func `what is no temperature, time or mode is a mistake`() {
    func mistakes(_ entry: String) -> String { PluginFixture.mistakes(AICache.self, "ai_cache: { \(entry) }") }
    #expect(mistakes("when: { temperature: 3 }").contains("a number from 0 to 2"))
    #expect(mistakes("when: { temperature: cold }").contains("a number from 0 to 2"))
    #expect(mistakes("mode: fuzzy").contains("exact"))
    #expect(mistakes("ttl: 0s").contains("ttl"))
    #expect(mistakes("ttl: 1h, when: { temperature: 0 }, shared: true").isEmpty)
  }

  @Test func `the example of its page loads`() throws {
    _ = try PluginFixture.chain(ofFile: try Page("plugins/ai_cache.md").example("yaml"), of: definitions)
  }
}
