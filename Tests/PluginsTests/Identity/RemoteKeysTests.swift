import Foreign
import Kernel
import PluginKit
import Testing

@testable import Plugins

/// When a key set is fetched, and how long it holds: times are seconds here.
@Suite struct RemoteKeysTests {
  private static let second = 1_000_000_000
  private let keys = RemoteKeys(
    RemoteKeys.Settings(refresh: 600 * second, cooldown: 30 * second, stale: 3600 * second, timeout: 5 * second))

  private func digest(_ text: String) -> SHA256Digest { SHA256.digest(of: text.utf8Span.span) }

  private func begin(_ now: Int, wanted: Bool = false) -> Flight? {
    if case .fetch(let flight) = keys.turn(now: now * Self.second, wanted: wanted) { return flight }
    return nil
  }

  private func next(_ now: Int, wanted: Bool = false) -> Int? {
    if case .notBefore(let time) = keys.turn(now: now * Self.second, wanted: wanted) { return time / Self.second }
    return nil
  }

  /// Fetches at a time what has this content.
  private func fetch(_ now: Int, _ text: String, lifetime: Int? = nil, wanted: Bool = false) throws -> Bool {
    let flight = try #require(begin(now, wanted: wanted))
    return keys.succeed(
      flight, VerificationKeys([]), digest(text), lifetime: lifetime.map { $0 * Self.second }, now: now * Self.second)
  }

  @Test func `the first fetch is due at once, and one worker makes it`() throws {
    #expect(keys.currentVersion(now: 0) == -1)
    let flight = try #require(begin(0))
    guard case .running(let other) = keys.turn(now: Self.second, wanted: true) else {
      Issue.record("two fetch at once")
      return
    }
    #expect(other === flight)
    #expect(keys.succeed(flight, VerificationKeys([]), digest("a"), lifetime: nil, now: 2 * Self.second))
    #expect(keys.currentVersion(now: 3 * Self.second) == 1)
    #expect(next(3) == 602)
  }

  @Test func `a fetch whose worker is gone is over some time`() {
    #expect(begin(0) != nil)
    #expect(begin(9) == nil && begin(10) != nil)
  }

  @Test func `other keys are another version, and the same are not`() throws {
    #expect(try fetch(0, "a"))
    #expect(try !fetch(600, "a"))
    #expect(keys.currentVersion(now: 601 * Self.second) == 1)
    #expect(try fetch(1200, "b"))
    #expect(keys.currentVersion(now: 1201 * Self.second) == 2)
  }

  @Test(arguments: [(nil, 600), (0, 30), (100, 100), (5, 30), (100_000, 600)])
  func `an answer says how soon it is fetched again, within bounds`(_ lifetime: Int?, _ due: Int) throws {
    _ = try fetch(0, "a", lifetime: lifetime)
    #expect(next(1) == due)
  }

  @Test func `who wants other keys gets them once in a cooldown`() throws {
    _ = try fetch(0, "a")
    #expect(!keys.mayFetch(now: 29 * Self.second) && next(29, wanted: true) == 30)
    #expect(keys.mayFetch(now: 30 * Self.second))
    #expect(try !fetch(30, "a", wanted: true))
    #expect(next(31, wanted: true) == 60 && !keys.mayFetch(now: 31 * Self.second))
  }

  @Test func `failures are tried again later and later, and keys hold until they are too old`() throws {
    _ = try fetch(0, "a")
    var (now, waits) = (600, [Int]())
    for _ in 0..<12 {
      let flight = try #require(begin(now))
      keys.fail(flight, now: now * Self.second, random: .max)
      var time = now
      while begin(time + 1) == nil { time += 1 }
      // The fetch that this began is given up, as no worker ends it.
      waits.append(time + 1 - now)
      now = time + 11
    }
    for (index, wait) in waits.enumerated() {
      let longest = min(600, 1 << index)
      #expect((longest / 2...longest).contains(wait), "\(waits)")
    }
    #expect(keys.currentVersion(now: 4199 * Self.second) == 1)
    #expect(keys.currentVersion(now: 4200 * Self.second) == -1)
  }

  @Test(arguments: [
    ("max-age=60", 60), ("public, Max-Age=5 , must-revalidate", nil), ("no-store", 0), ("max-age=-1", nil),
    ("max-age=99999999999999999999", nil), ("private", nil), ("max-age=60, no-cache", 0),
  ])
  func `a lifetime is read of a field`(_ field: String, _ seconds: Int?) {
    #expect(CacheLifetime.seconds(field) == seconds.map { $0 * Self.second })
    #expect(CacheLifetime.seconds(nil) == nil)
  }
}
