public import Kernel

/// When a host is to be looked up again, and what its addresses are meanwhile.
///
/// A pure state machine, one for each host: answers are followed by their TTL within bounds, failures by a growing
/// wait, while the last good answer stays in force. Times are monotonic nanoseconds.
public struct ResolverSchedule: Sendable {
  public struct Limits: Sendable, Equatable {
    /// Shorter TTLs count as this much: a zone with a TTL of 0 is not asked all the time.
    public var minimumTTL: Int
    /// Longer ones as this much: a mistake in a zone is not kept for a week.
    public var maximumTTL: Int
    /// The wait after a first failure; it doubles with each further one.
    public var firstRetry: Int
    public var maximumRetry: Int

    public init(
      minimumTTL: Int = 5_000_000_000, maximumTTL: Int = 300_000_000_000, firstRetry: Int = 1_000_000_000,
      maximumRetry: Int = 30_000_000_000
    ) {
      self.minimumTTL = minimumTTL
      self.maximumTTL = max(minimumTTL, maximumTTL)
      self.firstRetry = firstRetry
      self.maximumRetry = max(firstRetry, maximumRetry)
    }
  }

  private let limits: Limits
  /// The last good answer, in no order that means anything; empty until there is one.
  package private(set) var addresses: [IPAddress] = []
  /// When to look up next; nil while a look-up is under way, and for good after a literal.
  package private(set) var due: Int?
  /// Failures since the last good answer, counted up to 64.
  package private(set) var failures = 0

  /// - Parameter now: the first look-up is due at once.
  public init(_ limits: Limits = Limits(), now: Int) {
    self.limits = limits
    due = now
  }

  /// Whether to look up now; if so the look-up counts as under way until its end is told.
  public mutating func begin(now: Int) -> Bool {
    guard let due, now >= due else { return false }
    self.due = nil
    return true
  }

  /// Makes a look-up due at once, whether or not one is under way, whose end is then not to be told.
  public mutating func restart(now: Int) { due = now }

  /// Takes a good answer.
  ///
  /// - Parameters:
  ///   - ttl: seconds; nil when the answer never changes.
  ///   - random: spreads look-ups of many hosts that began together over the last tenth of their time.
  /// - Returns: whether the addresses are others than before.
  public mutating func succeeded(
    _ answer: [IPAddress], ttl: Int?, now: Int, random: inout some RandomNumberGenerator
  ) -> Bool {
    failures = 0
    due = ttl.map { seconds in
      let wanted = seconds > limits.maximumTTL / 1_000_000_000 ? limits.maximumTTL : seconds * 1_000_000_000
      let wait = max(limits.minimumTTL, wanted)
      return now + wait - Int.random(in: 0...(wait / 10), using: &random)
    }
    let isChanged = Set(answer) != Set(addresses)
    if isChanged { addresses = answer }
    return isChanged
  }

  /// Takes a failure: the last good answer stays, and the next try waits longer than the one before.
  public mutating func failed(now: Int, random: inout some RandomNumberGenerator) {
    var wait = limits.firstRetry
    for _ in 0..<failures where wait < limits.maximumRetry { wait *= 2 }
    wait = min(wait, limits.maximumRetry)
    failures = min(failures + 1, 64)
    due = now + wait - Int.random(in: 0...(wait / 10), using: &random)
  }
}
