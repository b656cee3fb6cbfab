import Kernel
import Runtime

/// A loop on a thread of its own, for tests of what lives on one.
final class LoopThread: Sendable {
  let loop: Loop
  private let thread: Thread

  init(name: String = "test-loop") throws {
    let loop = try Loop()
    self.loop = loop
    thread = try Thread.start(name: name) { loop.run() }
  }

  /// Runs `body` on the loop and hands back what it returns.
  func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      loop.post { continuation.resume(returning: body()) }
    }
  }

  /// Asks on the loop, again and again, until `condition` holds; false when it does not within half a minute.
  func eventually(_ condition: @escaping @Sendable () -> Bool) async -> Bool {
    for _ in 0..<3000 {
      if await run(condition) { return true }
      try? await Task.sleep(nanoseconds: 10_000_000)
    }
    return false
  }

  func stop() {
    loop.stop()
    thread.join()
  }
}
