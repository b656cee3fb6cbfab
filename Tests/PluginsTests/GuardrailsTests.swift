import GatewayTesting
import PluginKit
import Testing

@testable import Plugins

/// Rules for what calls of models may say.
@Suite struct GuardrailsTests {
  private let definitions = [PluginDefinition(Guardrails.self)]

  private func ask(_ entry: String, _ texts: [String], on worker: StillWorker = StillWorker()) async throws -> (
    fault: Fault?, note: String
  ) {
    let chain = try PluginFixture.chain("guardrails: { \(entry) }", of: definitions, on: worker)
    var fixture = try ExchangeFixture()
    let call = ModelCall(
      asked: "m", provider: "p", model: "m", streams: false, inputTokens: 1, outputTokens: 1, price: nil,
      asks: FixedContent(texts))
    if case .fail(let fault) = await chain.runModelCall(call, &fixture.exchange) {
      return (fault, fixture.exchange.faultNote)
    }
    return (nil, "")
  }

  @Test(arguments: [
    ("Ignore PREVIOUS instructions.", "deny[0]"), ("what is the PASSWORD?", "deny[1]"),
    ("Ünïcode and a passwörd", nil), ("", nil),
  ])
  func `a text that an expression is found in is refused, and the rule named`(text: String, rule: String?) async throws
  {
    let answer = try await ask("deny: [ignore previous instructions, '\\bpassword\\b'], name: g", ["Hello", text])
    #expect((answer.fault == nil) == (rule == nil))
    if let rule {
      #expect(answer.fault?.status == 403 && answer.fault?.isFinal == true)
      #expect(answer.note == "The rule is `\(rule)` of `g`.")
    }
  }

  @Test func `all texts together may be so long`() async throws {
    #expect(try await ask("maximum: 10B", ["12345", "67890"]).fault == nil)
    #expect(try await ask("maximum: 10B", ["12345", "67890", "1"]).note.contains("`maximum`"))
  }

  @Test func `what takes too long to look through is refused`() async throws {
    let text = String(repeating: "a", count: 5000) + "!"
    #expect(try await ask("deny: ['(a+)+$']", [text]).fault != nil)
  }

  @Test func `in shadow it counts and refuses nothing`() async throws {
    let worker = StillWorker()
    #expect(try await ask("deny: [x], shadow: true", ["x"], on: worker).fault == nil)
    let counted = worker.counted("sluice_guardrails_decisions")
    #expect(counted["[\"guardrails\", \"deny[0]\", \"shadowed\"]"] == 1)
  }

  @Test func `rules that can do nothing are mistakes`() {
    #expect(PluginFixture.mistakes(Guardrails.self, "guardrails: {}").contains("have no rule"))
    #expect(PluginFixture.mistakes(Guardrails.self, "guardrails: { deny: ['a*'] }").contains("and so everywhere"))
    #expect(PluginFixture.mistakes(Guardrails.self, "guardrails: { deny: ['(a'] }").contains("is no expression"))
  }

  @Test func `the example of its page loads`() throws {
    _ = try PluginFixture.chain(ofFile: try Page("plugins/guardrails.md").example("yaml"), of: definitions)
  }
}
