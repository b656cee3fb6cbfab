import Glibc

/// State that threads take turns with.
///
/// A pthread mutex: `Synchronization.Mutex` is reported as a race by the thread sanitizer. Hold it for a few lines,
/// never across a system call that may wait, and never from inside the same lock.
// SAFETY: the mutex is this object's own, and `state` is touched by the thread that holds it only.
@safe
public final class Lock<State: ~Copyable>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var state: State

  public init(_ state: consuming sending State) {
    // SAFETY: allocated once, initialised here, destroyed and freed in deinit.
    unsafe mutex = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    self.state = state
  }

  // SAFETY: nobody holds a lock whose last reference goes.
  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Runs `body` while no other thread is inside.
  public func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending State) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    // SAFETY: initialised in init; @unchecked Sendable holds because `state` is touched between these two calls only.
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&state)
  }
}

/// State that threads take turns with and can wait for.
// SAFETY: mutex and condition are this object's own, and `state` is touched by the thread that holds the mutex only.
@safe
public final class Monitor<State: ~Copyable>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var state: State

  public init(_ state: consuming sending State) {
    // SAFETY: allocated once, initialised here, destroyed and freed in deinit; the attributes live on the stack.
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
    self.state = state
  }

  // SAFETY: nobody holds or waits for a monitor whose last reference goes.
  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe condition.deallocate()
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Runs `body` while no other thread is inside. Wakes nobody: call `signal` or `broadcast` after a change.
  public func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending State) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    // SAFETY: initialised in init; @unchecked Sendable holds because `state` is touched under the mutex only.
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body(&state)
  }

  /// Runs `body` at once and again after every signal, until it returns a value or the time is over.
  ///
  /// - Parameter timeout: nanoseconds; nil waits for ever.
  /// - Returns: what `body` returned, or nil when `timeout` passed first. `body` runs once more at the end of it.
  public func wait<Result>(
    timeout: Int? = nil, for body: (inout sending State) -> sending Result?
  ) -> sending Result? {
    let deadline = timeout.map { Monitor.deadline(in: $0) }
    // SAFETY: as in withLock; waiting gives the mutex up and has it again when it returns.
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state) { return result }
      guard var deadline else {
        unsafe pthread_cond_wait(condition, mutex)
        continue
      }
      if unsafe pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { return body(&state) }
    }
  }

  /// Wakes one waiting thread.
  public func signal() {
    // SAFETY: initialised in init.
    unsafe pthread_cond_signal(condition)
  }

  /// Wakes every waiting thread.
  public func broadcast() {
    // SAFETY: as above.
    unsafe pthread_cond_broadcast(condition)
  }

  private static func deadline(in nanoseconds: Int) -> timespec {
    var time = timespec()
    // SAFETY: writes one timespec on the stack.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let nanosecond = time.tv_nsec + max(0, nanoseconds) % 1_000_000_000
    time.tv_sec += max(0, nanoseconds) / 1_000_000_000 + nanosecond / 1_000_000_000
    time.tv_nsec = nanosecond % 1_000_000_000
    return time
  }
}
