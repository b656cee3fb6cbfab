import Kernel

/// The thread on which tests start processes.
///
/// The kernel ends such a process with the thread that started it: with this one, that is with the tests, also when
/// they are killed. The threads that tests run on come and go.
final class SpawningThread: Sendable {
  static let shared = SpawningThread()

  private let jobs = Monitor<[@Sendable () -> Void]>([])

  private init() {
    let jobs = jobs
    _ = try? Thread.start(name: "spawning") {
      while true {
        let next = jobs.wait { $0.isEmpty ? nil : $0.removeFirst() }
        next?()
      }
    }
  }

  /// Runs `body` there and waits for what it returns.
  func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let answer = Monitor<Result?>(nil)
    jobs.withLock {
      $0.append {
        let result = body()
        answer.withLock { $0 = result }
        answer.signal()
      }
    }
    jobs.signal()
    while true { if let result = answer.wait(for: { $0 }) { return result } }
  }
}
