import Configuration
import GatewayTesting
import Kernel
import PluginKit
import Testing

@testable import Plugins

@Suite struct QuotaTests {
  private static let day = 86_400
  private let directory: TemporaryDirectory
  private let definitions = [PluginDefinition(Quota.self)]

  init() throws { directory = try TemporaryDirectory() }

  private func ledger(keys: Int = 1024) throws -> QuotaLedger { try QuotaLedger(directory["q"], keys: keys) }

  @Test func `so many are admitted in a period, and as many in the next`() throws {
    let ledger = try ledger()
    for used in 1...3 { #expect(ledger.charge(7, limit: 3, end: 100) == .admitted(used, evicted: 0)) }
    #expect(ledger.charge(7, limit: 3, end: 100) == .refused)
    #expect(ledger.charge(8, limit: 3, end: 100) == .admitted(1, evicted: 0))
    #expect(ledger.charge(7, limit: 3, end: 200) == .admitted(1, evicted: 0))
    // A clock that goes back begins no period anew.
    #expect(ledger.charge(7, limit: 3, end: 100) == .admitted(2, evicted: 0))
  }

  @Test func `what was written is there again`() throws {
    let first = try ledger()
    for key in 1...100 { for _ in 0..<key % 5 + 1 { _ = first.charge(UInt64(key), limit: 10, end: 500) } }
    first.write()
    let second = try ledger()
    #expect(second.seed == first.seed)
    #expect(second.charge(4, limit: 10, end: 500) == .admitted(6, evicted: 0))
    #expect(second.charge(5, limit: 10, end: 500) == .admitted(2, evicted: 0))
    #expect(second.charge(101, limit: 10, end: 500) == .admitted(1, evicted: 0))
    #expect(try FileSystem.list(directory.path) == ["q"])
  }

  @Test(arguments: [
    "", "hello", "sluice quota 1\n", "sluice quota 1\nzz 5\n", "sluice quota 1\nff 5\n1 1\n1 1\n",
    "sluice quota 1\nff 5\n1\n",
    "sluice quota 1\nff 5\n1 -1\n", "sluice quota 2\nff 5\n",
  ])
  func `a file of something else is not taken for a quota's`(text: String) throws {
    try directory.write(text, to: "q")
    #expect(throws: PluginError.self) { try ledger() }
  }

  @Test func `when it is full the one that used least of some is given up`() throws {
    let ledger = try ledger(keys: 16)
    for key in 0..<16 { for _ in 0..<50 { _ = ledger.charge(UInt64(key), limit: 100, end: 1) } }
    #expect(ledger.charge(99, limit: 100, end: 1) == .admitted(1, evicted: 1))
    var evicted = 0
    for key in 100..<400 {
      if case .admitted(1, let others) = ledger.charge(UInt64(key), limit: 100, end: 1) { evicted += others }
    }
    #expect(evicted == 300)
    // Those who make up keys drive out each other for the most part.
    let kept = (0..<16).count { key in
      if case .admitted(let used, _) = ledger.charge(UInt64(key), limit: 100, end: 1) { used == 51 } else { false }
    }
    #expect(kept > 0)
  }

  private func ask(_ chain: Chain, at seconds: Int, _ fields: String = "") throws -> (
    verdict: Verdict, fields: [String]
  ) {
    var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a.example\n\(fields)\n")
    fixture.exchange.began = seconds * 1_000_000_000
    let verdict = chain.runRequestHeadAtOnce(&fixture.exchange)
    if case .fail(let fault) = verdict { fixture.refuse(fault) } else { try fixture.receive("HTTP/1.1 200 OK\n\n") }
    chain.runResponseHead(&fixture.exchange)
    return (verdict, fixture.answered.filter { $0.hasPrefix("RateLimit") })
  }

  @Test(arguments: [("day", "2026-11-24"), ("month", "2026-12-01")])
  func `a refusal says when the period ends`(period: String, next: String) throws {
    let chain = try PluginFixture.chain(
      "quota: { limit: 2, per: \(period), key: header.x-user, file: \(directory["q"]) }", of: definitions)
    let now = try #require(CalendarTime.parse("2026-11-23T10:00:00Z"))
    let end = try #require(CalendarTime.parse(next))
    let first = try ask(chain, at: now, "X-User: a\n")
    #expect(first.fields.last == "RateLimit: \"2/\(period)\";r=1;t=\(end - now)")
    _ = try ask(chain, at: now + 1, "X-User: a\n")
    guard case .fail(let fault) = try ask(chain, at: now + 2, "X-User: a\n").verdict else {
      Issue.record("it was admitted")
      return
    }
    #expect(fault.status == 429 && fault.retryAfter == end - now - 2)
    guard case .proceed = try ask(chain, at: now + 3, "X-User: b\n").verdict,
      case .proceed = try ask(chain, at: end, "X-User: a\n").verdict
    else {
      Issue.record("another user, or the next period, was refused")
      return
    }
  }

  @Test func `in shadow it counts and refuses nothing`() throws {
    let worker = StillWorker()
    let chain = try PluginFixture.chain(
      "quota: { limit: 1, name: q, shadow: true, file: \(directory["q"]) }", of: definitions, on: worker)
    for _ in 0..<3 {
      let answer = try ask(chain, at: 1000)
      guard case .proceed = answer.verdict else {
        Issue.record("it was refused")
        return
      }
      #expect(answer.fields.isEmpty)
    }
    #expect(worker.counted("sluice_quota_decisions") == ["[\"q\", \"admitted\"]": 1, "[\"q\", \"shadowed\"]": 2])
  }

  @Test func `a quota that would forget is a mistake`() {
    #expect(PluginFixture.mistakes(Quota.self, "quota: { limit: 1 }").contains("needs a `file`"))
    #expect(PluginFixture.mistakes(Quota.self, "quota: { limit: 0, file: x }").contains("out of range"))
    #expect(PluginFixture.mistakes(Quota.self, "quota: { limit: 1, per: week, file: x }").contains("no known word"))
  }

  @Test func `the example of its page loads`() throws {
    _ = try PluginFixture.chain(ofFile: try Page("plugins/quota.md").example("yaml"), of: definitions)
  }
}
