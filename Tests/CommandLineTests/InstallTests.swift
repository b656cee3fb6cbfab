import GatewayTesting
import Kernel
import Testing

/// What `make install` puts where.
struct InstallTests {
  @Test func `the unit names the program and the documentation that are installed`() throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(
      [Command.root + "/scripts/install", "/opt/gateway", directory.path],
      environment: [("PROGRAM", RunningGateway.program)], errors: directory["errors"])
    #expect(try child.wait(until: .usual) == .exited(0), "\((try? directory.read("errors")) ?? "")")
    let unit = try directory.read("opt/gateway/lib/systemd/system/sluice.service")
    #expect(!unit.contains("/usr/local"))
    #expect(unit.contains("\nExecStart=/opt/gateway/bin/sluice run "))
    let documentation = try #require(unit.firstMatch(of: /Documentation=file:(.*)/)?.1)
    let unnamed = ["bin/sluice", "share/sluice/gateway.conf.example", "share/doc/sluice/plugins/headers.md"]
    for path in unnamed.map({ "/opt/gateway/" + $0 }) + [String(documentation)] {
      #expect((try? FileSystem.status(of: directory.path + path)) != nil, "\(path)")
    }
  }
}
