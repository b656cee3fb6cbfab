import GatewayTesting
import Kernel
import Testing

/// The example that people begin with, in front of the demo backends.
struct ExampleTests {
  private static let example = Command.root + "/gateway.conf.example"

  /// The certificates that `make run` makes.
  private let certificates: TemporaryDirectory

  init() throws {
    certificates = try TemporaryDirectory()
    let child = try ChildProcess([Command.root + "/scripts/local-certificate", certificates.path])
    guard try child.wait(until: .usual) == .exited(0) else { throw WireError.timedOut }
  }

  private var environment: [(String, String)] { [("TLS_DIR", certificates.path)] }

  @Test func `the example has no mistake`() throws {
    let check = try Command(["check", "-c", Self.example], environment: environment)
    #expect(check.status == 0)
    #expect(!check.errors.contains("error:"))
  }

  @Test func `what the README shows of check and explain is what they say of the example`() throws {
    let example = try TemporaryDirectory.contents(of: Self.example)
    let readme = try TemporaryDirectory.contents(of: Command.root + "/README.md")
    let files = try Files([
      "gateway.conf": example, "bad.conf": example.replacing("balance: least_request", with: "balance: lest_request"),
    ])
    let check = try Command(["check", "-c", files["bad.conf"]], environment: environment)
    for line in check.errors.replacing(files["bad.conf"], with: "./gateway.conf").split(separator: "\n").prefix(2) {
      // Up to the comment that follows on the line of the example.
      #expect(
        readme.contains(line.prefix(upTo: line.firstRange(of: "  #")?.lowerBound ?? line.endIndex).trimmed), "\(line)")
    }
    let explain = try Command(
      ["explain", "PUT", "/v1/feedback", "-c", files["gateway.conf"]], environment: environment)
    let lines = explain.output.replacing(files["gateway.conf"], with: "./gateway.conf").split(separator: "\n")
    for line in lines where line.contains("-feedback  (") { #expect(readme.contains(line), "\(line)") }
    #expect(lines.count { $0.contains("-feedback  (") } == 2)
    let run = try TemporaryDirectory.contents(of: Command.root + "/scripts/run")
    for path in ["/demo/flaky", "/demo/fail"] {
      #expect(readme.contains("`\(path)`") && run.contains("$gateway\(path) "))
    }
  }

  @Test func `the example works with the demo`() throws {  // long: one start of gateway and demo for all of it
    let directory = try TemporaryDirectory()
    let ports = (0..<7).map { _ in Ports.free() }
    let names = ["PORT", "ADMIN_PORT", "BACKEND_A", "BACKEND_B", "BACKEND_C", "TLS_PORT", "MODEL_STAND_IN"]
    let environment = zip(names, ports).map { ($0, "\($1)") } + [("LOG_DIR", directory.path)] + environment
    let demo = try ChildProcess([RunningGateway.program, "demo"], environment: environment, output: directory["demo"])
    defer { demo.kill() }
    #expect(Deadline.usual.poll { (try? directory.read("demo"))?.contains("model-stand-in on") == true })
    let gateway = try ChildProcess(
      [RunningGateway.program, "run", "-c", Self.example], environment: environment, output: directory["out"])
    defer { gateway.kill() }
    #expect(Deadline.usual.poll { (try? directory.read("out"))?.contains("admin on") == true })

    func ask(_ line: String, _ fields: [String] = [], body: String = "") throws -> WireMessage {
      let client = try Client(port: ports[0])
      let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
      try client.send("\(line) HTTP/1.1", ["Host: localhost"] + fields + length, body: body)
      return try client.response(to: String(line.prefix { $0 != " " }))
    }
    let created = try ask("POST /v1/feedback", body: "fine")
    #expect(created.status == 201)
    #expect(created["Location"] == "/v1/feedback/2")
    #expect(try ask("GET /v1/feedback/2").text.contains(#""content":"fine""#))
    #expect(try ask("GET /v1/feedback").text.contains(#""total":2"#))
    #expect(try ask("GET /demo/echo?x=1").text.contains(#""path":"/echo""#))
    for _ in 0..<4 { #expect(try ask("GET /demo/flaky").text == "feedback-2 is well\n") }
    #expect(try ask("GET /demo/stream").chunks.count > 0)
    #expect(try ask("GET /demo/fail").status == 500)
    #expect(try ask("GET /demo/slow?ms=1").text.hasSuffix("took 1 ms\n"))
    #expect(try ask("GET /").text.contains("It works"))
    #expect(try ask("GET /feedback")["Location"] == "/v1/feedback")
    let secure = "https://localhost:\(ports[5])/secure/v1/feedback?x=1"
    #expect(try ask("GET /secure/v1/feedback?x=1")["Location"] == secure)
    for version in ["--http1.1", "--http2"] {
      let curl = "curl -s \(version) -w ' %{http_version}' --cacert \(certificates["authority.pem"]) '\(secure)'"
      #expect(Shell.run("\(curl) > \(directory["curl"])") == 0)
      let output = try directory.read("curl")
      #expect(output.contains(#""total":2"#))
      #expect(output.hasSuffix(version == "--http2" ? " 2" : " 1.1"))
    }
    let triaged = try ask("POST /ai/triage", body: #"{"text":"The login is broken"}"#)
    #expect(triaged.text == #"{"sentiment":"negative","urgency":"high","summary":"The login is broken"}"#)
    #expect(try ask("POST /ai/triage@1", body: #"{"text":"Fine"}"#).text.contains("You said: Say whether"))
    #expect(
      try ask("POST /ai/topics", body: #"{"text":"Login fails again"}"#).text
        == #"{"topics":["again","fails","login"]}"#)
    #expect(try ask("POST /ai/sentiment", body: #"{"text":"I love it"}"#).text == #"{"sentiment":"positive"}"#)
    #expect(try ask("POST /ai/summary", body: #"{"messages":["a","b"]}"#).text.contains(#"- a\n- b"#))
    #expect(try ask("POST /ai/reply-draft", body: #"{"text":"Thanks"}"#).status == 200)
    #expect(try ask("GET /ai/openapi.json").text.contains(#""/ai/reply-draft":"#))
    let said = #"{"model":"fast","messages":[{"role":"user","content":"Hello"}]}"#
    #expect(try ask("POST /v1/chat/completions", body: said).text.contains("You said: Hello"))
    let client = try Client(port: ports[0])
    try client.send("GET /q3 HTTP/1.1", ["Host: reports.example.com"])
    #expect(try client.response().text.contains(#""report":"/q3""#))
    gateway.terminate()
    #expect(try gateway.wait(until: .usual) == .exited(0))
    demo.terminate()
    #expect(try demo.wait(until: .usual) == .exited(0))
  }
}

extension Substring {
  /// Without the spaces at its end.
  fileprivate var trimmed: Substring {
    var rest = self
    while rest.last == " " { rest.removeLast() }
    return rest
  }
}
