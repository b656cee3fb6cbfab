import GatewayTesting
import Testing

/// Processes that tests start.
struct ChildProcessTests {
  @Test func `output, environment and exit status are had`() throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(
      ["/bin/sh", "-c", "echo $WORD; echo err >&2; exit 3"], environment: [("WORD", "hello")],
      output: directory["out"], errors: directory["err"])
    #expect(try child.wait(until: .usual) == .exited(3))
    #expect(try directory.read("out") == "hello\n")
    #expect(try directory.read("err") == "err\n")
  }

  @Test func `a process ends by a signal to its id`() throws {
    let child = try ChildProcess(["/bin/sleep", "600"])
    #expect(child.isRunning)
    #expect(child.openDescriptors >= 3)
    #expect(child.residentBytes > 0)
    #expect(throws: WireError.timedOut) { try child.wait(until: .after(seconds: 0.02)) }
    child.terminate()
    #expect(try child.wait(until: .usual) == .killed(signal: 15))
    #expect(!child.isRunning)
  }

  @Test(.enabled(if: Shell.has("setpriv"), "the tool setpriv is not installed"))
  func `a process is killed with the tests that started it`() throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(["/usr/bin/setpriv", "--dump"], output: directory["out"])
    #expect(try child.wait(until: .usual) == .exited(0))
    #expect(try directory.read("out").contains("Parent death signal: KILL"))
  }

  @Test func `a program that is not there is an error`() {
    #expect(throws: (any Error).self) { try ChildProcess(["/nowhere/program"]) }
  }
}
