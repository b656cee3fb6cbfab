import Kernel

/// A moment after which a test gives up: whatever waits in a test waits until one of these.
package struct Deadline: Sendable {
  /// Monotonic nanoseconds.
  package let moment: Int

  /// Long enough that a busy machine does not fail a test that is right.
  package static var usual: Deadline { .after(seconds: 20) }

  package static func after(seconds: Double) -> Deadline {
    Deadline(moment: Clock.monotonic + Int(seconds * 1_000_000_000))
  }

  package var hasPassed: Bool { Clock.monotonic >= moment }

  /// Milliseconds that are left, rounded up, at least 0.
  package var milliseconds: Int32 { Int32(clamping: max(0, (moment - Clock.monotonic + 999_999) / 1_000_000)) }

  /// Asks again and again until `condition` holds; whether it did before the deadline.
  package func poll(_ condition: () throws -> Bool) rethrows -> Bool {
    while true {
      if try condition() { return true }
      if hasPassed { return false }
      Pause.milliseconds(2)
    }
  }
}

/// Stops the calling thread for a moment: what a slow peer does.
package enum Pause {
  package static func milliseconds(_ count: Int32) {
    // Nothing is watched, so this only waits.
    if let epoll = try? Epoll() { _ = epoll.wait(milliseconds: count) }
  }
}

/// What goes wrong on a wire in a test.
package enum WireError: Error, Equatable {
  case timedOut
  /// The peer closed where more was expected; with what had come.
  case ended(String)
  /// The connection was reset, or could not be made: errno's number.
  case broken(Int32)
  case malformed(String)
}
