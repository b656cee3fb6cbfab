import Synchronization

/// When a target that fails too often is left alone, and for how long. Durations are nanoseconds.
public struct CircuitBreakerLimits: Sendable, Equatable {
  /// Opens at this share of failures, above 0 and up to 1.
  public var failureRatio: Double
  /// Below so many requests in the window the ratio says nothing.
  public var minimumRequests: Int
  public var window: Int
  public var openFor: Int
  /// So many probes must all succeed to close it again; from 1 to 100.
  public var halfOpenRequests: Int

  public init(failureRatio: Double, minimumRequests: Int, window: Int, openFor: Int, halfOpenRequests: Int) {
    self.failureRatio = failureRatio
    self.minimumRequests = minimumRequests
    self.window = window
    self.openFor = openFor
    self.halfOpenRequests = min(max(1, halfOpenRequests), 100)
  }
}

/// Leaves a failing target alone: closed → open → half-open → closed or open again.
///
/// One per target, shared by all workers. Phase, deadline and the counts of probes are one atomic word, so every
/// transition happens once and whole, whoever makes it; no lock is held. While closed, a request costs a load and an
/// addition.
public final class CircuitBreaker: Sendable {
  public enum State: Sendable, Equatable { case closed, open, halfOpen }

  /// What a request was admitted as; its result is reported with it.
  public struct Pass: Sendable, Equatable {
    public let isProbe: Bool
    fileprivate let period: UInt8
  }

  public enum Admission: Sendable, Equatable {
    case admitted(Pass)
    /// `beginsHalfOpen`: this request made the transition.
    case probe(Pass, beginsHalfOpen: Bool)
    /// - until: monotonic nanoseconds before which asking again is vain.
    case refused(until: Int)
  }

  public enum Outcome: Sendable {
    case success, failure
    /// Nobody knows: the client left first. A probe's place becomes free again.
    case abandoned
  }

  private let limits: CircuitBreakerLimits
  private let window: SlidingWindow
  private let word = Atomic<UInt64>(0)

  public init(_ limits: CircuitBreakerLimits) {
    self.limits = limits
    window = SlidingWindow(length: limits.window)
  }

  public var state: State { Status(word: word.load(ordering: .relaxed)).state }

  /// Whether `admit` would let a request through now; changes nothing.
  public func wouldAdmit(now: Int) -> Bool {
    let status = Status(word: word.load(ordering: .relaxed))
    switch status.state {
    case .closed: return true
    case .open: return now >= status.deadline
    case .halfOpen: return status.admitted < limits.halfOpenRequests || now >= status.deadline
    }
  }

  /// Monotonic nanoseconds when it admits a request again, where it admits none now; for a half-open one at the latest.
  public var admitsFrom: Int { Status(word: word.load(ordering: .relaxed)).deadline }

  /// Asks for a request to be let through; every pass is reported by `record`.
  public func admit(now: Int) -> Admission {
    while true {
      let status = Status(word: word.load(ordering: .acquiring))
      var next = status
      switch status.state {
      case .closed: return .admitted(Pass(isProbe: false, period: status.period))
      case .open:
        guard now >= status.deadline else { return .refused(until: status.deadline) }
        next = Status(.halfOpen, period: status.period &+ 1, deadline: now + patience)
        next.admitted = 1
      case .halfOpen:
        if status.admitted < limits.halfOpenRequests {
          next.admitted += 1
        } else {
          guard now >= status.deadline else { return .refused(until: status.deadline) }
          // Probes that were never reported are given up, and their places given out again.
          next.admitted = status.succeeded + 1
          next.deadline = now + patience
        }
      }
      if exchange(status, next) {
        return .probe(Pass(isProbe: true, period: next.period), beginsHalfOpen: status.state == .open)
      }
    }
  }

  /// Reports how an admitted request ended.
  ///
  /// A result from before the last time it opened says nothing about now and is ignored.
  ///
  /// - Returns: the state that this result led to, when it changed.
  @discardableResult
  public func record(_ outcome: Outcome, _ pass: Pass, now: Int) -> State? {
    while true {
      let status = Status(word: word.load(ordering: .acquiring))
      guard status.period == pass.period else { return nil }
      switch status.state {
      case .open: return nil
      case .closed:
        guard !pass.isProbe, outcome != .abandoned else { return nil }
        window.count(isMarked: outcome == .failure, period: pass.period, now: now)
        return outcome == .failure && failsTooOften(pass.period, now) ? open(from: status, now) : nil
      case .halfOpen:
        guard pass.isProbe else { return nil }
        let next = afterProbe(outcome, status, now)
        if exchange(status, next) { return next.state == .halfOpen ? nil : next.state }
      }
    }
  }

  /// How long half-open waits for its probes.
  private var patience: Int { max(limits.openFor, 1_000_000_000) }

  private func afterProbe(_ outcome: Outcome, _ status: Status, _ now: Int) -> Status {
    var next = status
    switch outcome {
    case .failure: return Status(.open, period: status.period, deadline: now + limits.openFor)
    case .abandoned: next.admitted = max(status.succeeded, status.admitted - 1)
    case .success:
      next.succeeded += 1
      next.admitted = max(next.admitted, next.succeeded)
      if next.succeeded >= limits.halfOpenRequests { return Status(.closed, period: status.period, deadline: 0) }
    }
    return next
  }

  private func failsTooOften(_ period: UInt8, _ now: Int) -> Bool {
    let (total, failures) = window.sums(period: period, now: now)
    return total >= limits.minimumRequests && Double(failures) >= limits.failureRatio * Double(total)
  }

  /// - Returns: `.open` when it was this thread that opened it.
  private func open(from status: Status, _ now: Int) -> State? {
    exchange(status, Status(.open, period: status.period, deadline: now + limits.openFor)) ? .open : nil
  }

  private func exchange(_ status: Status, _ next: Status) -> Bool {
    word.compareExchange(expected: status.word, desired: next.word, ordering: .acquiringAndReleasing).exchanged
  }
}

extension CircuitBreaker {
  /// The atomic word. From the top: 40 bits of deadline in milliseconds, 8 of the period, 7 of probes that succeeded,
  /// 7 of probes that were admitted, 2 of the state. A period begins when the breaker turns half-open, and lasts
  /// through the closed time that follows until it turns half-open again.
  private struct Status {
    private(set) var word: UInt64

    init(word: UInt64) { self.word = word }

    init(_ state: State, period: UInt8, deadline: Int) {
      word = UInt64(period) << 16
      switch state {
      case .closed: break
      case .open: word |= 1
      case .halfOpen: word |= 2
      }
      self.deadline = deadline
    }

    var state: State { word & 3 == 0 ? .closed : word & 3 == 1 ? .open : .halfOpen }
    var period: UInt8 { UInt8(truncatingIfNeeded: word >> 16) }

    var admitted: Int {
      get { Int(word >> 2 & 0x7F) }
      set { word = word & ~(0x7F << 2) | UInt64(newValue & 0x7F) << 2 }
    }

    var succeeded: Int {
      get { Int(word >> 9 & 0x7F) }
      set { word = word & ~(0x7F << 9) | UInt64(newValue & 0x7F) << 9 }
    }

    /// Monotonic nanoseconds, kept to the millisecond and never early.
    var deadline: Int {
      get { Int(word >> 24) * 1_000_000 }
      set { word = word & 0xFF_FFFF | UInt64(max(0, newValue + 999_999) / 1_000_000) << 24 }
    }
  }
}
