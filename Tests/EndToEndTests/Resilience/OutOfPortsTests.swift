import GatewayTesting
import Kernel
import Testing

/// A gateway on a machine that has no local ports left.
struct OutOfPortsTests {
  private static let script = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/ports.py"
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `that no port is left to connect from is not the target's fault`() throws {
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let output = directory["output"]
    let exit = try ChildProcess(
      ["/usr/bin/unshare", "-rn", python, Self.script, RunningGateway.program, directory.path], output: output,
      errors: output
    ).wait(until: .after(seconds: 60))
    let said = (try? directory.read("output")) ?? ""
    #expect(exit == .exited(0) && said.contains("well"), "\(said)")
  }
}
