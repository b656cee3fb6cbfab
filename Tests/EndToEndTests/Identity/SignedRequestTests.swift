import GatewayTesting
import Kernel
import Testing

/// Requests that another implementation of RFC 9421 signed.
struct SignedRequestTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/signer.py"

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `requests that a library signed are let in once, and changed ones are not`() throws {
    let python = try #require(Self.python)
    let origin = try Origin.ok("fine")
    let text = """
      consumers: { partner: { hmac: { key_id: partner-1, secret: partner-secret-for-tests } } }
      plugins: [hmac: { maximum_skew: 5m }]
      routes: { all: { match: /*, upstream: ORIGIN } }
      """
    try withGateway(text, to: origin) { gateway in
      let output = gateway.directory["python"]
      let client = try ChildProcess([python, Self.script, "\(gateway.port)"], output: output, errors: output)
      let exit = try client.wait(until: .after(seconds: 60))
      #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
      let records = try gateway.awaitRecords(7)
      #expect(records.map { $0["status"]?.integer } == [200, 200, 200, 401, 401, 401, 401])
      #expect(
        records.map { $0["reason"]?.string }
          == [
            nil, nil, nil, "signature_replayed", "content_digest_wrong", "signature_wrong", "no_credentials",
          ])
      #expect(origin.requests.count == 3)
    }
  }
}
