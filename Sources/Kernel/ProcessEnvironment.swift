import Glibc

/// The environment that the process was started with.
public enum ProcessEnvironment {
  public static func value(_ name: String) -> String? {
    // SAFETY: getenv returns a NUL-terminated string that nothing in this process changes, or null.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
