/// What rang a waker.
public struct Signals: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A socket of the task became ready, or broke.
  public static let socket = Signals(rawValue: 1)
  /// The deadline passed.
  public static let deadline = Signals(rawValue: 2)
  /// A connection that the task queued for is free, or what it waits for was settled elsewhere.
  public static let message = Signals(rawValue: 4)
  /// The worker ends, and what is open is cut.
  public static let cut = Signals(rawValue: 16)
  /// The worker stops taking new work.
  public static let drain = Signals(rawValue: 8)
}

/// Who is told of a signal while no task waits.
public protocol WakerOwner: AnyObject {
  func wokenWhileParked(_ signals: Signals)
}

/// The one thing that a task waits on: anything of its own may ring it.
///
/// One waker for all of a task's sockets, deadlines and messages lets it make progress everywhere and then wait for
/// any of them, without child tasks or cancellation handlers. Not `Sendable`: it belongs to one loop. While no task
/// waits, signals gather; with an owner set, the owner is told instead (so an idle connection needs no task).
///
/// SAFETY: a continuation is stored by the one task that waits, and cleared before it is resumed, once.
@safe
public final class Waker: TimerEntry {
  private var continuation: UnsafeContinuation<Void, Never>?
  private var pending: Signals = []
  private let loop: Loop
  /// Told of signals while no task waits. Held strongly: owners let go of it when they close.
  public var parkedOwner: (any WakerOwner)?
  public var isParked = false

  public init(_ loop: Loop) {
    self.loop = loop
    unsafe continuation = nil
  }

  public func ring(_ signals: Signals) {
    pending.formUnion(signals)
    // SAFETY: a continuation is stored once by `wait` and cleared before it is resumed.
    if let waiting = unsafe continuation {
      unsafe continuation = nil
      unsafe waiting.resume()
    } else if isParked, let owner = parkedOwner {
      pending = []
      owner.wokenWhileParked(signals)
    }
  }

  /// Waits until rung, or until `deadline` has passed.
  public func wait(until deadline: Int) async -> Signals {
    if pending.isEmpty {
      if deadline != self.deadline { loop.arm(self, at: deadline) }
      // SAFETY: one task waits at a time, and `ring` resumes it exactly once.
      unsafe await withUnsafeContinuation { unsafe continuation = $0 }
    }
    let signals = pending
    pending = []
    return signals
  }

  /// Takes what gathered without waiting.
  public func take() -> Signals {
    let signals = pending
    pending = []
    return signals
  }

  public func arm(at deadline: Int) {
    if deadline != self.deadline { loop.arm(self, at: deadline) }
  }

  /// Takes the waker out of the wheel.
  public func cancelDeadline() { loop.cancel(self) }

  override func expired() { ring(.deadline) }
}

/// Calls a closure on its loop at a deadline; arm it again for the next time.
public final class Timer: TimerEntry {
  private let loop: Loop
  private let action: () -> Void

  public init(_ loop: Loop, _ action: @escaping () -> Void) {
    self.loop = loop
    self.action = action
  }

  public func arm(at deadline: Int) { loop.arm(self, at: deadline) }
  public func arm(after nanoseconds: Int) { loop.arm(self, at: loop.now + nanoseconds) }
  public func cancel() { loop.cancel(self) }

  override func expired() { action() }
}
