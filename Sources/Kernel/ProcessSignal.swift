import Glibc

/// Signals between processes, and who a process is.
public enum ProcessSignal {
  public static let hangup: CInt = SIGHUP
  public static let interrupt: CInt = SIGINT
  public static let terminate: CInt = SIGTERM
  public static let firstUser: CInt = SIGUSR1
  public static let secondUser: CInt = SIGUSR2

  /// This process.
  public static var ownProcess: CInt { getpid() }

  /// Sends a signal; fails when there is no such process, or it belongs to somebody else.
  public static func send(_ signal: CInt, to process: CInt) throws(Errno) {
    if kill(process, signal) != 0 { throw .last }
  }
}

/// Waiting where there is no loop: commands, not the gateway.
public enum ProcessPause {
  public static func sleep(nanoseconds: Int) {
    var time = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    // SAFETY: reads one timespec on the stack.
    unsafe _ = nanosleep(&time, nil)
  }
}
