import Kernel
import Synchronization

/// The thread that looks after older segments, with the lowest priority: nobody waits for it.
final class Housekeeper: Sendable {
  private struct State {
    var hasWork = true
    var isStopped = false
  }

  private let state = Monitor(State())
  private let stopping = Atomic(false)
  private let thread = Lock<Thread?>(nil)

  /// Between looks when nothing rotates, so that segments also go by age. Nanoseconds.
  private static let interval = 60_000_000_000

  func start(
    _ store: SegmentStore, limits: Lock<SegmentLimits>, clock: @Sendable @escaping () -> Int,
    report: @Sendable @escaping (CallLogEvent) -> Void
  ) throws(Errno) {
    let started = try Thread.start(name: "call-segments") { [self] in
      Thread.lowerPriority()
      while waitForWork() {
        store.tidy(now: clock(), limits: limits.withLock { $0 }, report: report) {
          stopping.load(ordering: .relaxed)
        }
      }
    }
    thread.withLock { $0 = started }
  }

  /// There is a new segment.
  func ring() {
    state.withLock { $0.hasWork = true }
    state.signal()
  }

  /// Leaves a compression that is under way to the next start.
  func stop() {
    stopping.store(true, ordering: .relaxed)
    state.withLock { $0.isStopped = true }
    state.signal()
    thread.withLock { $0 }?.join()
  }

  /// - Returns: false when it is time to end.
  private func waitForWork() -> Bool {
    let goOn = state.wait(timeout: Housekeeper.interval) { state -> Bool? in
      if state.isStopped { return false }
      defer { state.hasWork = false }
      return state.hasWork ? true : nil
    }
    return goOn ?? true
  }
}
