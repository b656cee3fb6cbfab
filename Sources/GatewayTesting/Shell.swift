/// Tools that a test compares with, or that set its stage.
package enum Shell {
  /// Runs a command and returns its exit status; -1 when it could not be run or was killed.
  @discardableResult
  package static func run(_ command: String) -> Int32 {
    guard let child = try? ChildProcess(["/bin/sh", "-c", command]),
      case .exited(let status) = try? child.wait(until: .after(seconds: 120))
    else { return -1 }
    return status
  }

  package static func has(_ tool: String) -> Bool { run("command -v \(tool) >/dev/null 2>&1") == 0 }
}
