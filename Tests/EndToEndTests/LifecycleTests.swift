import GatewayTesting
import Kernel
import Testing

/// Starting, reloading and stopping under load, and running out of descriptors.
struct LifecycleTests {
  private static let admin = "admin: \"127.0.0.1:${ADMIN_PORT}\"\n"

  private func write(_ text: String, to gateway: RunningGateway, _ plan: RunningGateway.Plan) throws {
    // As people and tools do it: a new file in the place of the old one, so that none is ever half there.
    try gateway.directory.write(RunningGateway.configuration(text, plan), to: "next.conf")
    try FileSystem.rename(gateway.directory["next.conf"], to: gateway.directory["gateway.conf"])
  }

  @Test(arguments: [Load.Connections.kept, .fresh])
  func `no request fails while the configuration is reloaded fifty times`(connections: Load.Connections) throws {
    let origins = [try Origin.ok("a"), try Origin.ok("b")]
    defer { for origin in origins { origin.stop() } }
    // Each generation has other upstreams, routes and limits than the one before.
    let texts = origins.enumerated().map { index, origin in
      """
      admin: "127.0.0.1:${ADMIN_PORT}"
      limits: { headers: \(50 + index) }
      upstreams: { u\(index): { targets: [{ url: "\(origin.url)" }] }, same: "\(origins[0].url)" }
      routes: { r\(index): { match: /*, upstream: u\(index) }, same: { match: /same, upstream: same } }
      """
    }
    var plan = RunningGateway.Plan()
    plan.workers = 2
    try withGateway(texts[0], plan) { gateway in
      let load = try Load(clients: 4, port: gateway.port, connections)
      let same = try Load(clients: 2, port: gateway.port, connections, request: "GET /same HTTP/1.1\r\nHost: a.example")
      for reload in 1...50 {
        try write(texts[reload % 2], to: gateway, plan)
        gateway.process.signal(ProcessSignal.hangup)
        let isRunning = try Deadline.usual.poll {
          try gateway.metric("sluice_config_reloads_total") == reload
        }
        #expect(isRunning)
        #expect(load.pass(5))
      }
      for outcome in [load.finish(), same.finish()] {
        #expect(outcome.failures.isEmpty)
        #expect(outcome.answers.keys.sorted() == [200])
        #expect(outcome.resent == 0)
      }
      #expect(origins.allSatisfy { $0.failures.isEmpty })
      #expect(origins.allSatisfy { $0.requests.count > 25 })
    }
  }

  @Test(arguments: [Load.Connections.kept, .fresh], [0, 300])
  func `no request fails while the gateway drains`(connections: Load.Connections, delay: Int) throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        connection.wait(milliseconds: 2)
        try connection.answer()
      }
    }
    defer { origin.stop() }
    var plan = RunningGateway.Plan()
    plan.workers = 2
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      routes: { all: { match: /*, upstream: "\(origin.url)" } }
      """
    let gateway = try RunningGateway(text, plan)
    defer { gateway.process.kill() }
    let configuration = try gateway.directory.read("gateway.conf")
    try gateway.directory.write(
      configuration.replacing("drain_delay: 0s", with: "drain_delay: \(delay)ms"), to: "gateway.conf")
    gateway.process.signal(ProcessSignal.hangup)
    #expect(try Deadline.usual.poll { try gateway.metric("sluice_config_reloads_total") == 1 })
    #expect(try gateway.admin("/readyz").status == 200)
    let load = try Load(clients: 6, port: gateway.port, connections)
    #expect(load.pass(200))
    gateway.process.terminate()
    if delay > 0 {
      #expect(try Deadline.usual.poll { try gateway.admin("/readyz").status == 503 })
      // Until the delay is over it serves as before.
      #expect(load.pass(5))
    }
    #expect(try gateway.process.wait(until: .usual) == .exited(0))
    let outcome = load.finish()
    #expect(outcome.failures.isEmpty)
    #expect(outcome.answers.keys.sorted() == [200])
    #expect(outcome.refused == 6)
    if connections == .fresh { #expect(outcome.resent == 0) }
    #expect(try gateway.records().filter { $0["status"]?.integer == 200 }.count == outcome.count)
  }

  @Test func `an exchange in flight is finished by the drain, and one that takes too long is cut`() throws {
    let origin = try Origin { connection in
      guard let request = try connection.request() else { return }
      if request.target == "/never" { return connection.awaitEnd() }
      connection.wait(milliseconds: 300)
      try connection.answer(body: "done")
      connection.awaitEnd()
    }
    defer { origin.stop() }
    let text = """
      drain_limit: 1s
      routes: { all: { match: /*, upstream: "\(origin.url)" } }
      """
    let gateway = try RunningGateway(text)
    defer { gateway.process.kill() }
    let slow = try gateway.connect()
    try slow.send("GET /slow HTTP/1.1", ["Host: a.example"])
    let never = try gateway.connect()
    try never.send("GET /never HTTP/1.1", ["Host: a.example"])
    _ = try origin.awaitRequests(2)
    gateway.process.terminate()
    let response = try slow.response()
    #expect(response.text == "done")
    #expect(response["Connection"] == "close")
    #expect(slow.isClosedByPeer())
    _ = try? never.response()
    #expect(try gateway.process.wait(until: .usual) == .exited(0))
    #expect(throws: (any Error).self) { try gateway.connect() }
    let records = try gateway.records()
    #expect(records.map { $0["path"]?.string } == ["/slow", "/never"])
    #expect(records[0]["fault"] == nil)
    #expect(records[1]["reason"]?.string == "cut_by_drain")
    #expect(records[1]["fault"]?.string == "gateway")
  }

  @Test func `a port that is taken is exit 2, and a bad file exit 1 with every mistake`() throws {
    let origin = try Origin.ok()
    defer { origin.stop() }
    let directory = try TemporaryDirectory()
    func run(_ text: String) throws -> ChildProcess.Exit {
      try directory.write(text, to: "gateway.conf")
      try? FileSystem.remove(directory["errors"])
      return try ChildProcess(
        [RunningGateway.program, "run", "-c", directory["gateway.conf"]], errors: directory["errors"]
      ).wait(until: .usual)
    }
    let routes = "routes: { all: { match: /*, respond: 200 } }"
    #expect(try run("listeners: { public: \"127.0.0.1:\(origin.port)\" }\n\(routes)") == .exited(2))
    #expect(try directory.read("errors").contains("127.0.0.1:\(origin.port)"))
    #expect(
      try run("listeners: { public: 127.0.0.1:0x }\nroutes: { all: { match: nowhere, respnod: 200 } }") == .exited(1))
    let errors = try directory.read("errors")
    for word in ["listeners", "respnod", "did you mean `respond`", "match"] {
      #expect(errors.contains(word), "\(word)")
    }
    try FileSystem.remove(directory["gateway.conf"])
    #expect(
      try ChildProcess([RunningGateway.program, "run", "-c", directory["gateway.conf"]]).wait(until: .usual)
        == .exited(1))
    // The origin on the port that was asked for was not disturbed.
    #expect(try Client(origin.address).get("/").status == 200)
  }

  @Test func `with few descriptors only so many clients get in that each finds its target, and the admin port answers`()
    throws
  {
    let origin = try Origin.ok()
    var plan = RunningGateway.Plan()
    plan.openFiles = 96
    let text = Self.admin + "limits: { connections: 1000 }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin, plan) { gateway in
      #expect(try gateway.get("/").status == 200)
      var clients: [Client] = []
      for _ in 1...120 { clients.append(try gateway.connect()) }
      Pause.milliseconds(200)
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_connections_refused_total{listener="public",reason="limit"} "#))
      #expect(!metrics.contains(#"reason="accept_failed""#))
      // Whoever got in is served, all at once, while the rest waits.
      for client in clients { try client.send("GET / HTTP/1.1", ["Host: a.example"]) }
      var served = 0
      for client in clients {
        guard let response = try? client.response(until: served < 8 ? .usual : .after(seconds: 0.05)) else { continue }
        #expect(response.status == 200)
        served += 1
      }
      #expect((8..<96).contains(served), "\(served)")
      #expect(try gateway.admin("/readyz").status == 200)
      let after = try gateway.admin("/metrics").text
      #expect(!after.contains("out_of_descriptors"))
      clients = []
      let isWell = try Deadline.usual.poll { try gateway.get("/").status == 200 }
      #expect(isWell && gateway.process.isRunning)
      for _ in 1...20 { #expect(try gateway.get("/").status == 200) }
    }
  }

  @Test func `connections beyond the limit wait until others end`() throws {
    let text = Self.admin + "limits: { connections: 4 }\nroutes: { all: { match: /*, respond: 200 } }"
    try withGateway(text) { gateway in
      var held = try (1...4).map { _ in try gateway.connect() }
      for client in held { #expect(try client.get("/").status == 200) }
      let waits = try gateway.connect()
      try waits.send("GET / HTTP/1.1", ["Host: a.example"])
      #expect(throws: WireError.timedOut) { try waits.response(until: .after(seconds: 0.3)) }
      held.removeLast()
      #expect(try waits.response().status == 200)
      // Once, however often the listener looked.
      let refused = #"sluice_connections_refused_total{listener="public",reason="limit"} 1"#
      #expect(try gateway.admin("/metrics").text.contains(refused + "\n"))
    }
  }
}
