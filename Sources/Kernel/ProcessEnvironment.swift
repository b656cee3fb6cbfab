import Glibc

/// The environment that the process was started with.
public enum ProcessEnvironment {
  public static func value(_ name: String) -> String? {
    // SAFETY: getenv returns a NUL-terminated string that nothing in this process changes, or null.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// All of it, `NAME=VALUE` each.
  public static var pairs: [String] {
    // SAFETY: the list ends with null, and nothing in this process changes it or its strings.
    var pairs: [String] = []
    var next = unsafe environ
    while let pair = unsafe next.pointee {
      pairs.append(unsafe String(cString: pair))
      unsafe next += 1
    }
    return pairs
  }
}
