import Glibc

/// The machine's clocks, in nanoseconds.
public enum Clock {
  /// Never goes back; the base of every deadline and duration.
  public static var monotonic: Int { read(CLOCK_MONOTONIC) }
  /// Since 1970-01-01 UTC; for log lines and dates only.
  public static var wall: Int { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> Int {
    var time = timespec()
    // SAFETY: clock_gettime fills the struct it is given.
    unsafe clock_gettime(clock, &time)
    return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
  }
}
