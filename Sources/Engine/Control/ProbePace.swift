/// When a target is probed next: a pure state machine, one for each target. Times and waits are nanoseconds.
///
/// A configured health check asks after its interval or up to a fifth sooner, so that the checks of many targets spread
/// out. A target that traffic took out is looked for sooner: at once, quickly after that, because most are back within
/// a second, then less and less often; once one probe found it, those that are to confirm it follow quickly. A target
/// that is out again soon after it came back, because it accepts connections and nothing more, waits longer each time.
struct ProbePace: Sendable {
  /// The wait after the first probe that follows an ejection; it doubles with each further one.
  static let firstWait = 200_000_000
  static let longestWait = 2_000_000_000
  /// A target that stayed for so long has come back for good.
  static let probation = 10_000_000_000

  /// Of the configured health check; nil when there is none.
  private let interval: Int?
  /// The next wait while the target is looked for; nil while nobody misses it.
  private var backOff: Int?
  /// When it last came back.
  private var returned: Int?
  /// The wait before the first probe, should it be taken out during its probation.
  private var penalty = firstWait

  init(interval: Int?) { self.interval = interval }

  /// Traffic took the target out: how long to wait before the first probe; nil when it is looked for already.
  mutating func hurry(now: Int, random: inout some RandomNumberGenerator) -> Int? {
    guard backOff == nil else { return nil }
    backOff = Self.firstWait
    guard let returned, now - returned < Self.probation else {
      penalty = Self.firstWait
      return 0
    }
    defer { penalty = min(penalty * 2, Self.longestWait) }
    return Self.jittered(penalty, &random)
  }

  /// How long to wait after a probe; nil when no other is due until traffic takes the target out.
  ///
  /// - Parameter succeeded: whether the probe did, which may not be enough to make the target healthy.
  mutating func wait(
    now: Int, isHealthy: Bool, succeeded: Bool, random: inout some RandomNumberGenerator
  ) -> Int? {
    if isHealthy, backOff != nil {
      backOff = nil
      returned = now
    }
    if succeeded, backOff != nil { backOff = Self.firstWait }
    guard let backOff else { return interval.map { Self.jittered($0, &random) } }
    self.backOff = min(backOff * 2, Self.longestWait)
    return Self.jittered(min(backOff, interval ?? .max), &random)
  }

  /// The wait before the first check of a target that is thought healthy: soon, but not all targets at once.
  func firstWait(random: inout some RandomNumberGenerator) -> Int? {
    interval.map { Int.random(in: 0...min($0, 1_000_000_000), using: &random) }
  }

  private static func jittered(_ wait: Int, _ random: inout some RandomNumberGenerator) -> Int {
    wait - Int.random(in: 0...(wait / 5), using: &random)
  }
}
