import GatewayTesting
import Kernel
import Testing

/// `check`, `diff`, `schema` and `version`: commands that only read files.
struct CheckTests {
  private static let good = """
    listeners: { public: 127.0.0.1:8080 }
    admin: { address: 127.0.0.1:9900, token: "${TOKEN}" }
    call_log: off
    limits: { connections: 100 }
    routes:
      all: { match: /*, upstream: http://127.0.0.1:9101 }
      home: { match: GET /, respond: 204 }

    """
  private static let environment = [("TOKEN", "secret-of-the-test")]

  @Test func `a good file is told with what it holds`() throws {
    let files = try Files(["gateway.conf": Self.good])
    let check = try Command(["check", "-c", files["gateway.conf"]], environment: Self.environment)
    #expect(check.status == 0)
    #expect(check.output.hasSuffix("no mistakes; 1 listener, 2 routes, 1 upstream, 1 target\n"))
    #expect(check.errors.isEmpty)
  }

  @Test func `a bad file is told with all its mistakes and exit 1`() throws {
    let text = Self.good.replacing("respond: 204", with: "respnod: 204").replacing("limits:", with: "limts:")
    let files = try Files(["gateway.conf": text])
    let check = try Command(["check", "-c", files["gateway.conf"]], environment: Self.environment)
    #expect(check.status == 1)
    #expect(check.output.isEmpty)
    #expect(check.errors.contains("did you mean `respond`?"))
    #expect(check.errors.contains("did you mean `limits`?"))
  }

  @Test func `routes that tie are a mistake`() throws {
    let text = Self.good + "  other: { match: /*, respond: 200 }\n"
    let files = try Files(["gateway.conf": text])
    let check = try Command(["check", "--json", "-c", files["gateway.conf"]], environment: Self.environment)
    #expect(check.status == 1)
    #expect(try check.json()["ok"] == .flag(false))
    #expect(check.output.contains("routes 'all' and 'other' match the same requests equally well"))
  }

  @Test func `a match that says the same again is told where it stands`() throws {
    let text = Self.good.replacing("match: GET /,", with: "match: [GET /, GET /x, GET /],")
    let files = try Files(["gateway.conf": text])
    let check = try Command(["check", "-c", files["gateway.conf"]], environment: Self.environment)
    #expect(check.status == 1)
    #expect(
      check.errors.contains("gateway.conf:7:34: error: the route 'home' matches the same requests twice"),
      "\(check.errors)")
    #expect(!check.errors.contains("equally well"))
  }

  @Test func `the example without its certificates says who makes them`() throws {
    let files = try Files([
      "gateway.conf.example": TemporaryDirectory.contents(of: Command.root + "/gateway.conf.example")
    ])
    let check = try Command(["check", "-c", files["gateway.conf.example"]], environment: [("TLS_DIR", files["none"])])
    #expect(check.status == 1)
    #expect(check.errors.contains("scripts/local-certificate DIRECTORY"))
  }

  @Test(arguments: ["abc", "0", "65536"])
  func `a port of the demo that is none is told`(port: String) throws {
    let demo = try Command(["demo"], environment: [("BACKEND_A", port)])
    #expect(demo.status == 1)
    #expect(demo.errors.contains("BACKEND_A is '\(port)', which is no port"))
    #expect(demo.output.isEmpty)
  }

  @Test func `ties are told beside other mistakes`() throws {
    let text =
      Self.good + """
          other: { match: [/*, get /x], upstream: nobody }
          same: { match: "GET /f/%41", respond: 99 }
          again: { match: GET /f/A, respond: 200 }
          wrong: { match: { paths: [/*], headers: { "a b": c } }, respond: 200 }

        """
    let files = try Files(["gateway.conf": text])
    let check = try Command(["check", "-c", files["gateway.conf"]], environment: Self.environment)
    #expect(check.status == 1)
    #expect(check.errors.contains("routes 'all' and 'other' match the same requests equally well"))
    #expect(check.errors.contains("routes 'same' and 'again' match the same requests equally well"))
    #expect(check.errors.matches(of: /equally well/).count == 2)
    for mistake in ["`get` is no method", "no upstream `nobody`", "`99` is out of range", "`a b` is no field name"] {
      #expect(check.errors.contains(mistake))
    }
  }

  @Test func `a call log that cannot be written is a warning, and trying leaves nothing behind`() throws {
    let files = try Files([:])
    func check(_ path: String) throws -> Command {
      let text = Self.good.replacing("call_log: off", with: "call_log: \(path)")
      try files.directory.write(text, to: "gateway.conf")
      return try Command(["check", "-c", files["gateway.conf"]], environment: Self.environment)
    }
    for path in ["/proc/nope", "/proc/nope/deeper", files["gateway.conf"]] {
      let refused = try check(path)
      #expect(refused.status == 0)
      #expect(refused.errors.contains("gateway.conf:3:11: warning: the call log cannot be written to `\(path)`"))
    }
    for path in ["new/calls", files.directory.path] { #expect(try check(path).errors.isEmpty) }
    #expect(try FileSystem.list(files.directory.path) == ["gateway.conf"])
  }

  @Test func `a file that is not there is a mistake like others`() throws {
    let check = try Command(["check", "-c", "/nowhere/gateway.conf"])
    #expect(check.status == 1)
    #expect(check.errors.contains("No such file or directory"))
    #expect(check.errors.contains("name the file with -c FILE"))
    #expect(try Command(["run", "-c", "/nowhere/gateway.conf"]).status == 1)
  }

  @Test func `a diff names each change once and no secret`() throws {
    let next = Self.good.replacing("respond: 204", with: "respond: 200").replacing("9101", with: "9102")
      .replacing("${TOKEN}", with: "${TOKEN}x")
    let files = try Files(["old.conf": Self.good, "new.conf": next])
    let diff = try Command(["diff", files["new.conf"], "-c", files["old.conf"]], environment: Self.environment)
    #expect(diff.status == 0)
    #expect(diff.output.contains("~ routes.home.respond.status: 204 -> 200\n"))
    #expect(diff.output.contains("~ admin.token: (secret), another one\n"))
    #expect(!diff.output.contains("secret-of-the-test"))
    let same = try Command(["diff", files["old.conf"], "-c", files["old.conf"]], environment: Self.environment)
    #expect(same.output == "no changes\n")
    let json = try Command(
      ["diff", files["new.conf"], "-c", files["old.conf"], "--json"], environment: Self.environment)
    #expect(try json.json()["changes"] != nil)
  }

  @Test func `a diff with a bad file tells its mistakes`() throws {
    let files = try Files(["old.conf": Self.good, "new.conf": "listener: x\n"])
    let diff = try Command(["diff", files["new.conf"], "-c", files["old.conf"]], environment: Self.environment)
    #expect(diff.status == 1)
    #expect(diff.errors.contains("did you mean `listeners`?"))
  }

  @Test func `the schema is JSON and the version one line`() throws {
    #expect(try Command(["schema"]).json()["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    let version = try Command(["version"])
    #expect(version.output.hasPrefix("sluice "))
    #expect(try Command(["--version"]).output == version.output)
    #expect(try Command(["version", "--json"]).json()["version"] != nil)
  }

  @Test func `explain answers in text and JSON, with what curl would be told`() throws {
    let files = try Files(["gateway.conf": Self.good])
    let arguments = ["explain", "POST", "/a", "-H", "X-A: 1", "-d", "{}", "-c", files["gateway.conf"]]
    let text = try Command(arguments, environment: Self.environment)
    #expect(text.status == 0)
    #expect(text.output.contains("route      all"))
    let json = try Command(arguments + ["--json"], environment: Self.environment).json()
    #expect(json["route"]?["upstream"]?["name"]?.string == "http://127.0.0.1:9101")
  }

  @Test func `a command that nearly is one is guessed`() throws {
    let command = try Command(["relaod"])
    #expect(command.status == 64)
    #expect(command.errors.contains("There is no command 'relaod': did you mean 'reload'?"))
    #expect(try Command(["help", "reload"]).output.contains("USAGE: sluice reload"))
  }

  @Test(arguments: [
    ["explain", "/a"], ["explain", "GET", "/a", "-H", "nonsense"], ["nonsense"], ["reload", "--admin", "x"],
  ])
  func `a mistake of usage says how it is used`(_ arguments: [String]) throws {
    let command = try Command(arguments)
    #expect(command.status == 64)
    #expect(command.errors.contains("Usage: sluice"))
  }
}
