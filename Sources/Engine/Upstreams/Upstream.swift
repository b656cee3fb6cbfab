import Kernel
import Synchronization

/// One upstream of the configuration, shared by all workers: its targets, and what is known of them.
package final class Upstream: Sendable {
  package let index: Int
  package let settings: UpstreamSettings
  let retryBudget: RetryBudget
  private let state: Lock<TargetSet>

  init(_ settings: UpstreamSettings, index: Int) {
    self.index = index
    self.settings = settings
    retryBudget = RetryBudget(ratio: settings.retries.budget)
    state = Lock(TargetSet(settings))
  }

  /// The targets at the moment.
  package var targets: TargetSet { state.withLock { $0 } }

  /// Replaces the targets; workers are told by their loops.
  func replaceTargets(_ set: TargetSet) { state.withLock { $0 = set } }
}
