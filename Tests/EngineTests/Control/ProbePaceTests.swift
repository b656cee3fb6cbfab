import Kernel
import Testing

@testable import Engine

private let milliseconds = 1_000_000

@Suite struct ProbePaceTests {
  /// Whether a wait is the one expected, or at most a fifth shorter.
  private func isAbout(_ wait: Int?, _ expected: Int) -> Bool {
    wait.map { $0 <= expected && $0 >= expected - expected / 5 } ?? false
  }

  @Test func `without a health check a healthy target is left alone`() {
    var random = SplitMix(seed: 1)
    var pace = ProbePace(interval: nil)
    #expect(pace.firstWait(random: &random) == nil)
    let wait = pace.wait(now: 0, isHealthy: true, succeeded: true, random: &random)
    #expect(wait == nil)
  }

  @Test func `a health check asks in its interval, healthy or not`() {
    var random = SplitMix(seed: 2)
    var pace = ProbePace(interval: 5000 * milliseconds)
    for isHealthy in [true, false, false, true] {
      let wait = pace.wait(now: 0, isHealthy: isHealthy, succeeded: isHealthy, random: &random)
      #expect(isAbout(wait, 5000 * milliseconds))
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `a target that traffic took out is looked for less and less often`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var pace = ProbePace(interval: nil)
    let first = pace.hurry(now: 0, random: &random)
    #expect(first == 0)
    for expected in [200, 400, 800, 1600, 2000, 2000, 2000] {
      let again = pace.hurry(now: 0, random: &random)
      #expect(again == nil)
      let wait = pace.wait(now: 0, isHealthy: false, succeeded: false, random: &random)
      #expect(isAbout(wait, expected * milliseconds), "\(expected) ms, seed \(seed)")
    }
  }

  @Test func `a probe that found it is confirmed quickly`() {
    var random = SplitMix(seed: 6)
    var pace = ProbePace(interval: 5000 * milliseconds)
    _ = pace.hurry(now: 0, random: &random)
    for _ in 0..<6 { _ = pace.wait(now: 0, isHealthy: false, succeeded: false, random: &random) }
    for (succeeded, expected) in [(true, 200), (true, 200), (false, 400)] {
      let wait = pace.wait(now: 0, isHealthy: false, succeeded: succeeded, random: &random)
      #expect(isAbout(wait, expected * milliseconds))
    }
  }

  @Test func `once it is back the next ejection begins anew`() {
    var random = SplitMix(seed: 3)
    var pace = ProbePace(interval: nil)
    _ = pace.hurry(now: 0, random: &random)
    for _ in 0..<5 { _ = pace.wait(now: 0, isHealthy: false, succeeded: false, random: &random) }
    let wait = pace.wait(now: 0, isHealthy: true, succeeded: true, random: &random)
    #expect(wait == nil)
    _ = pace.hurry(now: .max, random: &random)
    let again = pace.wait(now: 0, isHealthy: false, succeeded: false, random: &random)
    #expect(isAbout(again, 200 * milliseconds))
  }

  @Test func `a short interval is never waited out longer`() {
    var random = SplitMix(seed: 4)
    var pace = ProbePace(interval: 50 * milliseconds)
    _ = pace.hurry(now: 0, random: &random)
    for _ in 0..<6 {
      let wait = pace.wait(now: 0, isHealthy: false, succeeded: false, random: &random)
      #expect(isAbout(wait, 50 * milliseconds))
    }
  }

  @Test(arguments: [50, 1000, 60_000])
  func `first checks are spread over a second at most`(interval: Int) {
    var random = SplitMix(seed: 5)
    let pace = ProbePace(interval: interval * milliseconds)
    let waits = (0..<100).compactMap { _ in pace.firstWait(random: &random) }
    #expect(waits.count == 100 && Set(waits).count > 10)
    #expect(waits.allSatisfy { $0 >= 0 && $0 <= min(interval, 1000) * milliseconds })
  }

  @Test func `a target that comes and goes is looked for later each time, until it stays`() {
    var random = SplitMix(seed: 7)
    var pace = ProbePace(interval: nil)
    var now = 0
    for expected in [0, 200, 400, 800, 1600, 2000, 2000] {
      let wait = pace.hurry(now: now, random: &random)
      #expect(isAbout(wait, expected * milliseconds))
      _ = pace.wait(now: now, isHealthy: true, succeeded: true, random: &random)
      now += ProbePace.probation - 1
    }
    now += 1
    for expected in [0, 200] {
      let wait = pace.hurry(now: now, random: &random)
      #expect(isAbout(wait, expected * milliseconds))
      _ = pace.wait(now: now, isHealthy: true, succeeded: true, random: &random)
    }
  }
}
