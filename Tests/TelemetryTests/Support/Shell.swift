import Glibc

/// Tools that a test compares with, or that set its stage.
enum Shell {
  /// Runs a command and returns its exit status.
  @discardableResult
  static func run(_ command: String) -> Int32 {
    // SAFETY: the string is copied before the call returns.
    let status = unsafe system(command)
    return (status >> 8) & 0xFF
  }

  static func has(_ tool: String) -> Bool { run("command -v \(tool) >/dev/null 2>&1") == 0 }
}
