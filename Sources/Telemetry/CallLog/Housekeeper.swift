import Kernel
import Synchronization

/// The thread that looks after older segments, with the lowest priority: nobody waits for it.
final class Housekeeper: Sendable {
  private struct State {
    var hasWork = true
    var isStopped = false
    var isPaused = false
    var isBusy = false

    mutating func begin() -> Bool {
      hasWork = false
      isBusy = true
      return true
    }
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
        state.withLock { $0.isBusy = false }
        state.broadcast()
      }
    }
    thread.withLock { $0 = started }
  }

  /// There is a new segment.
  func ring() {
    state.withLock { $0.hasWork = true }
    state.broadcast()
  }

  /// Touches nothing from now on, and breaks off a compression that is under way.
  ///
  /// - Returns: false when it was still at it after `timeout` nanoseconds.
  func pause(timeout: Int) -> Bool {
    stopping.store(true, ordering: .relaxed)
    state.withLock { $0.isPaused = true }
    return state.wait(timeout: timeout) { $0.isBusy ? nil : true } ?? false
  }

  func resume() {
    stopping.store(false, ordering: .relaxed)
    state.withLock {
      $0.isPaused = false
      $0.hasWork = true
    }
    state.broadcast()
  }

  /// Leaves a compression that is under way to the next start.
  func stop() {
    stopping.store(true, ordering: .relaxed)
    state.withLock { $0.isStopped = true }
    state.broadcast()
    thread.withLock { $0 }?.join()
  }

  /// - Returns: false when it is time to end.
  private func waitForWork() -> Bool {
    while true {
      let goOn = state.wait(timeout: Housekeeper.interval) { state -> Bool? in
        if state.isStopped { return false }
        if state.isPaused || !state.hasWork { return nil }
        return state.begin()
      }
      if let goOn { return goOn }
      if state.withLock({ $0.isPaused ? false : $0.begin() }) { return true }
    }
  }
}
