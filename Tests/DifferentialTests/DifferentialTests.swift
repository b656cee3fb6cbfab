import GatewayTesting
import Kernel
import Testing

/// Sluice's codec beside llhttp and h11: nothing is accepted that they would read differently.
@Suite struct DifferentialTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")

  /// The folder of this file, which holds the Python part.
  private static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"), arguments: ["requests", "responses"])
  func `damaged messages are read as llhttp and h11 read them`(kind: String) throws {
    let directory = try TemporaryDirectory()
    let python = try #require(Self.python)
    let probe = RunningGateway.program.dropLast("sluice".count) + "codec-probe"
    // Always the same, so that a failure is there again the next time; another finds other things.
    let seed = ProcessEnvironment.value("SLUICE_DIFFERENTIAL_SEED") ?? "1"
    let child = try ChildProcess(
      [python, Self.folder + "/differential.py", kind, "--probe", String(probe), "--seed", seed, "--count", "50000"],
      output: directory["output"], errors: directory["output"])
    let exit = try child.wait(until: .after(seconds: 300))
    let output = try directory.read("output")
    #expect(exit == .exited(0), "\(output.prefix(6000))")
    #expect(output.contains("seed \(seed)"))
  }

  /// Limits are short, because many damaged messages wait for what never comes.
  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"), arguments: ["requests", "responses"])
  func `damaged messages leave the gateway as its decoder reads them`(kind: String) throws {
    let python = try #require(Self.python)
    let probe = RunningGateway.program.dropLast("sluice".count) + "codec-probe"
    let seed = ProcessEnvironment.value("SLUICE_DIFFERENTIAL_SEED") ?? "1"
    let directory = try TemporaryDirectory()
    // The origin listens before anything is told of its port, which somebody else would get otherwise.
    let child = try ChildProcess(
      [
        python, Self.folder + "/forwarding.py", kind, "--probe", String(probe), "--ports", directory.path, "--seed",
        seed,
        "--count", "400",
      ], output: directory["output"], errors: directory["output"])
    defer { child.kill() }
    #expect(Deadline.usual.poll { (try? directory.read("origin")) != nil }, "no origin came")
    let origin = try directory.read("origin")
    let text = """
      limits: { head_timeout: 100ms, body_timeout: 100ms, idle_timeout: 150ms }
      upstreams:
        u:
          targets: ["http://127.0.0.1:\(origin)"]
          connections: { idle: 0 }
          retries: { maximum: 0 }
          timeouts: { first_byte: 300ms, idle: 300ms }
          health_check: { path: /healthz, interval: 100ms, healthy_after: 1, unhealthy_after: 100 }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text) { gateway in
      try directory.write("\(gateway.port)", to: "gateway")
      let exit = try child.wait(until: .after(seconds: 300))
      let output = try directory.read("output")
      #expect(exit == .exited(0), "\(output.prefix(6000))")
      #expect(output.contains("0 findings"))
    }
  }
}
