import GatewayTesting
import Kernel
import Testing

/// Handshakes that end in the middle of any flight, with both versions and on both sides of the gateway.
struct HandshakeFlightTests {
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/flights.py"

  @Test(arguments: ["1.2", "1.3"])
  func `a client may leave after any octet, sent or received`(version: String) throws {
    let files = try TLSFixture.files
    let text = "routes: { all: { match: /*, respond: { status: 200, body: fine } } }"
    try withGateway("admin: \"127.0.0.1:${ADMIN_PORT}\"\n" + text, TLSFixture.plan([files.localhost])) { gateway in
      _ = try TLSFixture.curl(gateway)
      let before = gateway.process.residentBytes
      let outcome = try TLSFixture.run("timeout 60 python3 -B \(Self.script) front \(version) \(gateway.port)")
      #expect(outcome.status == 0, "\(outcome.output)")
      #expect(try TLSFixture.curl(gateway) == "fine200")
      // A connection that was left behind would hold tens of kilobytes; there were hundreds.
      let allowance = (ProcessEnvironment.value("SLUICE_SANITIZER") == nil ? 24 : 96) << 20
      #expect(gateway.process.residentBytes - before < allowance)
    }
  }

  @Test(arguments: ["1.2", "1.3"])
  func `a target may leave after any octet, and the caller hears of it`(version: String) throws {
    let files = try TLSFixture.files
    let directory = try TemporaryDirectory()
    let servers = try ChildProcess([
      "/usr/bin/env", "python3", "-B", Self.script, "behind", version, files.localhost.certificate,
      files.localhost.key, directory["ports"],
    ])
    defer { servers.kill() }
    try #require(Deadline.usual.poll { (try? directory.read("ports")) != nil })
    let ports = try JSONValue(parsing: directory.read("ports"))
    let good = try #require(ports["good"]?.integer)
    guard case .array(let listed)? = ports["cut"] else { throw WireError.ended("no ports") }
    let cut = listed.compactMap { $0.integer }
    #expect(cut.count == 38)
    func upstream(_ port: Int) -> String {
      "{ targets: \"https://localhost:\(port)\", tls: { authority: \"\(files.authority.certificate)\" }, "
        + "retries: { maximum: 0 } }"
    }
    var text = "upstreams:\n  good: \(upstream(good))\n"
    for port in cut { text += "  cut\(port): \(upstream(port))\n" }
    text += "routes:\n  good: { match: /good, upstream: good }\n"
    for port in cut { text += "  cut\(port): { match: /\(port), upstream: cut\(port) }\n" }
    try withGateway(text) { gateway in
      for port in cut {
        let answer = try gateway.get("/\(port)")
        #expect(answer.status == 502, "port \(port)")
        #expect(answer["X-Fault"] == "upstream")
      }
      let whole = try gateway.get("/good")
      #expect(whole.text == "fine")
      let reasons = Set(try gateway.awaitRecords(cut.count + 1).compactMap { $0["reason"]?.string })
      #expect(reasons.contains("upstream_handshake_failed"))
    }
  }
}
