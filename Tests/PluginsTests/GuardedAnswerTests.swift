import Detection
import Foreign
import GatewayTesting
import Kernel
import PluginKit
import Testing

@testable import Plugins

/// What guardrails let through of requests and answers, text by text.
@Suite struct GuardedAnswerTests {
  private let definitions = [PluginDefinition(Guardrails.self)]

  /// A call whose request is one text, as the hooks leave it.
  private final class Asked: CallContent {
    private(set) var text: String
    private let user: [String]?
    init(_ text: String, user: [String]? = nil) {
      self.text = text
      self.user = user
    }

    var texts: [String] { [text] }
    var userTexts: [String] { user ?? texts }

    func filter(_ makeFilter: @escaping () -> any TextFilter) -> Bool {
      text = String(decoding: makeFilter().filter(Array(text.utf8).span), as: UTF8.self)
      return true
    }
  }

  private func run(
    _ entry: String, _ asked: Asked, on worker: StillWorker = StillWorker()
  ) async throws -> (call: ModelCall, fault: Fault?, rule: String?) {
    let chain = try PluginFixture.chain("guardrails: { \(entry) }", of: definitions, on: worker)
    var fixture = try ExchangeFixture()
    let call = ModelCall(
      asked: "m", provider: "p", model: "m", streams: false, inputTokens: 1, outputTokens: 1, price: nil, asks: asked)
    if case .fail(let fault) = await chain.runModelCall(call, &fixture.exchange) {
      return (call, fault, fixture.exchange.brokenRule)
    }
    return (call, nil, nil)
  }

  /// What a client gets of an answer that comes in two pieces, cut at every octet: the same each time.
  private func answer(_ call: ModelCall, _ text: String) -> (text: String, broken: BrokenRule?) {
    let bytes = Array(text.utf8)
    var all: Set<String> = []
    var broken: BrokenRule?
    for cut in 0...bytes.count {
      let filter = call.makeAnswerFilter()
      var out: [UInt8] = []
      filter.take(Array(bytes[..<cut]).span, isEnd: false, into: &out)
      filter.take(Array(bytes[cut...]).span, isEnd: true, into: &out)
      all.insert(String(decoding: out, as: UTF8.self))
      broken = filter.broken
    }
    #expect(all.count == 1, "\(all)")
    return (all.first ?? "", broken)
  }

  @Test func `each text of a user must have something that is allowed`() async throws {
    let entry = "allow: [order, invoice], deny: [forbidden]"
    #expect(try await run(entry, Asked("My ORDER is late")).fault == nil)
    let off = try await run(entry, Asked("Tell me a joke"))
    #expect(off.fault?.status == 403 && off.rule == "guardrails/allow")
    #expect(try await run(entry, Asked("", user: ["order", "a joke"])).rule == "guardrails/allow")
    #expect(try await run(entry, Asked("A forbidden order")).rule == "guardrails/deny[0]")
  }

  @Test func `personal data goes out masked, and does not come back`() async throws {
    let worker = StillWorker()
    let asked = Asked("I am a@example.com, card 4111 1111 1111 1111")
    let call = try await run("mask: [email, card]", asked, on: worker).call
    #expect(asked.text == "I am [email], card [card]")
    #expect(call.texts == [asked.text], "later hooks see what goes out")
    #expect(answer(call, "Write to b@example.com").text == "Write to [email]")
    #expect(worker.counted("sluice_guardrails_masked")["[\"guardrails\", \"request\", \"email\"]"] == 1)
  }

  @Test func `what was masked in the request stands in the answer again`() async throws {
    let asked = Asked("a@example.com and b@example.com, says [EMAIL_1]")
    let call = try await run("mask: [email], restore: true", asked).call
    #expect(asked.text == "[EMAIL_2] and [EMAIL_3], says [EMAIL_1]")
    let said = answer(call, "Dear [EMAIL_3], [EMAIL_1] is not yours; ask c@example.com")
    #expect(said.text == "Dear b@example.com, [EMAIL_1] is not yours; ask [email]")
  }

  @Test func `an answer ends before what it must not say`() async throws {
    let call = try await run("answers: { deny: ['secret\\s+code', '(?<!no )refund of \\d+'] }", Asked("hi")).call
    #expect(answer(call, "The Secret   Code is 5").text == "The ")
    #expect(answer(call, "The Secret   Code is 5").broken?.name == "guardrails/answers.deny[0]")
    #expect(answer(call, "You get a refund of 50 EUR").text == "You get a ")
    #expect(answer(call, "There is no refund of 50 EUR").text == "There is no refund of 50 EUR")
    #expect(answer(call, "a secret").text == "a secret")
  }

  @Test func `an answer's end is judged where it ends`() async throws {
    let call = try await run("answers: { deny: ['promise\\b', 'end$'] }", Asked("hi")).call
    #expect(answer(call, "we promised").broken == nil)
    #expect(answer(call, "we promise").broken != nil)
    #expect(answer(call, "the end is near").broken == nil)
    #expect(answer(call, "the end").text == "the ")
  }

  @Test func `an expression that waits for ever, or takes too long, ends the answer`() async throws {
    let call = try await run("answers: { deny: ['a[^b]*b'] }", Asked("hi")).call
    let filter = call.makeAnswerFilter()
    var out: [UInt8] = []
    for _ in 0..<20 where filter.broken == nil {
      filter.take([UInt8](repeating: UInt8(ascii: "a"), count: 8 << 10).span, isEnd: false, into: &out)
    }
    #expect(filter.broken?.name == "guardrails/answers.deny[0]" && out.isEmpty)
    let slow = try await run("answers: { deny: ['(x+)+$'] }", Asked("hi")).call.makeAnswerFilter()
    slow.take(Array((String(repeating: "x", count: 5000) + "!").utf8).span, isEnd: true, into: &out)
    #expect(slow.broken != nil)
  }

  @Test func `in shadow nothing is changed, and once is counted`() async throws {
    let worker = StillWorker()
    let asked = Asked("a@example.com")
    let entry = "mask: [email], restore: true, answers: { deny: [no, never], maximum: 3B }, shadow: true"
    let call = try await run(entry, asked, on: worker).call
    #expect(asked.text == "a@example.com")
    let filter = call.makeAnswerFilter()
    #expect(
      String(decoding: filter.filter(Array("no no never b@example.com".utf8).span), as: UTF8.self).hasSuffix(".com"))
    #expect(call.longestAnswer == nil)
    let counted = worker.counted("sluice_guardrails_decisions")
    #expect(counted["[\"guardrails\", \"answers.deny[0]\", \"shadowed\"]"] == 1)
  }

  @Test func `who writes an answer is told how long it may be`() async throws {
    let call = try await run("answers: { maximum: 1KiB }, name: g, names_rule: false", Asked("hi")).call
    #expect(call.longestAnswer?.bytes == 1024 && call.longestAnswer?.rule.name == "g/answers.maximum")
    #expect(call.longestAnswer?.rule.note == "")
  }

  @Test func `guards of several hooks all see the answer, the last one first`() async throws {
    let chain = try PluginFixture.chain(
      "guardrails: { mask: [email], restore: true }", "guardrails: { answers: { deny: ['@'] }, name: second }",
      of: definitions)
    var fixture = try ExchangeFixture()
    let asked = Asked("a@example.com")
    let call = ModelCall(
      asked: "m", provider: "p", model: "m", streams: false, inputTokens: 1, outputTokens: 1, price: nil, asks: asked)
    guard case .proceed = await chain.runModelCall(call, &fixture.exchange) else {
      Issue.record("refused")
      return
    }
    // The second sees the placeholder, which has no @; the first puts the value back behind it.
    #expect(answer(call, "Dear [EMAIL_1]!").text == "Dear a@example.com!")
  }

  @Test func `a request that cannot be masked does not go out`() async throws {
    let chain = try PluginFixture.chain("guardrails: { mask: [email] }", of: definitions)
    var fixture = try ExchangeFixture()
    let call = ModelCall(
      asked: "m", provider: "p", model: "m", streams: false, inputTokens: 1, outputTokens: 1, price: nil,
      asks: FixedContent(["a@example.com"]))
    guard case .fail(let fault) = await chain.runModelCall(call, &fixture.exchange) else {
      Issue.record("it went out")
      return
    }
    #expect(fault.status == 403)
  }

  @Test(arguments: [
    ("restore: true, deny: [x]", "nothing to restore"), ("mask: [emial]", "email"), ("answers: {}", "have no rule"),
    ("answers: { deny: ['a*'] }", "and so everywhere"),
  ])
  func `mistakes are told`(_ entry: String, _ said: String) {
    let mistakes = PluginFixture.mistakes(Guardrails.self, "guardrails: { \(entry) }")
    #expect(mistakes.contains(said), "\(mistakes)")
  }
}
