import Configuration
import GatewayTesting
import Kernel
import PluginKit
import Plugins
import Testing

/// What a wall clock that steps does to limits: it may be set, and set right again, while the gateway runs.
struct WrongClockTests {
  private static let day = 86_400
  private let directory: TemporaryDirectory
  private let today: Int

  init() throws {
    directory = try TemporaryDirectory()
    today = try #require(CalendarTime.parse("2026-11-23T10:00:00Z"))
  }

  private func isAdmitted(_ chain: Chain, at seconds: Int) throws -> Bool {
    var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a.example\n\n")
    fixture.exchange.began = seconds * 1_000_000_000
    guard case .proceed = chain.runRequestHeadAtOnce(&fixture.exchange) else { return false }
    return true
  }

  private func quota(_ period: String) throws -> Chain {
    try PluginFixture.chain(
      "quota: { limit: 2, per: \(period), key: ip, file: \(directory["q"]) }", of: [PluginDefinition(Quota.self)])
  }

  @Test func `a clock that steps over midnight and back gives a quota once more, not twice`() throws {
    let quota = try quota("day")
    let answers = try [0, 0, 0, 1, 1, 1, 0, 0, 1].map { try isAdmitted(quota, at: today + $0 * Self.day) }
    #expect(answers == [true, true, false, true, true, false, false, false, false])
    #expect(try isAdmitted(quota, at: today + 2 * Self.day))
  }

  @Test(arguments: [("day", 3), ("day", 4000), ("month", 100), ("month", 4000)])
  func `a clock that was far ahead holds nobody back once it is right`(period: String, ahead: Int) throws {
    let quota = try quota(period)
    #expect(try isAdmitted(quota, at: today))
    for _ in 0..<2 { #expect(try isAdmitted(quota, at: today + ahead * Self.day)) }
    #expect(try !isAdmitted(quota, at: today + ahead * Self.day))
    let answers = try (0..<3).map { _ in try isAdmitted(quota, at: today) }
    #expect(answers == [true, true, false])
    #expect(try isAdmitted(quota, at: today + 32 * Self.day))
  }

  @Test func `a rate limit does not look at the wall clock`() throws {
    let worker = StillWorker()
    worker.now = Clock.monotonic
    let limit = try PluginFixture.chain(
      "rate_limit: { rate: 1/h, burst: 2 }", of: [PluginDefinition(RateLimit.self)], on: worker)
    let answers = try [0, 4000, -4000, 0, 4000].map { try isAdmitted(limit, at: today + $0 * Self.day) }
    #expect(answers == [true, true, false, false, false])
    worker.now += 3_600_000_000_000
    #expect(try isAdmitted(limit, at: today - 4000 * Self.day))
  }
}
