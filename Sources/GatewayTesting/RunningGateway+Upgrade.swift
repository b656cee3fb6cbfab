import Glibc
import Kernel

/// A gateway that is replaced by its successors, which are no children of the test.
extension RunningGateway {
  /// How a command of the program ended, and what it said.
  package struct CommandOutcome: Sendable {
    package let exit: ChildProcess.Exit
    package let output: String
    package let errors: String
  }

  /// Runs a command of the program with this gateway's configuration and environment.
  package func command(_ arguments: [String]) throws -> CommandOutcome {
    let folder = try TemporaryDirectory()
    let child = try ChildProcess(
      [Self.program] + arguments + ["-c", directory["gateway.conf"]], environment: environment,
      output: folder["out"], errors: folder["err"])
    let exit = try child.wait(until: .after(seconds: 60))
    return CommandOutcome(exit: exit, output: try folder.read("out"), errors: try folder.read("err"))
  }

  /// Every process of this gateway that there is, old and new.
  package var processes: [Int32] {
    let names = (try? FileSystem.list("/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { id in
      guard let text = try? TemporaryDirectory.contents(of: "/proc/\(id)/cmdline") else { return false }
      let words = text.split(separator: "\0")
      return words.dropFirst().first == "run" && words.contains { $0 == directory["gateway.conf"] }
    }
  }

  /// Waits until one process is left, and returns it.
  package func awaitSuccessor(of old: Int32) throws -> Int32 {
    var left: [Int32] = []
    let isAlone = Deadline.usual.poll {
      left = processes
      return left.count == 1 && left[0] != old
    }
    if !isAlone { throw Failure(description: "processes \(left) instead of a successor of \(old): \(errors)") }
    return left[0]
  }

  /// Drains the last successor and waits until nothing is left.
  package func stopAll() throws {
    for id in processes { _ = Glibc.kill(id, SIGTERM) }
    if !Deadline.usual.poll({ processes.isEmpty }) { throw Failure(description: "still running: \(errors)") }
  }

  /// Ends whatever is left at once.
  package func killAll() { for id in processes { _ = Glibc.kill(id, SIGKILL) } }
}

/// Runs `body` with a gateway that may be upgraded, and drains what serves in the end.
package func withUpgradableGateway<Result>(
  _ text: String, _ plan: RunningGateway.Plan = RunningGateway.Plan(), _ body: (RunningGateway) throws -> Result
) throws -> Result {
  let gateway = try RunningGateway(text, plan)
  defer { gateway.killAll() }
  let result = try body(gateway)
  try gateway.stopAll()
  return result
}
