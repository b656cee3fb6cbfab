import CLinux
import Glibc

/// A thread of the operating system: for workers, and for work that may wait on a disk.
public final class Thread: Sendable {
  private let handle: Lock<pthread_t?>

  private init(_ handle: pthread_t) { self.handle = Lock(handle) }

  /// Whoever never joins lets the thread clean up after itself.
  deinit {
    let left = handle.withLock { $0 }
    if let left { pthread_detach(left) }
  }

  /// Starts a thread that runs `body` once.
  ///
  /// SIGPIPE is blocked in it: a reader that goes away is an `EPIPE` of that write, not the end of the process.
  ///
  /// - Parameter name: shown by top and gdb; the kernel keeps 15 bytes of it.
  /// - Throws: `EAGAIN` when the process may have no more threads.
  public static func start(name: String, _ body: @Sendable @escaping () -> Void) throws(Errno) -> Thread {
    let start = ThreadStart(name: name, body: body)
    // SAFETY: the retain is balanced by takeRetainedValue in the new thread, or here when it never starts.
    let argument = unsafe Unmanaged.passRetained(start)
    var handle = pthread_t()
    let failure = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
        start.run()
        return nil
      }, argument.toOpaque())
    guard failure == 0 else {
      unsafe argument.release()
      throw Errno(failure)
    }
    return Thread(handle)
  }

  /// Waits until the thread's body has returned; a second call returns at once.
  public func join() {
    let left = handle.withLock { handle in
      defer { handle = nil }
      return handle
    }
    // Taken out above, so it is joined exactly once.
    if let left { pthread_join(left, nil) }
  }

  /// Lets another thread run first.
  public static func yield() { sched_yield() }

  /// Lets the calling thread run only when others leave time: for work that nobody waits for.
  ///
  /// Below every nice value, whose threads get whole slices of a busy core, milliseconds that a request would wait.
  public static func lowerPriority() { _ = cl_set_thread_policy(CInt(CL_SCHED_IDLE)) }

  /// Gives the calling thread its fair share, but never at the moment it wakes: for work that can wait for a gap.
  public static func waitForTurns() { _ = cl_set_thread_policy(CInt(CL_SCHED_BATCH)) }
}

private final class ThreadStart: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @Sendable @escaping () -> Void) {
    self.name = name
    self.body = body
  }

  func run() {
    // SAFETY: both calls only read what is passed, during the call.
    _ = unsafe String(decoding: name.utf8.prefix(15), as: UTF8.self).withCString { unsafe cl_set_thread_name($0) }
    _ = unsafe [SIGPIPE].withUnsafeBufferPointer { unsafe cl_block_signals($0.baseAddress, $0.count) }
    body()
  }
}
