import GatewayTesting
import Kernel
import Testing

/// A new process takes the place of the running one.
@Suite(.enabled(if: Shell.has("lz4cat"), "the tool lz4cat is not installed"))
struct UpgradeTests {
  private static let admin = "admin: \"127.0.0.1:${ADMIN_PORT}\"\n"
  private static let answer = admin + "routes: { all: { match: /*, respond: { status: 200, body: first } } }"

  private func rewrite(_ gateway: RunningGateway, _ old: String, _ new: String) throws {
    let text = try gateway.directory.read("gateway.conf")
    #expect(text.contains(old))
    try gateway.directory.write(text.replacing(old, with: new), to: "next.conf")
    try FileSystem.rename(gateway.directory["next.conf"], to: gateway.directory["gateway.conf"])
  }

  private func upgrade(_ gateway: RunningGateway, _ options: [String] = []) throws {
    let outcome = try gateway.command(["upgrade"] + options)
    #expect(outcome.exit == .exited(0), "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("upgrade done: process "))
  }

  /// Nothing failed, nobody was turned away, and the log has a line for every answer, once.
  private func expectNothingLost(_ load: Load, _ connections: Load.Connections, _ gateway: RunningGateway) throws {
    let outcome = load.finish()
    #expect(outcome.failures.isEmpty)
    #expect(outcome.answers.keys.sorted() == [200])
    #expect(outcome.refused == 0)
    if connections == .fresh { #expect(outcome.resent == 0) }
    try gateway.stopAll()
    Shell.run("cd \(gateway.directory["calls"]) && for f in *.lz4; do lz4cat $f > ${f%.lz4}; done")
    let answered = try gateway.records().filter { $0["status"]?.integer == 200 }
    #expect(answered.count == outcome.count)
    #expect(Set(answered.compactMap { $0["request_id"]?.string }).count == outcome.count)
    let names = try FileSystem.list(gateway.directory["calls"])
    #expect(!names.contains { $0.hasPrefix("draining") }, "\(names)")
  }

  @Test(arguments: [Load.Connections.kept, .fresh])
  func `no request is lost by two upgrades in a row`(connections: Load.Connections) throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        connection.wait(milliseconds: 2)
        try connection.answer()
      }
    }
    defer { origin.stop() }
    var plan = RunningGateway.Plan()
    plan.workers = 2
    let text = Self.admin + "routes: { all: { match: /*, upstream: \"\(origin.url)\" } }"
    try withUpgradableGateway(text, plan) { gateway in
      let load = try Load(clients: 6, port: gateway.port, connections)
      #expect(load.pass(200))
      try upgrade(gateway)
      #expect(load.pass(50))
      try upgrade(gateway)
      #expect(load.pass(200))
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      #expect(load.pass(50))
      #expect(try gateway.process.wait(until: .usual) == .exited(0))
      try expectNothingLost(load, connections, gateway)
    }
  }

  @Test(arguments: [(1, 3), (3, 1)])
  func `another number of workers loses no queue`(before: Int, after: Int) throws {
    var plan = RunningGateway.Plan()
    plan.workers = before
    try withUpgradableGateway(Self.answer, plan) { gateway in
      let load = try Load(clients: 6, port: gateway.port, .fresh)
      #expect(load.pass(100))
      try rewrite(gateway, "workers: \(before)", "workers: \(after)")
      try upgrade(gateway)
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      #expect(try gateway.metric("sluice_workers") == after)
      #expect(load.pass(100))
      // And once more with what is left of them: no socket is forgotten.
      try upgrade(gateway)
      #expect(load.pass(100))
      try expectNothingLost(load, .fresh, gateway)
    }
  }

  @Test(arguments: [3, 1])
  func `what waits in every queue is answered by the new process`(after: Int) throws {
    var plan = RunningGateway.Plan()
    plan.workers = 3
    try withUpgradableGateway("limits: { connections: 4 }\n" + Self.answer, plan) { gateway in
      let held = try (1...4).map { _ in try gateway.connect() }
      for client in held { #expect(try client.get("/").text == "first") }
      // The old process may take no more, so these stay in the queues of its three sockets.
      let waiting = try (1...24).map { _ in try gateway.connect() }
      for client in waiting { try client.send("GET / HTTP/1.1", ["Host: a.example"]) }
      try rewrite(gateway, "workers: 3", "workers: \(after)")
      try rewrite(gateway, "connections: 4", "connections: 100")
      try rewrite(gateway, "body: first", "body: second")
      try upgrade(gateway)
      for client in waiting { #expect(try client.response().text == "second") }
    }
  }

  @Test func `a broken file keeps the old process, which says so everywhere`() throws {
    try withUpgradableGateway(Self.answer) { gateway in
      let load = try Load(clients: 2, port: gateway.port)
      #expect(load.pass(20))
      try rewrite(gateway, "respond:", "respnod:")
      let outcome = try gateway.command(["upgrade"])
      #expect(outcome.exit == .exited(1))
      #expect(outcome.errors.contains("did you mean `respond`?"))
      #expect(outcome.errors.contains("process \(gateway.process.id) goes on"))
      #expect(gateway.errors.contains("upgrade failed"))
      #expect(try gateway.admin("/metrics").text.contains("sluice_upgrades_total{outcome=\"failed\"} 1"))
      #expect(try gateway.admin("/readyz").status == 200)
      #expect(load.pass(20))
      #expect(gateway.processes == [gateway.process.id])
      #expect(try FileSystem.list(gateway.directory["calls"]) == ["current.ndjson"])
      // Mended, it works.
      try rewrite(gateway, "respnod:", "respond:")
      try upgrade(gateway)
      #expect(load.pass(20))
      try expectNothingLost(load, .kept, gateway)
    }
  }

  @Test func `a program that fails, is not there or never gets ready changes nothing`() throws {
    let text =
      "admin: unix:admin.sock\nupgrade_limit: 3s\nroutes: { all: { match: /*, respond: { status: 200, body: first } } }"
    try withUpgradableGateway(text) { gateway in
      let cases = [
        ("failing", "#!/bin/sh\nexit 7\n", "it ended with exit status 7 before it was ready"),
        ("silent", "#!/bin/sh\nexec sleep 60\n", "was not ready in 3"),
        ("missing", nil, "cannot be started: No such file or directory"),
      ]
      for (name, script, why) in cases {
        if let script {
          try gateway.directory.write(script, to: name)
          Shell.run("chmod +x \(gateway.directory[name])")
        }
        let outcome = try gateway.command(["upgrade", "--binary", gateway.directory[name]])
        #expect(outcome.exit == .exited(1))
        #expect(outcome.errors.contains(why), "\(outcome.errors)")
        #expect(try gateway.get("/").text == "first")
      }
      #expect(gateway.processes == [gateway.process.id])
      // Another path to the right program is taken.
      Shell.run("ln -s \(RunningGateway.program) \(gateway.directory["link"])")
      try rewrite(gateway, "body: first", "body: second")
      try upgrade(gateway, ["--binary", gateway.directory["link"]])
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      #expect(try gateway.get("/").text == "second")
    }
  }

  @Test func `over TCP no program can be named`() throws {
    let text = Self.answer.replacing(
      "admin: \"127.0.0.1:${ADMIN_PORT}\"", with: "admin: { address: \"127.0.0.1:${ADMIN_PORT}\", token: secret }")
    try withUpgradableGateway(text) { gateway in
      let outcome = try gateway.command(["upgrade", "--binary", RunningGateway.program])
      #expect(outcome.exit == .exited(1))
      #expect(outcome.errors.contains("Unix socket"))
      #expect(gateway.processes == [gateway.process.id])
      try upgrade(gateway)
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
    }
  }

  @Test func `a Unix socket goes over, and its path stays until the last process ends`() throws {
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: "unix:${DIRECTORY}/gateway", tcp: "127.0.0.1:${PORT}" }"#
    plan.workers = 2
    try withUpgradableGateway(Self.answer, plan) { gateway in
      let path = gateway.directory["gateway"]
      #expect(try Client(.unix(path: path)).get("/").text == "first")
      try rewrite(gateway, "body: first", "body: second")
      try upgrade(gateway)
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      #expect(try Client(.unix(path: path)).get("/").text == "second")
      try gateway.stopAll()
      #expect(!gateway.directory.names.contains("gateway"))
    }
  }

  @Test func `listeners come and go with the new process's file`() throws {
    let other = Ports.free()
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: "127.0.0.1:${PORT}", gone: "unix:${DIRECTORY}/gone" }"#
    try withUpgradableGateway(Self.answer, plan) { gateway in
      try rewrite(gateway, "gone: \"unix:${DIRECTORY}/gone\"", "new: \"127.0.0.1:\(other)\"")
      try upgrade(gateway)
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      #expect(try Client(port: other).get("/").text == "first")
      #expect(try gateway.get("/").text == "first")
      #expect(!gateway.directory.names.contains("gone"))
    }
  }

  @Test func `an address that the new process cannot have keeps the old one`() throws {
    let origin = try Origin.ok()
    defer { origin.stop() }
    try withUpgradableGateway(Self.answer) { gateway in
      try rewrite(gateway, "{ public:", "{ other: \"127.0.0.1:\(origin.port)\", public:")
      let outcome = try gateway.command(["upgrade"])
      #expect(outcome.exit == .exited(1))
      #expect(outcome.errors.contains("another process listens there"))
      #expect(try gateway.get("/").text == "first")
    }
  }

  @Test func `what is in flight is answered by the old process while the new one serves`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      connection.wait(milliseconds: 600)
      try connection.answer(body: "slow")
    }
    defer { origin.stop() }
    let text =
      Self.answer.replacing("routes: {", with: "routes: { slow: { match: /slow, upstream: \"\(origin.url)\" },")
    try withUpgradableGateway(text) { gateway in
      let slow = try gateway.connect()
      try slow.send("GET /slow HTTP/1.1", ["Host: a.example"])
      _ = try origin.awaitRequests(1)
      try rewrite(gateway, "body: first", "body: second")
      try upgrade(gateway)
      // For a moment both take connections.
      var asked = 0
      let isNew = Deadline.usual.poll {
        asked += 1
        return (try? gateway.get("/").text) == "second"
      }
      #expect(isNew)
      #expect(try gateway.admin("/readyz").status == 200)
      let response = try slow.response()
      #expect(response.text == "slow")
      #expect(response["Connection"] == "close")
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      try gateway.stopAll()
      #expect(try gateway.records().count == asked + 1)
    }
  }

  @Test func `SIGUSR2 upgrades, and SIGTERM during an upgrade ends both`() throws {
    try withUpgradableGateway(Self.answer) { gateway in
      try rewrite(gateway, "body: first", "body: second")
      gateway.process.signal(ProcessSignal.secondUser)
      _ = try gateway.awaitSuccessor(of: gateway.process.id)
      #expect(try gateway.get("/").text == "second")
      for id in gateway.processes {
        try ProcessSignal.send(ProcessSignal.secondUser, to: id)
        try ProcessSignal.send(ProcessSignal.terminate, to: id)
      }
      #expect(Deadline.usual.poll { gateway.processes.isEmpty })
    }
  }

  @Test func `a call log on standard output has whole lines of both`() throws {
    var plan = RunningGateway.Plan()
    plan.callLog = "stdout"
    plan.workers = 2
    try withUpgradableGateway(Self.answer, plan) { gateway in
      let load = try Load(clients: 4, port: gateway.port)
      #expect(load.pass(100))
      try upgrade(gateway)
      #expect(load.pass(100))
      let outcome = load.finish()
      try gateway.stopAll()
      let lines = gateway.output.split(separator: "\n")
      #expect(lines.count == outcome.count)
      for line in lines { #expect(try JSONValue(parsing: line)["status"]?.integer == 200) }
    }
  }
}
