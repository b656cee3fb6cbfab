import HTTP
import Kernel
import PluginKit

/// Decides for one call whether it is tried again.
///
/// Only where that is safe: nothing was sent, or the method is idempotent and what was sent can be sent again. Tries
/// of which nothing was sent are free; the others are bounded by the upstream's budget, so that retries cannot become
/// the load that keeps a service down. A stale resting connection is no failure of the target and costs nothing.
struct RetryAllowance: ~Copyable {
  enum Decision { case retry, no, denied }

  private var used = 0
  private var staleUsed = 0
  private var reserved = 0

  /// Whether a failure of this kind may be tried again, without deciding it.
  func mayRetry(
    _ failure: AttemptFailure, _ request: borrowing RequestMessage, replayable: Bool, _ settings: RetrySettings
  ) -> Bool {
    mayRetry(failure, request.method, request.methodText, replayable: replayable, settings)
  }

  private func mayRetry(
    _ failure: AttemptFailure, _ method: Method, _ methodText: Span<UInt8>, replayable: Bool, _ settings: RetrySettings
  ) -> Bool {
    if case .stale = failure.kind {
      return replayable && staleUsed < 3 && (method.isIdempotent || !failure.sent)
    }
    guard used < settings.maximum, replayable, Self.covers(settings, failure) else { return false }
    return !failure.sent || Self.names(settings, methodText)
  }

  /// Decides, and takes from the budget.
  mutating func decide(
    _ failure: AttemptFailure, _ request: borrowing RequestMessage, replayable: Bool, _ upstream: Upstream, now: Int
  ) -> Decision {
    decide(failure, request.method, request.methodText, replayable: replayable, upstream, now: now)
  }

  /// The same for a request that is no message of a client's.
  mutating func decide(
    _ failure: AttemptFailure, _ method: Method, _ methodText: Span<UInt8>, replayable: Bool, _ upstream: Upstream,
    now: Int
  ) -> Decision {
    let settings = upstream.settings.retries
    guard mayRetry(failure, method, methodText, replayable: replayable, settings) else { return .no }
    if case .stale = failure.kind {
      staleUsed += 1
      return .retry
    }
    if failure.sent {
      guard upstream.retryBudget.acquire(now: now) else { return .denied }
      reserved += 1
    }
    used += 1
    return .retry
  }

  /// Gives back what the call held of the budget, and forgets it.
  mutating func end(_ budget: RetryBudget) {
    while reserved > 0 {
      budget.release()
      reserved -= 1
    }
    used = 0
    staleUsed = 0
  }

  private static func covers(_ settings: RetrySettings, _ failure: AttemptFailure) -> Bool {
    switch failure.kind {
    case .connect: settings.onConnectFailure
    case .stale, .reset, .streamReset, .malformed: settings.onReset
    case .firstByteTimeout: false
    case .status(let status): settings.statuses.contains(status)
    }
  }

  private static func names(_ settings: RetrySettings, _ method: Span<UInt8>) -> Bool {
    for name in settings.methods where ByteScan.equal(name.utf8Span.span, method) { return true }
    return false
  }
}
