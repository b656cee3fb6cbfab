import Synchronization

/// Keeps retries a small share of the traffic, so that they cannot bury an upstream that is failing already.
///
/// One per upstream, shared by all workers without a lock. A few retries at a time are always allowed, or an upstream
/// with little traffic would have none.
public final class RetryBudget: Sendable {
  /// So many retries may always be in flight.
  public static let alwaysInFlight = 3
  /// Nanoseconds that count as recent.
  public static let window = 10_000_000_000

  private let ratio: Double
  private let recent = SlidingWindow(length: window)
  private let inFlight = Atomic<Int>(0)

  /// - Parameter ratio: retries for each recent request, 0 to 1.
  public init(ratio: Double) { self.ratio = ratio }

  /// Counts a request's first attempt.
  public func countRequest(now: Int) { recent.count(isMarked: false, now: now) }

  /// Takes leave to retry; `release` follows when the retry has ended.
  public func acquire(now: Int) -> Bool {
    var count = inFlight.load(ordering: .relaxed)
    while true {
      guard count < Self.alwaysInFlight || isWithinRatio(now) else { return false }
      let (exchanged, seen) = inFlight.weakCompareExchange(
        expected: count, desired: count + 1, ordering: .relaxed)
      if exchanged { break }
      count = seen
    }
    recent.mark(now: now)
    return true
  }

  public func release() { inFlight.wrappingSubtract(1, ordering: .relaxed) }

  /// Retries in flight, for metrics.
  public var active: Int { inFlight.load(ordering: .relaxed) }

  private func isWithinRatio(_ now: Int) -> Bool {
    let (requests, retries) = recent.sums(now: now)
    return Double(retries + 1) <= ratio * Double(requests)
  }
}
