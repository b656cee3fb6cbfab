import GatewayTesting
import Kernel
import Testing

/// Files and realtime conversations, which go to a provider as they are, with its key.
struct ModelPassTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/passing.py"

  private func plan(_ key: String = "the-key") -> RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.environment = [("KEY", key)]
    return plan
  }

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `OpenAI's package sends recordings, images and files, and talks`() throws {  // long: one story
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let provider = try ChildProcess(
      [python, Self.script, "serve"], output: directory["ports"], errors: directory["errors"])
    defer { provider.kill() }
    var ports: [Int] = []
    #expect(
      Deadline.usual.poll {
        ports = ((try? directory.read("ports")) ?? "").split { !$0.isNumber }.compactMap { Int($0) }
        return ports.count == 2
      }, "\((try? directory.read("errors")) ?? "")")
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      ai:
        providers:
          http: { dialect: openai, url: "http://127.0.0.1:\(ports[0])/v1", keys: ["${KEY}"] }
          socket: { dialect: openai, url: "http://127.0.0.1:\(ports[1])/v1", keys: ["${KEY}"] }
        models: { ears: http/whisper-1, voice: socket/gpt-realtime }
        prices: { socket/gpt-realtime: { input: 4, output: 16 } }
      routes:
        models:
          match: /*
          plugins: [{ token_limit: { tokens: 100000/month, key: ip, name: team } }]
          ai: { accept: openai, files: http, realtime: true }
      """
    try withGateway(text, plan()) { gateway in
      let output = gateway.directory["python"]
      let exit = try ChildProcess([python, Self.script, "ask", "\(gateway.port)"], output: output, errors: output)
        .wait(until: .after(seconds: 60))
      #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
      let records = try gateway.awaitRecords(10)
      let talk = try #require(records.first { $0["path"]?.string == "/v1/realtime" })
      #expect(
        talk["status"]?.integer == 101 && talk["model"]?.string == "voice" && talk["provider"]?.string == "socket")
      #expect(talk["input_tokens"]?.integer == 254 && talk["output_tokens"]?.integer == 296)
      #expect(talk["cost_nanousd"]?.integer == 254 * 4000 + 296 * 16_000)
      let metrics = try gateway.admin("/metrics").text
      for (operation, name, label) in [("realtime", "socket", "voice"), ("files", "http", "_OTHER")] {
        #expect(
          metrics.split(separator: "\n").contains {
            $0.contains(
              #"_duration_seconds_count{gen_ai_operation_name="\#(operation)",gen_ai_provider_name="\#(name)",gen_ai_request_model="\#(label)""#
            )
          }, "\(name)")
      }
      #expect(
        records.filter { $0["path"]?.string?.hasPrefix("/v1/files") == true }.allSatisfy {
          $0["provider"]?.string == "http"
        })
    }
  }

  private static let configuration = """
    ai:
      providers:
        o: { dialect: openai, url: ORIGIN, keys: ["${KEY}"] }
        az: { dialect: azure, url: ORIGIN, api_version: "2024-10-21", keys: ["${KEY}"] }
        an: { dialect: anthropic, url: ORIGIN, keys: ["${KEY}"] }
      models: { voice: { model: an/claude, fallbacks: [az/talk] } }
    routes:
      off: { match: /off/*, ai: openai }
      guarded: { match: /guarded/*, plugins: [{ guardrails: { deny: [x] } }], ai: { accept: openai, realtime: true } }
      limited: { match: /limited/*, plugins: [{ token_limit: { tokens: 50/month, key: ip, name: team } }], ai: { accept: openai, realtime: true } }
      on: { match: /*, ai: { accept: openai, files: az, realtime: true } }
    """
  private static let handshake = [
    "Host: a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Authorization: Bearer of-the-client",
  ]

  private func get(_ gateway: RunningGateway, _ target: String, _ fields: [String] = ["Host: a"]) throws -> WireMessage
  {
    let client = try gateway.connect()
    try client.send("GET \(target) HTTP/1.1", fields)
    return try client.response()
  }

  @Test func `nothing is passed that the route does not say, or nobody could judge`() throws {
    let origin = try Origin.ok()
    try withGateway(Self.configuration, to: origin, plan()) { gateway in
      #expect(try get(gateway, "/off/v1/files").status == 404)
      #expect(try get(gateway, "/off/v1/realtime?model=voice", Self.handshake).status == 404)
      let guarded = try get(gateway, "/guarded/v1/realtime?model=voice", Self.handshake)
      #expect(guarded.status == 403 && guarded.text.contains("guardrails"))
      #expect(try get(gateway, "/limited/v1/realtime?model=voice", Self.handshake).status == 429)
      for (target, fields, status) in [
        ("/v1/realtime", Self.handshake, 400), ("/v1/realtime?model=a&model=b", Self.handshake, 400),
        ("/v1/realtime?model=none", Self.handshake, 404), ("/v1/realtime?model=an/x", Self.handshake, 400),
        ("/v1/realtime?model=voice", ["Host: a"], 400), ("/v1/filesystem", ["Host: a"], 404),
      ] { #expect(try get(gateway, target, fields).status == status, "\(target)") }
      #expect(origin.requests.isEmpty)
    }
  }

  @Test func `what an answer used counts while the conversation goes on`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
      let said = #"{"type":"response.done","response":{"usage":{"input_tokens":10,"output_tokens":20}}}"#
      for _ in 1...2 { try connection.send([0x81, UInt8(said.utf8.count)] + Array(said.utf8)) }
      _ = try connection.request()
    }
    let text =
      "admin: \"127.0.0.1:${ADMIN_PORT}\"\n"
      + Self.configuration.replacing("tokens: 50/month", with: "answer: 100, tokens: 1000/month")
    try withGateway(text, to: origin, plan()) { gateway in
      let client = try gateway.connect()
      defer { client.close() }
      try client.send("GET /limited/v1/realtime?model=voice HTTP/1.1", Self.handshake)
      var spend = ""
      // Two answers, and what is set aside for the next.
      let isCounted = Deadline.usual.poll {
        spend = (try? gateway.admin("/api/v1/spend").text) ?? ""
        return spend.contains(#""used":161}"#)
      }
      #expect(isCounted, "\(spend)")
    }
  }

  private static func limited(by kind: String) -> String {
    let limit =
      switch kind {
      case "budget": "budget: { usd: 0.08/month, answer: 1000, key: ip, name: team }"
      case "shadow": "token_limit: { tokens: 5000/month, answer: 1000, key: ip, name: team, shadow: true }"
      default: "token_limit: { tokens: 5000/month, answer: 1000, key: ip, name: team }"
      }
    let prices = "  prices: { an/claude: { input: 4, output: 16 }, az/talk: { input: 4, output: 16 } }\n"
    return "admin: \"127.0.0.1:${ADMIN_PORT}\"\n"
      + configuration.replacing("token_limit: { tokens: 50/month, key: ip, name: team }", with: limit)
      .replacing("routes:", with: prices + "routes:")
  }

  @Test(arguments: ["token_limit", "budget", "shadow"])
  func `a conversation ends when a limit has nothing left for its next answer`(_ kind: String) throws {
    let said = #"{"type":"response.done","response":{"usage":{"input_tokens":1000,"output_tokens":2000}}}"#
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
      for _ in 1...3 {
        connection.wait(milliseconds: 20)
        try connection.send([0x81, UInt8(said.utf8.count)] + Array(said.utf8))
      }
      connection.awaitEnd()
    }
    try withGateway(Self.limited(by: kind), to: origin, plan()) { gateway in
      let client = try gateway.connect()
      defer { client.close() }
      try client.send("GET /limited/v1/realtime?model=voice HTTP/1.1", Self.handshake)
      while try !client.reader.line().isEmpty {}
      let frame = 2 + said.utf8.count
      if kind == "shadow" {
        _ = try client.reader.take(3 * frame)
        let metrics = try gateway.admin("/metrics").text
        #expect(metrics.contains(#"sluice_token_limit_decisions_total{limit="team",decision="shadowed"} 2"#))
        return
      }
      // The second answer leaves less than what is set aside for a third.
      _ = try client.reader.take(2 * frame)
      let rest = try client.reader.rest()
      let code = kind == "budget" ? "insufficient_quota" : "token_limit_exceeded"
      #expect(String(decoding: rest, as: UTF8.self).contains(#""code":"\#(code)""#))
      #expect(rest.suffix(4) == [0x88, 2, 0x03, 0xF0], "the close code is 1008")
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == code && record["closed_by"]?.string == "gateway")
      #expect(record["close_code"]?.integer == 1008 && record["output_tokens"]?.integer == 4000)
      let metric = kind == "budget" ? "budget_decisions_total{budget" : "token_limit_decisions_total{limit"
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_\#(metric)="team",decision="refused"} 1"#))
    }
  }

  @Test func `Azure is asked under its own paths, and a refused key rests`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer("401 Unauthorized", body: "{}") }
    }
    try withGateway(Self.configuration, to: origin, plan()) { gateway in
      let talk = try get(gateway, "/v1/realtime?intent=x&model=voice", Self.handshake)
      #expect(talk.status == 401)
      let request = try origin.awaitRequests(1)[0]
      #expect(request.startLine == "GET /openai/realtime?api-version=2024-10-21&deployment=talk&intent=x HTTP/1.1")
      #expect(request["api-key"] == "the-key" && request["Authorization"] == nil && request["Upgrade"] == "websocket")
      #expect(request["X-Forwarded-For"] == nil && request["Via"] == nil)
      let resting = try get(gateway, "/v1/files/x?after=y")
      #expect(resting.status == 503 && origin.requests.count == 1)
    }
    try withGateway(Self.configuration, to: try Origin.ok(), plan()) { gateway in
      let file = try get(gateway, "/v1/files/x?after=y")
      #expect(file.text == "ok")
    }
  }
}
