import GatewayTesting
import Kernel
import Testing

/// The call log on disks that fill up and processes that are killed.
struct CallLogDiskTests {
  private static let text = "admin: \"127.0.0.1:${ADMIN_PORT}\"\nroutes: { all: { match: /*, respond: 200 } }"

  @Test(.enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
  func `a full disk drops lines and counts them, and requests notice nothing`() throws {
    let disk = try SmallDisk(kilobytes: 64)
    var plan = RunningGateway.Plan()
    plan.callLog = "\(disk.path)/calls"
    try withGateway(Self.text, plan) { gateway in
      let load = try Load(clients: 4, port: gateway.port)
      #expect(load.pass(1500))
      let outcome = load.finish()
      #expect(outcome.failures.isEmpty)
      #expect(outcome.answers.keys.sorted() == [200])
      func figure(_ name: String) throws -> Int { try gateway.metric("sluice_call_log_lines_\(name)_total") ?? -1 }
      let isAccounted = try Deadline.usual.poll {
        try figure("produced") == outcome.count && figure("written") + figure("dropped") == outcome.count
      }
      #expect(isAccounted)
      #expect(try figure("dropped") > 0)
      #expect(try figure("written") > 0)
      // What is on the disk is whole lines, as many as were counted.
      let lines = try TemporaryDirectory.contents(of: disk.path + "/calls/current.ndjson").split(separator: "\n")
      for line in lines { _ = try JSONValue(parsing: line) }
      #expect(try lines.count == figure("written"))
    }
  }

  @Test func `lines that nobody reads to the end are told of when the process ends`() throws {
    let directory = try TemporaryDirectory()
    let (port, pipe) = (Ports.free(), directory["pipe"])
    try directory.write(
      "listeners: { public: \"127.0.0.1:\(port)\" }\ncall_log: stdout\nworkers: 1\ndrain_delay: 0s\n"
        + "routes: { all: { match: /*, respond: 200 } }\n", to: "conf")
    // The shell holds the other end open, and never reads.
    let command = #"mkfifo "$0"; exec 9<>"$0"; exec "$1" run -c "$2" >"$0""#
    let process = try ChildProcess(
      ["/bin/sh", "-c", command, pipe, RunningGateway.program, directory["conf"]], output: directory["none"],
      errors: directory["errors"])
    defer { process.kill() }
    func told() -> String { (try? directory.read("errors")) ?? "" }
    #expect(Deadline.usual.poll { told().contains("listening on") })
    let load = try Load(clients: 2, port: port)
    #expect(load.pass(1000))
    #expect(load.finish().failures.isEmpty)
    process.terminate()
    #expect(try process.wait(until: .after(seconds: 20)) == .exited(0))
    let line = try #require(told().split(separator: "\n").last { $0.contains("the end of the call log is lost") })
    #expect((try JSONValue(parsing: line)["lines"]?.integer ?? 0) > 100, "\(line)")
  }

  @Test func `a process killed while it rotates leaves whole segments behind, and the next one goes on`() throws {
    var plan = RunningGateway.Plan()
    plan.workers = 2
    plan.callLog = #"{ path: "${DIRECTORY}/calls", segment: { size: 4KiB }, retain: { size: 1GiB } }"#
    var gateway = try RunningGateway(Self.text, plan)
    defer { gateway.process.kill() }
    var answered = 0
    for _ in 1...4 {
      let load = try Load(clients: 4, port: gateway.port)
      #expect(load.pass(400))
      gateway.process.kill()
      answered += load.finish().count
      gateway = try gateway.restarted()
    }
    let load = try Load(clients: 4, port: gateway.port)
    #expect(load.pass(400))
    answered += load.finish().count
    try gateway.stop()
    let folder = gateway.directory["calls"]
    let lines = try Self.lines(in: folder)
    var ids: Set<String> = []
    for line in lines { ids.insert(try #require(try JSONValue(parsing: line)["request_id"]?.string)) }
    #expect(ids.count == lines.count, "no line is there twice")
    #expect(lines.count > 400)
    // A kill loses what was not handed over, a tenth of a second of it; a call whose answer was on its way is logged.
    #expect(lines.count <= answered + 4 * 5)
    #expect(try FileSystem.list(folder).allSatisfy { !$0.hasSuffix(".partial") })
  }

  /// Every line of every segment.
  private static func lines(in folder: String) throws -> [Substring] {
    try FileSystem.list(folder).flatMap { name in
      let path = folder + "/" + name
      guard name.hasSuffix(".lz4") else {
        return try TemporaryDirectory.contents(of: path).split(separator: "\n")
      }
      #expect(Shell.run("lz4 -dqf \(path) \(path).text") == 0, "\(name) is a whole frame")
      defer { try? FileSystem.remove(path + ".text") }
      return try TemporaryDirectory.contents(of: path + ".text").split(separator: "\n")
    }
  }

  @Test func `every call is in the log once, whatever became of it`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        switch request.target {
        case "/reset": return connection.reset()
        case "/garbage": return try connection.send("garbage\r\n\r\n")
        case "/cut": return try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut")
        default: try connection.answer()
        }
      }
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], retries: { maximum: 0 }, health_check: { path: /h, interval: 50ms } } }
      routes: { all: { match: /*, upstream: u }, own: { match: /own, respond: 404 } }
      """
    try withGateway(text, to: origin) { gateway in
      var count = 0
      for _ in 1...10 {
        for target in ["/", "/own", "/garbage", "/cut", "/reset", "/%00"] {
          let client = try gateway.connect()
          try client.send("GET \(target) HTTP/1.1", ["Host: a.example"])
          _ = try? client.response()
          count += 1
        }
        let client = try gateway.connect()
        try client.send("GET / HTTP/1.1\r\nHo")
        client.close()
        count += 1
      }
      try gateway.stop()
      #expect(try gateway.records().count == count)
    }
  }
}
