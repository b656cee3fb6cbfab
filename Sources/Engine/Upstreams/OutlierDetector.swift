import Synchronization

/// Counts a target's failures in a row, and knows until when it is left out.
///
/// One per target, shared by all workers without a lock. A success while nothing is wrong costs one load.
public final class OutlierDetector: Sendable {
  private let threshold: Int
  private let failures = Atomic<Int>(0)
  /// Monotonic nanoseconds.
  private let ejectedUntil = Atomic<Int>(.min)

  public init(threshold: Int) { self.threshold = max(1, threshold) }

  public func isEjected(now: Int) -> Bool { now < ejectedUntil.load(ordering: .relaxed) }

  public func recordSuccess() {
    if failures.load(ordering: .relaxed) != 0 { failures.store(0, ordering: .relaxed) }
  }

  /// Whether the target has now failed so often in a row that it should go; the count begins anew then.
  public func recordFailure() -> Bool {
    // The one that makes the count full is the one that empties it, whichever thread that is.
    guard failures.add(1, ordering: .relaxed).newValue == threshold else { return false }
    failures.store(0, ordering: .relaxed)
    return true
  }

  func eject(until moment: Int) { ejectedUntil.store(moment, ordering: .relaxed) }
}

extension TargetSet {
  /// Leaves a target out unless as many are out already as may be; whether it is out now.
  func eject(_ target: Target, by settings: OutlierSettings, now: Int) -> Bool {
    guard let outlier = target.outlier, !outlier.isEjected(now: now) else { return false }
    let out = targets.count { $0.outlier?.isEjected(now: now) ?? false }
    guard out + 1 <= Int(settings.maximum * Double(targets.count)) else { return false }
    outlier.eject(until: now + settings.ejectFor)
    return true
  }
}

extension Target {
  /// Whether neither its health nor its failures keep it out; its breaker is another matter.
  public func isIn(now: Int) -> Bool { health.isHealthy && !(outlier?.isEjected(now: now) ?? false) }
}
