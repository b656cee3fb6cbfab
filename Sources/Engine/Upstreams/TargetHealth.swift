import Synchronization

/// Whether a target gets requests, as all workers and the prober see it.
///
/// Three reasons keep it out, each on its own bit: failures of traffic, failed health checks, and that it is being
/// removed. Every change is one atomic step that happens once, and the one that made it gets the transition to tell.
public final class TargetHealth: Sendable {
  public enum State: String, Sendable {
    case healthy
    /// Taken out by traffic: a refused connect, a reset before the first byte.
    case ejected
    /// Taken out by its health check.
    case unhealthy
    /// Being removed: what is in flight ends, nothing new comes.
    case draining
  }

  /// A change, for log and metrics.
  public struct Transition: Sendable, Equatable {
    public var from: State
    public var to: State

    public init(from: State, to: State) {
      self.from = from
      self.to = to
    }
  }

  private let word = Atomic<UInt64>(0)

  public init() {}

  public var state: State { Flags(word: word.load(ordering: .relaxed)).state }
  public var isHealthy: Bool { state == .healthy }

  /// Traffic found that the target does not answer. A probe brings it back.
  ///
  /// - Returns: the change, when it was not out already.
  public func eject() -> Transition? {
    update { flags in
      // Each ejection is counted, so that a check that began before it does not undo it.
      flags.isEjected = true
      flags.ejections &+= 1
    }
  }

  /// Takes the target out for good or, with false, back in.
  public func drain(_ isDraining: Bool = true) -> Transition? { update { $0.isDraining = isDraining } }

  /// A number that grows with every ejection.
  var ejections: UInt32 { Flags(word: word.load(ordering: .relaxed)).ejections }

  /// The health check failed often enough.
  fileprivate func markUnhealthy() -> Transition? { update { $0.isUnhealthy = true } }

  /// The health check succeeded often enough; undoes an ejection only when none came since `ejections`.
  fileprivate func markHealthy(ejections: UInt32) -> Transition? {
    update { flags in
      flags.isUnhealthy = false
      if flags.ejections == ejections { flags.isEjected = false }
    }
  }

  private func update(_ change: (inout Flags) -> Void) -> Transition? {
    var seen = word.load(ordering: .relaxed)
    while true {
      let old = Flags(word: seen)
      var new = old
      change(&new)
      let (exchanged, found) = word.weakCompareExchange(
        expected: seen, desired: new.word, ordering: .acquiringAndReleasing)
      if exchanged { return old.state == new.state ? nil : Transition(from: old.state, to: new.state) }
      seen = found
    }
  }

  /// The atomic word: a bit for each reason, and from bit 32 the ejections.
  private struct Flags {
    var word: UInt64

    var isEjected: Bool {
      get { word & 1 != 0 }
      set { word = newValue ? word | 1 : word & ~1 }
    }

    var isUnhealthy: Bool {
      get { word & 2 != 0 }
      set { word = newValue ? word | 2 : word & ~2 }
    }

    var isDraining: Bool {
      get { word & 4 != 0 }
      set { word = newValue ? word | 4 : word & ~4 }
    }

    var ejections: UInt32 {
      get { UInt32(truncatingIfNeeded: word >> 32) }
      set { word = word & 0xFFFF_FFFF | UInt64(newValue) << 32 }
    }

    var state: State { isDraining ? .draining : isUnhealthy ? .unhealthy : isEjected ? .ejected : .healthy }
  }
}

/// The side of the one prober: counts results in a row and moves the target when there are enough.
public struct HealthProbe {
  private let health: TargetHealth
  private let healthyAfter: Int
  private let unhealthyAfter: Int
  private var successes = 0
  private var failures = 0
  /// The ejections when the probe at hand began.
  private var ejections: UInt32 = 0
  /// The ejections when the first of the successes in a row began.
  private var ejectionsAtFirst: UInt32 = 0

  public init(of health: TargetHealth, healthyAfter: Int, unhealthyAfter: Int) {
    self.health = health
    self.healthyAfter = max(1, healthyAfter)
    self.unhealthyAfter = max(1, unhealthyAfter)
  }

  /// Called before each probe: its success speaks against failures before it only.
  public mutating func begin() { ejections = health.ejections }

  /// Called with each probe's result.
  public mutating func record(success: Bool) -> TargetHealth.Transition? {
    guard success else {
      successes = 0
      failures = min(failures + 1, unhealthyAfter)
      return failures == unhealthyAfter ? health.markUnhealthy() : nil
    }
    failures = 0
    if successes == 0 || ejectionsAtFirst != ejections {
      successes = 0
      ejectionsAtFirst = ejections
    }
    successes = min(successes + 1, healthyAfter)
    return successes == healthyAfter ? health.markHealthy(ejections: ejectionsAtFirst) : nil
  }
}
