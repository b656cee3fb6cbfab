import Configuration
import GatewayTesting
import Kernel
import PluginKit
import Testing

@testable import Plugins

/// What `token_limit` and `budget` count, reserve and settle.
@Suite struct SpendingTests {
  private let directory: TemporaryDirectory
  private let definitions = [PluginDefinition(TokenLimit.self), PluginDefinition(Budget.self)]

  init() throws { directory = try TemporaryDirectory() }

  private func ledger(_ name: String? = "s", keys: Int = 16) throws -> SpendingLedger {
    try SpendingLedger(name.map { directory[$0] }, keys: keys)
  }

  // MARK: The ledger

  @Test func `what is reserved is taken, and what was not used is given back`() throws {
    let ledger = try ledger(nil)
    #expect(ledger.reserve("a", 60, limit: 100, isForced: false, end: 10) == 60)
    #expect(ledger.reserve("a", 60, limit: 100, isForced: false, end: 10) == nil)
    ledger.settle("a", reserved: 60, used: 10, end: 10)
    #expect(ledger.reserve("a", 60, limit: 100, isForced: false, end: 10) == 70)
    #expect(ledger.reserve("b", 100, limit: 100, isForced: false, end: 10) == 100)
    // More than was reserved counts too.
    ledger.settle("a", reserved: 60, used: 500, end: 10)
    #expect(ledger.amounts(end: 10).first { $0.key == "a" }?.used == 510)
    #expect(ledger.reserve("a", 1, limit: 100, isForced: false, end: 10) == nil)
    #expect(ledger.reserve("a", 1, limit: 100, isForced: true, end: 10) == 511)
  }

  @Test func `a new period begins with nothing, and what was of the old one does not count in it`() throws {
    let ledger = try ledger(nil)
    #expect(ledger.reserve("a", 100, limit: 100, isForced: false, end: 10) == 100)
    #expect(ledger.reserve("a", 30, limit: 100, isForced: false, end: 20) == 30)
    ledger.settle("a", reserved: 100, used: 0, end: 10)
    #expect(ledger.amounts(end: 20).map(\.used) == [30])
    #expect(ledger.amounts(end: 10).isEmpty)
    // A clock that goes back begins no period anew.
    #expect(ledger.reserve("a", 80, limit: 100, isForced: false, end: 10) == nil)
  }

  @Test func `of many at once no more are admitted than fit`() throws {
    let ledger = try ledger(nil)
    let admitted = Lock(0)
    let threads = try (0..<4).map { number in
      try Thread.start(name: "spender-\(number)") {
        for _ in 0..<1000 where ledger.reserve("a", 7, limit: 700, isForced: false, end: 1) != nil {
          admitted.withLock { $0 += 1 }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(admitted.withLock { $0 } == 100)
  }

  @Test func `keys beyond what is counted share one allowance`() throws {
    let ledger = try ledger(nil, keys: 2)
    for key in ["a", "b"] { #expect(ledger.reserve(key, 10, limit: 100, isForced: false, end: 1) == 10) }
    #expect(ledger.reserve("c", 90, limit: 100, isForced: false, end: 1) == 90)
    #expect(ledger.reserve("d", 90, limit: 100, isForced: false, end: 1) == nil)
    ledger.settle("c", reserved: 90, used: 5, end: 1)
    #expect(ledger.reserve("d", 90, limit: 100, isForced: false, end: 1) == 95)
    #expect(ledger.reserve("a", 90, limit: 100, isForced: false, end: 1) == 100)
  }

  @Test func `what was written is there again, whatever the key has in it`() throws {
    let first = try ledger()
    let keys = ["\u{1F}team one", "a%b", "", "ümlaut\n\u{1F}\u{1E}127.0.0.1"]
    for (number, key) in keys.enumerated() {
      _ = first.reserve(key, number + 1, limit: 100, isForced: false, end: 500)
    }
    first.write()
    let second = try ledger()
    #expect(second.amounts(end: 500).sorted { $0.used < $1.used }.map(\.key) == keys)
    #expect(second.reserve(keys[3], 97, limit: 100, isForced: false, end: 500) == nil)
    #expect(try FileSystem.list(directory.path) == ["s"])
  }

  @Test(arguments: [
    "", "hello", "sluice spending 1\n", "sluice spending 1\nx\n", "sluice spending 1\n5\n1\n",
    "sluice spending 1\n5\n-1 a\n", "sluice spending 1\n5\n1 a\n1 a\n", "sluice spending 1\n5\n1 a%\n",
    "sluice spending 1\n5\n1 a%zz\n", "sluice quota 1\nff 5\n",
  ])
  func `a file of something else is not taken for its own`(text: String) throws {
    try directory.write(text, to: "s")
    #expect(throws: PluginError.self) { try ledger() }
  }

  @Test func `amounts that no counter holds do not overflow`() throws {
    let ledger = try ledger(nil)
    #expect(ledger.reserve("a", .max, limit: 100, isForced: true, end: 1) == .max)
    #expect(ledger.reserve("a", .max, limit: 100, isForced: true, end: 1) == .max)
    ledger.settle("a", reserved: .max, used: .max, end: 1)
    #expect(TokenPrice(input: 5000, output: .max).cost(input: .max, output: .max) == .max / 4 * 2)
  }

  // MARK: What people write

  @Test(arguments: [
    ("200000/min", 200_000, Allowance.Period.minute), ("1/h", 1, .hour), ("5/day", 5, .day), ("7/month", 7, .month),
  ])
  func `tokens in a period are read`(text: String, amount: Int, period: Allowance.Period) throws {
    let allowance = try #require(Allowance(text, .tokens))
    #expect(allowance.amount == amount && allowance.period == period && allowance.text == text)
  }

  @Test(arguments: [
    ("50/day", 50_000_000_000), ("0.5/h", 500_000_000), ("12.000001/month", 12_000_001_000),
    ("1000000/min", 1_000_000_000_000_000),
  ])
  func `USD in a period are exact`(text: String, nano: Int) throws {
    let allowance = try #require(Allowance(text, .nanousd))
    #expect(allowance.amount == nano && allowance.text == text)
  }

  @Test(arguments: [
    "", "5", "5/", "/day", "5/week", "-5/day", "+5/day", "0/day", "1e3/day", "5/day/day", "1.0000001/day", "1./day",
    ".5/day", "1000001/day", "99999999999999999999/day",
  ])
  func `what is no amount in a period is refused`(text: String) {
    #expect(Allowance(text, .nanousd) == nil)
    #expect(text.contains(".") || text.contains("1000001") || Allowance(text, .tokens) == nil)
  }

  @Test func `periods end with the clock`() throws {
    let now = try #require(CalendarTime.parse("2026-12-31T23:59:30Z"))
    let next = try #require(CalendarTime.parse("2027-01-01"))
    for period in Allowance.Period.allCases { #expect(period.end(of: now) == next) }
    #expect(Allowance.Period.minute.end(of: next) == next + 60)
    #expect(Allowance.Period.hour.end(of: next) == next + 3600)
  }

  @Test func `a limit for a day that would forget is warned of`() {
    #expect(PluginFixture.mistakes(Budget.self, "budget: { usd: 5/day }").contains("begins anew"))
    #expect(PluginFixture.mistakes(TokenLimit.self, "token_limit: { tokens: 5/week }").contains("a number of tokens"))
    #expect(PluginFixture.mistakes(TokenLimit.self, "token_limit: 5/min").isEmpty)
    #expect(PluginFixture.mistakes(Budget.self, "budget: { usd: 5/day, file: x }").isEmpty)
  }

  // MARK: Calls

  private func call(input: Int = 10, output: Int? = 20, price: TokenPrice? = TokenPrice(input: 1, output: 2))
    -> ModelCall
  {
    ModelCall(
      asked: "fast", provider: "p", model: "m", streams: false, inputTokens: input, outputTokens: output, price: price)
  }

  private func ask(
    _ chain: Chain, _ call: ModelCall, user: String = "a", at seconds: Int = 100_000
  ) async throws -> (fault: Fault?, note: String) {
    var fixture = try ExchangeFixture("POST / HTTP/1.1\nHost: a.example\nX-User: \(user)\n\n")
    fixture.exchange.began = seconds * 1_000_000_000
    let verdict = await chain.runModelCall(call, &fixture.exchange)
    if case .fail(let fault) = verdict { return (fault, fixture.exchange.faultNote) }
    return (nil, "")
  }

  @Test func `tokens are reserved by what the call may use, and settled by what it did`() async throws {
    let chain = try PluginFixture.chain(
      "token_limit: { tokens: 100/h, key: header.x-user, name: t }", of: definitions)
    let first = call(input: 10, output: 50)
    #expect(try await ask(chain, first).fault == nil)
    let refused = try await ask(chain, call(input: 10, output: 50), at: 100_000)
    #expect(refused.fault?.status == 429 && refused.fault?.code.description == "token_limit_exceeded")
    #expect(refused.fault?.retryAfter == 800 && refused.fault?.isFinal == false)
    #expect(refused.note == "The token limit `t` allows 100/h and begins anew in 800 s.")
    #expect(try await ask(chain, call(input: 10, output: 50), user: "b").fault == nil)
    first.settle(ModelOutcome(inputTokens: 9, outputTokens: 1))
    // A second time tells nothing.
    first.settle(ModelOutcome(inputTokens: 90, outputTokens: 1))
    #expect(try await ask(chain, call(input: 10, output: 50)).fault == nil)
    #expect(try await ask(chain, call(input: 10, output: 50), at: 100_800).fault == nil)
  }

  @Test func `a call that says no limit reserves what the configuration says`() async throws {
    let chain = try PluginFixture.chain("token_limit: { tokens: 100/h, answer: 30 }", of: definitions)
    let first = call(input: 10, output: nil)
    #expect(try await ask(chain, first).fault == nil)
    first.settle(ModelOutcome(inputTokens: 10, outputTokens: 500))
    #expect(try await ask(chain, call(input: 1, output: 0)).fault != nil)
  }

  @Test func `a call that never fits is told so`() async throws {
    let chain = try PluginFixture.chain("token_limit: { tokens: 100/h }", of: definitions)
    let answer = try await ask(chain, call(input: 1, output: 100))
    #expect(answer.fault?.isFinal == true && answer.fault?.retryAfter == 0)
    #expect(answer.note.contains("this call alone may need more"))
  }

  @Test func `a spent budget is what clients know as an insufficient quota`() async throws {
    let chain = try PluginFixture.chain(
      "budget: { usd: 0.000001/day, file: \(directory["b"]), name: team }", of: definitions)
    // 10 × 10 + 20 × 20 = 500 billionths of a USD, of 1000.
    let calls = (0..<3).map { _ in call(price: TokenPrice(input: 10, output: 20)) }
    for call in calls.prefix(2) { #expect(try await ask(chain, call).fault == nil) }
    let refused = try await ask(chain, calls[2])
    #expect(refused.fault?.reason.description == "insufficient_quota" && refused.fault?.isFinal == true)
    #expect(refused.note.contains("`team` allows 0.000001/day"))
    calls[0].settle(ModelOutcome(isHit: true))
    #expect(try await ask(chain, calls[2]).fault == nil)
  }

  @Test func `the tokens of a model without a price count as those of the one that was chosen`() async throws {
    let chain = try PluginFixture.chain("budget: { usd: 0.000001/h }", of: definitions)
    let first = call(price: TokenPrice(input: 10, output: 20))
    #expect(try await ask(chain, first).fault == nil)
    first.settle(ModelOutcome(inputTokens: 10, outputTokens: 45))
    #expect(try await ask(chain, call(input: 1, output: 0, price: TokenPrice(input: 1, output: 1))).fault != nil)
  }

  @Test func `a budget lets no call by that it cannot count`() async throws {
    let strict = try PluginFixture.chain("budget: { usd: 1/h }", of: definitions)
    #expect(try await ask(strict, call(price: nil)).fault?.reason.description == "no_price")
    let shadow = try PluginFixture.chain("budget: { usd: 1/h, shadow: true }", of: definitions)
    #expect(try await ask(shadow, call(price: nil)).fault == nil)
  }

  @Test func `in shadow everything counts and nothing is refused`() async throws {
    let worker = StillWorker()
    let chain = try PluginFixture.chain(
      "token_limit: { tokens: 50/h, shadow: true, name: t }", of: definitions, on: worker)
    for _ in 0..<3 { #expect(try await ask(chain, call()).fault == nil) }
    #expect(
      worker.counted("sluice_token_limit_decisions") == ["[\"t\", \"admitted\"]": 1, "[\"t\", \"shadowed\"]": 2])
  }

  @Test func `operators see who has used how much`() async throws {
    let book = try Budget.share(
      {
        var settings = SpendingSettings(.nanousd)
        settings.allowance = try #require(Allowance("1/h", .nanousd))
        settings.key = [.header("x-user"), .ip]
        return settings
      }())
    let chain = Chain([Budget(book, StillWorker())])
    for user in ["a", "b", "b"] { _ = try await ask(chain, call(), user: user) }
    let report = book.spend(now: 100_000)
    #expect(report.amounts.map(\.key) == ["b, 0.0.0.0", "a, 0.0.0.0"])
    #expect(report.amounts.map(\.used) == [100, 50] && report.end == 100_800 && report.limit == 1_000_000_000)
    #expect(book.spend(now: 200_000).amounts.isEmpty)
  }

  @Test(arguments: ["token_limit", "budget"])
  func `the example of its page loads`(name: String) throws {
    _ = try PluginFixture.chain(ofFile: try Page("plugins/\(name).md").example("yaml"), of: definitions)
  }
}
