import GatewayTesting
import Kernel
import Testing

/// The package `websockets` on both sides of the gateway.
struct WebSocketPeerTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/websockets_peer.py"

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"), arguments: [false, true])
  func `a real client and a real server talk through it`(isSecure: Bool) throws {
    let python = try #require(Self.python)
    let target = Ports.free()
    let files = try TLSFixture.files
    let plan = isSecure ? TLSFixture.plan([files.localhost]) : RunningGateway.Plan()
    try withGateway("routes: { all: { match: /*, upstream: \"http://127.0.0.1:\(target)\" } }", plan) { gateway in
      let output = gateway.directory["python"]
      let peers = try ChildProcess(
        [python, Self.script, "\(gateway.port)", "\(target)"] + (isSecure ? [files.authority.certificate] : []),
        output: output, errors: output)
      let exit = try peers.wait(until: .after(seconds: 60))
      #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
      let records = try gateway.awaitRecords(104)
      #expect(records.filter { $0["status"]?.integer == 101 }.count == 103)
      #expect(records.filter { $0["close_code"]?.integer == 4000 && $0["closed_by"]?.string == "client" }.count == 2)
      #expect(records.filter { $0["close_code"]?.integer == 4321 && $0["closed_by"]?.string == "upstream" }.count == 1)
      #expect(records.filter { $0["close_code"]?.integer == 1000 }.count == 100)
    }
  }
}
