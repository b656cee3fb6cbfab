import GatewayTesting
import Kernel
import Testing

/// Limits that several gateways share over a real Redis and a real Valkey.
struct SharedRateLimitTests {
  private func text(
    _ port: Int, store: String = "", limit: String = "rate: 3/h, burst: 3", database: Int = 0
  ) -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    stores: { shared: { url: "redis://127.0.0.1:\(port)/\(database)" \(store) } }
    routes:
      all: { match: /*, plugins: [{ rate_limit: { \(limit), key: header.x-user, store: shared } }], respond: 200 }
    """
  }

  private func statuses(_ gateway: RunningGateway, _ count: Int, user: String = "a") throws -> [Int] {
    let client = try gateway.connect()
    return try (0..<count).map { _ in try client.get("/", ["X-User: \(user)"]).status }
  }

  /// Waits until the store has answered: from then on it is in use.
  private func awaitStore(_ gateway: RunningGateway) throws {
    let isThere = try Deadline.usual.poll {
      _ = try statuses(gateway, 1, user: "first-\(Clock.monotonic)")
      return try gateway.admin("/metrics").text.contains(#"sluice_store_calls_total{store="shared",outcome="ok"}"#)
    }
    #expect(isThere)
  }

  @Test(arguments: RedisServer.Kind.installed)
  func `two gateways admit together what one would`(kind: RedisServer.Kind) throws {
    let redis = try RedisServer(kind)
    try withGateway(text(redis.port)) { one in
      try withGateway(text(redis.port)) { two in
        try awaitStore(one)
        try awaitStore(two)
        #expect(try statuses(one, 2) == [200, 200])
        #expect(try statuses(two, 2) == [200, 429])
        #expect(try statuses(one, 1) == [429])
        #expect(try statuses(two, 3, user: "b") == [200, 200, 200])
        let refused = try one.get("/", ["X-User: a"])
        // One of three an hour comes back after twenty minutes.
        let after = Int(refused["Retry-After"] ?? "") ?? 0
        #expect((1100...1200).contains(after))
        #expect(refused["RateLimit"]?.contains("r=0") == true)
      }
    }
  }

  @Test(arguments: RedisServer.Kind.installed)
  func `a store with a password and none but its own database is spoken to as it asks`(kind: RedisServer.Kind) throws {
    let redis = try RedisServer(kind, ["--requirepass", "open-sesame"])
    var plan = RunningGateway.Plan()
    plan.environment = [("REDIS_PASSWORD", "open-sesame")]
    try withGateway(
      text(redis.port, store: ", password: \"${REDIS_PASSWORD}\", unavailable: refuse", database: 1), plan
    ) { gateway in
      try awaitStore(gateway)
      #expect(try statuses(gateway, 4) == [200, 200, 200, 429])
      #expect(try redis.ask("AUTH open-sesame", "DBSIZE") == ":0")
    }
    try withGateway(text(redis.port, store: ", password: \"${WRONG:-wrong}\", unavailable: refuse")) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 503)
      #expect(response["X-Fault"] == "gateway")
    }
  }

  // The package that Valkey comes in is built without TLS.
  @Test func `a store under TLS is verified, and then used`() throws {
    let files = try TLSFixture.files
    let port = Ports.free()
    let redis = try RedisServer(
      .redis,
      [
        "--tls-port", "\(port)", "--tls-auth-clients", "no", "--tls-cert-file", files.localhost.certificate,
        "--tls-key-file", files.localhost.key, "--tls-ca-cert-file", files.authority.certificate,
      ])
    let tls = ", tls: { authority: \(files.authority.certificate) }"
    for (more, status) in [(tls, 200), ("", 503)] {
      let text = """
        stores: { shared: { url: "rediss://localhost:\(port)", unavailable: refuse, timeout: 5s \(more) } }
        routes: { all: { match: /*, plugins: [{ rate_limit: { rate: 100/s, store: shared } }], respond: 200 } }
        """
      try withGateway(text) { gateway in
        let isSo = try Deadline.usual.poll { try gateway.get("/").status == status }
        #expect(isSo)
      }
    }
    #expect(try redis.count <= 1)
  }

  @Test(arguments: RedisServer.Kind.installed)
  func `a cluster's nodes are asked for the keys that they have`(kind: RedisServer.Kind) throws {
    let buses = (0..<3).map { _ in Ports.free() }
    let nodes = try buses.map { try RedisServer(kind, ["--cluster-enabled", "yes", "--cluster-port", "\($0)"]) }
    for (index, slots) in ["0 5461", "5462 10922", "10923 16383"].enumerated() {
      #expect(try nodes[index].ask("CLUSTER ADDSLOTSRANGE \(slots)") == "+OK")
      #expect(try nodes[index].ask("CLUSTER SET-CONFIG-EPOCH \(index + 1)") == "+OK")
    }
    for index in 1...2 {
      #expect(try nodes[0].ask("CLUSTER MEET 127.0.0.1 \(nodes[index].port) \(buses[index])") == "+OK")
    }
    let isFormed = try Deadline.usual.poll {
      try nodes.allSatisfy { node in
        let client = try Client(port: node.port)
        try client.send("CLUSTER INFO\r\n")
        _ = try client.reader.line()
        return try client.reader.line() == "cluster_state:ok"
      }
    }
    #expect(isFormed)
    let text = """
      stores: { shared: { url: "redis+cluster://127.0.0.1:\(nodes[0].port)", unavailable: refuse, timeout: 5s } }
      routes:
        all: { match: /*, plugins: [{ rate_limit: { rate: 1/h, burst: 2, key: header.x-user, store: shared } }], respond: 200 }
      """
    try withGateway(text) { gateway in
      let answers = try (0..<20).map { try statuses(gateway, 3, user: "u\($0)") }
      #expect(answers.allSatisfy { $0 == [200, 200, 429] })
      let counts = try nodes.map { try $0.count }
      #expect(counts.reduce(0, +) == 20)
      #expect(counts.allSatisfy { $0 > 0 })
    }
  }

  @Test(arguments: RedisServer.Kind.installed)
  func `a store that forgot its scripts is told them again`(kind: RedisServer.Kind) throws {
    let redis = try RedisServer(kind)
    try withGateway(text(redis.port, store: ", unavailable: refuse")) { gateway in
      try awaitStore(gateway)
      #expect(try redis.ask("SCRIPT FLUSH") == "+OK")
      #expect(try statuses(gateway, 4) == [200, 200, 200, 429])
    }
  }

  @Test(arguments: ["local", "refuse"], RedisServer.Kind.installed)
  func `while the store is killed the configuration says what counts, and it comes back by itself`(
    outage: String, kind: RedisServer.Kind
  ) throws {
    let redis = try RedisServer(kind)
    try withGateway(text(redis.port, store: ", unavailable: \(outage)")) { gateway in
      try awaitStore(gateway)
      #expect(try statuses(gateway, 1) == [200])
      redis.process.kill()
      let isAway = try Deadline.usual.poll {
        _ = try statuses(gateway, 1, user: "while-\(Clock.monotonic)")
        return try gateway.admin("/metrics").text.contains(#"sluice_store_calls_total{store="shared",outcome="away"}"#)
      }
      #expect(isAway)
      let expected = outage == "local" ? [200, 200, 200, 429] : [503, 503, 503, 503]
      #expect(try statuses(gateway, 4, user: "c") == expected)
      try redis.restart()
      // Its memory is gone with it: what is there now came after.
      let isBack = try Deadline.usual.poll {
        _ = try statuses(gateway, 1, user: "back-\(Clock.monotonic)")
        return try redis.count > 0
      }
      #expect(isBack)
    }
  }

  @Test(arguments: ["local", "refuse"], RedisServer.Kind.installed)
  func `a store that is stopped holds no request longer than its time`(
    outage: String, kind: RedisServer.Kind
  ) throws {
    let redis = try RedisServer(kind)
    try withGateway(text(redis.port, store: ", timeout: 50ms, unavailable: \(outage)")) { gateway in
      try awaitStore(gateway)
      let known = try redis.count
      redis.process.freeze()
      let expected = outage == "local" ? 200 : 503
      let answers = try (0..<20).map { try statuses(gateway, 1, user: "s\($0)")[0] }
      #expect(answers.allSatisfy { $0 == expected })
      // One waited for the answer that did not come, and the others for nothing.
      let slow = try gateway.awaitRecords(20).suffix(20).count { ($0["total_us"]?.integer ?? 0) > 40_000 }
      #expect(slow <= 6, "\(slow)")
      redis.process.thaw()
      let isBack = try Deadline.usual.poll {
        _ = try statuses(gateway, 1, user: "t-\(Clock.monotonic)")
        return try redis.count > known + 1
      }
      #expect(isBack)
    }
  }

  @Test func `a store that speaks something else, or answers late, counts as away`() throws {
    for script in [
      { @Sendable (connection: OriginConnection) in try connection.send("HTTP/1.1 400 Bad Request\r\n\r\n") },
      { @Sendable (connection: OriginConnection) in
        _ = try connection.stream.read()
        try connection.send("+PONG\r\n+OK\r\n+PONG\r\n:1\r\n:2\r\n")
        connection.awaitEnd()
      },
    ] as [Origin.Script] {
      let impostor = try Origin(script)
      defer { impostor.stop() }
      try withGateway(text(impostor.port, store: ", timeout: 20ms, unavailable: local")) { gateway in
        let found = try statuses(gateway, 4)
        #expect(found == [200, 200, 200, 429])
        #expect(Deadline.usual.poll { impostor.accepted > 1 })
      }
    }
  }

  @Test func `a limit without its store is a mistake`() throws {
    let gateway = Result {
      try RunningGateway(
        "routes: { all: { match: /*, plugins: [{ rate_limit: { rate: 1/s, store: shared } }], respond: 200 } }")
    }
    #expect(throws: RunningGateway.Failure.self) { try gateway.get() }
  }

  @Test(arguments: RedisServer.Kind.installed)
  func `many at once are admitted exactly`(kind: RedisServer.Kind) throws {
    let redis = try RedisServer(kind)
    try withGateway(text(redis.port, store: ", timeout: 5s, unavailable: refuse", limit: "rate: 1/h, burst: 100")) {
      gateway in
      try awaitStore(gateway)
      let load = try Load(clients: 16, port: gateway.port)
      #expect(load.pass(400))
      let outcome = load.finish()
      #expect(outcome.answers[200] == 100)
      #expect(outcome.answers.keys.sorted() == [200, 429])
    }
  }
}
