import PluginKit

/// What one call has tried so far.
struct AttemptHistory: ~Copyable {
  private var targets: [TargetPool] = []
  private var stale: TargetPool?
  private var choice: TargetPool?
  /// What the breaker of the attempt at hand wants back.
  var pass: CircuitBreaker.Pass?
  var lastFault: Fault?

  mutating func reset() {
    if !targets.isEmpty { targets.removeAll(keepingCapacity: true) }
    stale = nil
    choice = nil
    pass = nil
    lastFault = nil
  }

  mutating func insert(_ target: TargetPool) { targets.append(target) }

  /// Remembers a target whose resting connection was stale: it is asked once more, over a new one.
  mutating func insertStale(_ target: TargetPool) { stale = target }

  mutating func takeStale() -> TargetPool? {
    guard let target = stale else { return nil }
    stale = nil
    return target.isMember ? target : nil
  }

  /// Remembers the balancer's choice for a call that could not be made at once.
  mutating func choose(_ target: TargetPool) { choice = target }

  mutating func takeChoice() -> TargetPool? {
    guard let target = choice else { return nil }
    choice = nil
    return target.isMember ? target : nil
  }

  /// The places of the tried targets in their upstream.
  var indices: TriedTargets {
    var tried = TriedTargets()
    for target in targets where target.isMember { tried.insert(target.index) }
    return tried
  }
}
