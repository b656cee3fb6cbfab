import GatewayTesting
import Testing

/// What `explain` says of requests that a plugin decides on, and of questions that nobody can answer.
struct ExplainTests {
  private static let text = """
    listeners: { public: 127.0.0.1:8080 }
    call_log: off
    plugins:
      - headers: { response: { set: { X-A: b } } }
    routes:
      closed:
        match: /closed
        plugins:
          - ip_access: [192.0.2.1]
          - headers: { response: { set: { X-C: d } } }
          - request_size: 1KiB
        upstream: http://127.0.0.1:9101
      shared:
        match: /shared
        plugins: [cors: { origins: ["https://a.example"] }]
        upstream: http://127.0.0.1:9101

    """

  private func explain(_ arguments: [String]) throws -> Command {
    let files = try Files(["gateway.conf": Self.text])
    return try Command(["explain"] + arguments + ["-c", files["gateway.conf"]])
  }

  private static let handled = ["  handler ", "  sends ", "  timeouts ", "  retries ", "  body "]

  @Test func `a request that a plugin refuses goes no further`() throws {
    let text = try explain(["GET", "/closed"]).output
    #expect(text.contains("  refused    403 ip_denied by the plugin ip_access: "), "\(text)")
    #expect(text.contains("  route      closed"))
    #expect(text.contains("headers: skipped, ip_access has decided; it acts on the answer all the same\n"))
    #expect(text.contains("request_size: skipped, ip_access has decided\n"))
    for row in Self.handled { #expect(!text.contains(row), "\(row)") }
    let json = try explain(["GET", "/closed", "--json"]).json()
    #expect(json["refusal"]?["status"]?.integer == 403)
    #expect(json["refusal"]?["plugin"]?.string == "ip_access")
    #expect(json["route"]?["upstream"] == nil)
    #expect(json["route"]?["decisions"] != nil)
    let passed = try explain(["GET", "/closed", "--from", "192.0.2.1"]).output
    for row in Self.handled { #expect(passed.contains(row), "\(row)") }
    #expect(!passed.contains("refused"))
  }

  @Test func `a request that a plugin answers goes no further`() throws {
    let preflight = ["-H", "Origin: https://a.example", "-H", "Access-Control-Request-Method: GET"]
    let text = try explain(["OPTIONS", "/shared"] + preflight).output
    #expect(text.contains("  answers    204 by the plugin cors\n"), "\(text)")
    for row in Self.handled { #expect(!text.contains(row), "\(row)") }
  }

  @Test(arguments: [
    (["G T", "/"], "`G T` is no method"), (["GET", "http://a b/"], "`http://a b/` is no URL: write %20"),
    (["GET", "/", "--listener", "nope"], "there is no listener `nope`: the file has public"),
  ])
  func `a question that cannot be answered is told as such, and no other command's usage`(
    arguments: [String], message: String
  ) throws {
    let command = try explain(arguments)
    #expect(command.status == 64)
    #expect(command.errors.hasPrefix("Error: \(message)"), "\(command.errors)")
    #expect(!command.errors.contains("Usage:"))
  }

  @Test(arguments: ["reload", "rollback", "upgrade", "diff"])
  func `an address that is none shows how the command is used`(name: String) throws {
    let command = try Command([name, "--admin", "foo"])
    #expect(command.status == 64)
    #expect(command.errors.contains("'foo' is no address"))
    #expect(command.errors.contains("Usage: sluice \(name) "), "\(command.errors)")
  }
}
