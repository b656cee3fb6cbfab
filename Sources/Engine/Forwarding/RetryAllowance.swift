import HTTP
import Kernel
import PluginKit

/// Decides for one call whether it is tried again.
///
/// Only where that is safe: nothing was sent, or the method is idempotent and what was sent can be sent again. Tries
/// of which nothing was sent are free; the others are bounded by the upstream's budget, so that retries cannot become
/// the load that keeps a service down. A stale resting connection is no failure of the target and costs nothing.
struct RetryAllowance: ~Copyable {
  private let settings: RetrySettings
  private let budget: RetryBudget
  private var used = 0
  private var staleUsed = 0
  private var reserved = 0

  init(_ settings: RetrySettings, budget: RetryBudget) {
    self.settings = settings
    self.budget = budget
  }

  /// Counts the call: the budget is a share of the calls.
  func count(now: Int) { budget.countRequest(now: now) }

  /// Whether a failure of this kind may be tried again, without deciding it.
  func mayRetry(_ failure: AttemptFailure, _ request: borrowing RequestMessage, replayable: Bool) -> Bool {
    if case .stale = failure.kind {
      return replayable && staleUsed < 3 && (request.method.isIdempotent || !failure.sent)
    }
    guard used < settings.maximum, replayable, covers(failure) else { return false }
    return !failure.sent || names(request.methodText)
  }

  /// Decides, and takes from the budget.
  mutating func allows(
    _ failure: AttemptFailure, _ request: borrowing RequestMessage, replayable: Bool, now: Int
  ) -> Bool {
    guard mayRetry(failure, request, replayable: replayable) else { return false }
    if case .stale = failure.kind {
      staleUsed += 1
      return true
    }
    if failure.sent {
      guard budget.acquire(now: now) else { return false }
      reserved += 1
    }
    used += 1
    return true
  }

  /// Gives back what the call held of the budget.
  mutating func end() {
    while reserved > 0 {
      budget.release()
      reserved -= 1
    }
  }

  private func covers(_ failure: AttemptFailure) -> Bool {
    switch failure.kind {
    case .connect: settings.onConnectFailure
    case .stale, .reset, .malformed: settings.onReset
    case .firstByteTimeout: false
    case .status(let status): settings.statuses.contains(status)
    }
  }

  private func names(_ method: Span<UInt8>) -> Bool {
    for name in settings.methods where ByteScan.equal(name.utf8Span.span, method) { return true }
    return false
  }
}
