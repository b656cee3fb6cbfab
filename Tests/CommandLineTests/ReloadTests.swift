import GatewayTesting
import Kernel
import Testing

/// `reload`, `rollback` and `diff` against a running gateway, and the signals.
struct ReloadTests {
  private static let answer = "routes: { one: { match: /one, respond: { status: 200, body: first } } }"
  private static let plain = "admin: \"127.0.0.1:${ADMIN_PORT}\"\n" + answer
  private static let guarded =
    "admin: { address: \"127.0.0.1:${ADMIN_PORT}\", token: \"${DIRECTORY}\" }\n" + answer
  private static let local = "admin: \"unix:admin.sock\"\n" + answer

  private func sluice(_ gateway: RunningGateway, _ arguments: [String]) throws -> Command {
    try Command(
      arguments + ["-c", gateway.directory["gateway.conf"]],
      environment: [
        ("PORT", "\(gateway.port)"), ("ADMIN_PORT", "\(gateway.adminPort)"), ("DIRECTORY", gateway.directory.path),
      ])
  }

  private func rewrite(_ gateway: RunningGateway, _ old: String, _ new: String) throws {
    let text = try gateway.directory.read("gateway.conf").replacing(old, with: new)
    try gateway.directory.write(text, to: "gateway.conf")
  }

  @Test(arguments: [Self.plain, Self.guarded, Self.local])
  func `reload and rollback work without a token, with one and through a Unix socket`(_ text: String) throws {
    try withGateway(text) { gateway in
      try rewrite(gateway, "body: first", "body: second")
      let diff = try sluice(gateway, ["diff"])
      #expect(diff.output == "~ routes.one.respond.body: first -> second\n", "\(diff.errors)")
      let reload = try sluice(gateway, ["reload"])
      #expect(reload.status == 0, "\(reload.errors)")
      #expect(reload.output.contains("generation 2 runs, 1 change"))
      #expect(try gateway.get("/one").text == "second")
      // What changes nothing is nothing to go back to.
      #expect(try sluice(gateway, ["reload"]).output.contains("0 changes"))
      let rollback = try sluice(gateway, ["rollback", "--json"])
      #expect(rollback.status == 0, "\(rollback.errors)")
      #expect(try rollback.json()["kind"]?.string == "rollback")
      #expect(try gateway.get("/one").text == "first")
    }
  }

  @Test(arguments: [Self.plain, Self.guarded])
  func `a bad file is exit 1 with its mistakes, and the gateway is told`(_ text: String) throws {
    try withGateway(text) { gateway in
      try rewrite(gateway, "respond:", "respnod:")
      let reload = try sluice(gateway, ["reload"])
      #expect(reload.status == 1)
      #expect(reload.errors.contains("did you mean `respond`?"))
      #expect(try gateway.get("/one").text == "first")
      #expect(gateway.errors.contains("reload failed"))
      #expect(try sluice(gateway, ["diff"]).status == 1)
    }
  }

  @Test(arguments: [Self.plain, Self.guarded])
  func `another file than the one that runs is not said to be taken over`(_ text: String) throws {
    try withGateway(text) { gateway in
      let other = try gateway.directory.read("gateway.conf").replacing("body: first", with: "body: other")
      try gateway.directory.write(other, to: "other.conf")
      for name in ["reload", "diff"] {
        let command = try Command([name, "-c", gateway.directory["other.conf"]], environment: gateway.environment)
        #expect(command.status == 1)
        #expect(
          command.errors.contains("runs \(gateway.directory["gateway.conf"]), not \(gateway.directory["other.conf"])"))
        #expect(command.output.isEmpty)
      }
      #expect(try gateway.get("/one").text == "first")
      // The gateway is named: the file only has its token.
      let reload = try Command(
        ["reload", "-c", gateway.directory["other.conf"], "--admin", "127.0.0.1:\(gateway.adminPort)"],
        environment: gateway.environment)
      #expect(reload.status == 0, "\(reload.errors)")
    }
  }

  @Test func `SIGHUP reloads and SIGUSR1 rolls back`() throws {
    try withGateway(Self.plain) { gateway in
      try rewrite(gateway, "body: first", "body: second")
      gateway.process.signal(ProcessSignal.hangup)
      #expect(try Deadline.usual.poll { try gateway.get("/one").text == "second" })
      gateway.process.signal(ProcessSignal.firstUser)
      #expect(try Deadline.usual.poll { try gateway.get("/one").text == "first" })
    }
  }

  @Test func `a listener comes and goes with a reload, and routes keep to theirs`() throws {
    let text = Self.plain + "\ndrain_limit: 1s"
    try withGateway(text) { gateway in
      let port = Ports.free()
      try rewrite(gateway, "listeners: { public:", "listeners: { inside: \"127.0.0.1:\(port)\", public:")
      try rewrite(gateway, "match: /one", "match: { paths: [/one], listeners: [public] }")
      let reload = try sluice(gateway, ["reload"])
      #expect(reload.status == 0, "\(reload.errors)")
      #expect(try gateway.get("/one").status == 200)
      #expect(try Client(port: port).get("/one").status == 404)
    }
  }

  @Test func `a new listener on a taken address changes nothing`() throws {
    let origin = try Origin.ok()
    defer { origin.stop() }
    try withGateway(Self.plain) { gateway in
      try rewrite(gateway, "body: first", "body: second")
      try rewrite(gateway, "listeners: { public:", "listeners: { other: \"127.0.0.1:\(origin.port)\", public:")
      let reload = try sluice(gateway, ["reload"])
      #expect(reload.status == 1)
      #expect(reload.errors.contains("another process listens there"))
      #expect(try gateway.get("/one").text == "first")
    }
  }

  @Test func `a taken address is exit 2 with a sentence that says what to do`() throws {
    try withGateway(Self.plain) { gateway in
      let second = try sluice(gateway, ["run"])
      #expect(second.status == 2)
      #expect(second.errors.contains("another process listens there: stop it, or choose another address"))
      #expect(try gateway.get("/one").status == 200)
    }
  }

  @Test func `port 0 is one free port for all workers, and said`() throws {
    var plan = RunningGateway.Plan()
    plan.workers = 2
    plan.listeners = #"{ public: "127.0.0.1:0" }"#
    try withGateway(Self.answer + "\nadmin: 127.0.0.1:0", plan) { gateway in
      let ports = gateway.output.split(separator: "\n").compactMap { line in
        line.split(separator: " ")[2].split(separator: ":").last.flatMap { Int($0) }
      }
      #expect(ports.count == 2 && ports.allSatisfy { $0 > 0 }, "\(gateway.output)")
      for _ in 0..<8 { #expect(try Client(port: ports[0]).get("/one").text == "first") }
      let client = try Client(port: ports[1])
      try client.send("GET /api/v1/status HTTP/1.1", ["Host: localhost"])
      #expect(try client.response().text.contains("\"address\":\"127.0.0.1:\(ports[0])\""))
    }
  }

  @Test func `a file in the place of a Unix socket is not removed`() throws {
    let files = try Files(["precious": "text"])
    try files.directory.write(
      "listeners: { public: unix:precious }\ncall_log: off\nroutes: { all: { match: /*, respond: 200 } }\n",
      to: "gateway.conf")
    let run = try Command(["run", "-c", files["gateway.conf"]])
    #expect(run.status == 2)
    #expect(try files.directory.read("precious") == "text")
  }

  @Test func `without a gateway the commands say where they looked`() throws {
    let port = Ports.free()
    let files = try Files([
      "gateway.conf": "listeners: { a: 127.0.0.1:1 }\nadmin: 127.0.0.1:\(port)\n",
      "bare.conf": "listeners: { a: 127.0.0.1:1 }\n",
    ])
    for command in ["reload", "rollback", "diff"] {
      let nobody = try Command([command, "-c", files["gateway.conf"]])
      #expect(nobody.status == 1)
      #expect(nobody.errors.contains("no gateway answers on 127.0.0.1:\(port) (Connection refused)"))
      let nowhere = try Command([command, "-c", files["bare.conf"]])
      #expect(nowhere.status == 1)
      #expect(nowhere.errors.contains("does not say where the admin port is"))
    }
  }
}
