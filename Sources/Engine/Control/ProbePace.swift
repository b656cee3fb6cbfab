/// When a target is probed next: a pure state machine, one for each target. Waits are nanoseconds.
///
/// A configured health check asks after its interval or up to a fifth sooner, so that the checks of many targets spread
/// out. A target that traffic took out is looked for sooner: quickly at first, because most are back within a second,
/// then less and less often; once one probe found it, those that are to confirm it follow quickly.
struct ProbePace: Sendable {
  /// The wait after the first probe that follows an ejection; it doubles with each further one.
  static let firstWait = 200_000_000
  static let longestWait = 2_000_000_000

  /// Of the configured health check; nil when there is none.
  private let interval: Int?
  /// The next wait while the target is looked for; nil while nobody misses it.
  private var backOff: Int?

  init(interval: Int?) { self.interval = interval }

  /// Traffic took the target out; the probe that is due now is up to the caller.
  mutating func hurry() { if backOff == nil { backOff = Self.firstWait } }

  /// How long to wait after a probe; nil when no other is due until traffic takes the target out.
  ///
  /// - Parameter succeeded: whether the probe did, which may not be enough to make the target healthy.
  mutating func wait(isHealthy: Bool, succeeded: Bool, random: inout some RandomNumberGenerator) -> Int? {
    if isHealthy { backOff = nil }
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
