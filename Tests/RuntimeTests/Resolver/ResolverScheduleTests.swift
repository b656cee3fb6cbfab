import Kernel
import Testing

@testable import Runtime

private let seconds = 1_000_000_000

@Suite struct ResolverScheduleTests {
  private let one = IPAddress(v4: 0x7F00_0001)
  private let two = IPAddress(v4: 0x7F00_0002)
  private let limits = ResolverSchedule.Limits(
    minimumTTL: 5 * seconds, maximumTTL: 100 * seconds, firstRetry: 1 * seconds, maximumRetry: 30 * seconds)

  @Test func `the first look-up is due at once and one is under way at a time`() {
    var schedule = ResolverSchedule(limits, now: 7)
    #expect(schedule.due == 7)
    let begins = schedule.begin(now: 7)
    #expect(begins)
    #expect(schedule.due == nil)
    let beginsAgain = schedule.begin(now: 1000 * seconds)
    #expect(!beginsAgain)
  }

  @Test(arguments: [(0, 5), (4, 5), (5, 5), (37, 37), (100, 100), (101, 100), (.max, 100)])
  func `the next look-up follows the TTL within bounds`(ttl: Int, expected: Int) {
    for seed in 0..<50 as Range<UInt64> {
      var random = SplitMix(seed: seed)
      var schedule = ResolverSchedule(limits, now: 0)
      _ = schedule.begin(now: 0)
      let isChanged = schedule.succeeded([one], ttl: ttl, now: 3 * seconds, random: &random)
      #expect(isChanged)
      let wait = (schedule.due ?? 0) - 3 * seconds
      #expect(wait <= expected * seconds && wait >= expected * seconds * 9 / 10)
      let beginsEarly = schedule.begin(now: schedule.due! - 1)
      #expect(!beginsEarly)
      let begins = schedule.begin(now: schedule.due!)
      #expect(begins)
    }
  }

  @Test func `a literal is never looked up again`() {
    var random = SplitMix(seed: 1)
    var schedule = ResolverSchedule(limits, now: 0)
    _ = schedule.begin(now: 0)
    let isChanged = schedule.succeeded([one], ttl: nil, now: 0, random: &random)
    #expect(isChanged)
    #expect(schedule.due == nil)
    let beginsAgain = schedule.begin(now: .max)
    #expect(!beginsAgain)
    #expect(schedule.addresses == [one])
  }

  @Test func `only other addresses are a change, whatever their order`() {
    var random = SplitMix(seed: 1)
    var schedule = ResolverSchedule(limits, now: 0)
    let isFirst = schedule.succeeded([one, two], ttl: 5, now: 0, random: &random)
    #expect(isFirst)
    let isReordered = schedule.succeeded([two, one], ttl: 5, now: 1, random: &random)
    #expect(!isReordered)
    let begins0 = schedule.succeeded([two], ttl: 5, now: 2, random: &random)
    #expect(begins0)
    #expect(schedule.addresses == [two])
  }

  @Test func `failures keep the last good answer and wait longer each time, up to a limit`() {
    var random = SplitMix(seed: 1)
    var schedule = ResolverSchedule(limits, now: 0)
    _ = schedule.succeeded([one], ttl: 5, now: 0, random: &random)
    for wait in [1, 2, 4, 8, 16] + Array(repeating: 30, count: 100) {
      schedule.failed(now: 0, random: &random)
      #expect(schedule.due! <= wait * seconds && schedule.due! >= wait * seconds * 9 / 10)
      #expect(schedule.addresses == [one])
    }
    #expect(schedule.failures == 64)
    _ = schedule.succeeded([one], ttl: 5, now: 0, random: &random)
    #expect(schedule.failures == 0)
    schedule.failed(now: 0, random: &random)
    #expect(schedule.due! <= 1 * seconds)
  }
}
