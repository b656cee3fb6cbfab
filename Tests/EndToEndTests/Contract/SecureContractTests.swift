import GatewayTesting
import Kernel
import Testing

/// `secure.conf` as it is written: each of its lines at work, with real backends, a real store and real certificates.
struct SecureContractTests {
  private static let folder = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!))

  /// The three backends of the file, each of which says what it got.
  final class Stage {
    let backends: [Origin]
    let redis: RedisServer
    let directory: TemporaryDirectory
    let securePort = Ports.free()

    init() throws {
      backends = try (0..<3).map { _ in
        try Origin { connection in
          while let request = try connection.request() {
            let isPost = request.method == "POST"
            try connection.answer(
              isPost ? "201 Created" : "200 OK",
              ["Content-Type: application/json", "X-Powered-By: demo", "Server: demo", "ETag: \"1\""],
              body: #"{"ok":true,"internal":"hidden"}"#)
          }
        }
      }
      redis = try RedisServer()
      directory = try TemporaryDirectory()
    }

    deinit { for backend in backends { backend.stop() } }

    func token(_ claims: String) throws -> String {
      let script = SecureContractTests.folder.replacing("/Contract", with: "/Identity") + "/token.sh"
      let made = try TLSFixture.run("\(script) '\(directory["."])' '\(claims)'")
      #expect(made.status == 0, "\(made.output)")
      return made.output
    }

    var plan: RunningGateway.Plan {
      get throws {
        let files = try TLSFixture.files
        var plan = RunningGateway.Plan()
        plan.isWhole = true
        plan.environment = [
          ("TLS_PORT", "\(securePort)"), ("CERT", files.localhost.certificate), ("KEY", files.localhost.key),
          ("CLIENT_CA", files.authority.certificate), ("REDIS_PORT", "\(redis.port)"),
          ("JWKS", directory["jwks.json"]), ("PARTNER_SECRET", "partner-secret-for-tests"),
          ("PSEUDONYM_KEY", "0123456789abcdef0123456789abcdef"), ("BACKEND_A", "\(backends[0].port)"),
          ("BACKEND_B", "\(backends[1].port)"), ("BACKEND_C", "\(backends[2].port)"),
        ]
        return plan
      }
    }

    /// The calls that a target got, beside those of others.
    var received: [WireMessage] { backends.flatMap(\.requests) }
  }

  func withContract(_ body: (RunningGateway, Stage) throws -> Void) throws {
    let stage = try Stage()
    // The key set must be there when the file is read.
    _ = try stage.token(#""sub":"first""#)
    let text = try TemporaryDirectory.contents(of: Self.folder + "/secure.conf")
      .replacing("schemas/feedback.json", with: Self.folder + "/schemas/feedback.json")
    try withGateway(
      text + "\ncall_log: { path: \"${DIRECTORY}/calls\" }\nworkers: 1\ndrain_delay: 0s\n", stage.plan
    ) { gateway in
      try body(gateway, stage)
    }
  }

  private static let feedback = #"{"msg":"hello","email":"ada@example.com","phone":"+49 170 1234567","debug":{"a":1}}"#

  private func post(
    _ gateway: RunningGateway, _ body: String = feedback, from address: String = "192.0.2.1",
    key: String = "X-API-Key: secret"
  ) throws -> WireMessage {
    let client = try gateway.connect()
    try send(to: client, body, from: address, key: key)
    return try client.response(to: "POST")
  }

  private func send(to client: Client, _ body: String, from address: String, key: String) throws {
    try client.send(
      "POST /v2/feedback HTTP/1.1",
      [
        "Host: api.example.com", "Content-Type: application/json", "Content-Length: \(body.utf8.count)",
        "X-Forwarded-For: \(address)", "Origin: https://app.example.com", key,
      ], body: body)
  }

  @Test func `a widget's feedback is validated, masked, transformed and forwarded`() throws {
    try withContract { gateway, stage in
      let answer = try post(gateway)
      #expect(answer.status == 201, "\(answer.text)")
      #expect(answer.text == #"{"ok":true}"#)
      #expect(answer["Server"] == nil && answer["X-Powered-By"] == nil)
      #expect(answer["Access-Control-Allow-Origin"] == "https://app.example.com")
      _ = try post(gateway)
      let sent = try stage.received.map { try JSONValue(parsing: $0.text) }
      #expect(sent.count == 2)
      let first = try #require(sent.first)
      #expect(first["text"]?.string == "hello" && first["msg"] == nil && first["debug"] == nil)
      #expect(first["source"]?.string == "widget" && first["consumer"]?.string == "checkout-widget")
      #expect(first["received_at"]?.string?.hasPrefix("20") == true)
      let email = try #require(first["email"]?.string)
      #expect(!email.contains("ada") && email == sent[1]["email"]?.string)
      #expect(first["phone"]?.string?.contains("170") == false)
      #expect(stage.received.allSatisfy { $0["X-API-Key"] == nil && $0["traceparent"] != nil })
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["consumer"]?.string == "checkout-widget" && record["client"]?.string == "192.0.2.1")
    }
  }

  @Test func `a browser's preflight is answered, and a refusal can be read by its page`() throws {
    try withContract { gateway, stage in
      let client = try gateway.connect()
      try client.send(
        "OPTIONS /v2/feedback HTTP/1.1",
        [
          "Host: api.example.com", "Origin: https://app.example.com", "Access-Control-Request-Method: POST",
          "Access-Control-Request-Headers: content-type,x-api-key",
        ])
      let preflight = try client.response(to: "OPTIONS")
      #expect(preflight.status == 204)
      #expect(preflight["Access-Control-Allow-Origin"] == "https://app.example.com")
      #expect(preflight["Access-Control-Max-Age"] == "600")
      let refused = try post(gateway, key: "X-API-Key: wrong")
      #expect(refused.status == 401 && refused["WWW-Authenticate"] != nil)
      #expect(refused["Access-Control-Allow-Origin"] == "https://app.example.com")
      let invalid = try post(gateway, #"{"rating":11,"email":7}"#)
      #expect(invalid.status == 422)
      for pointer in ["/rating", "/email", "msg"] { #expect(invalid.text.contains(pointer), "\(invalid.text)") }
      #expect(stage.received.isEmpty)
    }
  }

  @Test func `who asks too often is told when to come again`() throws {
    try withContract { gateway, _ in
      // All of them are there before the first is answered, so that a slow machine fills no bucket meanwhile.
      let client = try gateway.connect()
      for _ in 0..<400 { try send(to: client, Self.feedback, from: "192.0.2.1", key: "X-API-Key: secret") }
      let answers = try (0..<400).map { _ in try client.response(to: "POST") }
      let refused = try #require(answers.first { $0.status == 429 })
      #expect(refused["Retry-After"] != nil && refused["X-Fault"] == "policy")
      #expect(answers.prefix(100).allSatisfy { $0.status == 201 })
    }
  }

  @Test func `calls are divided by address, and a fallback answers when the targets are away`() throws {
    try withContract { gateway, stage in
      let addresses = (0..<90).map { "198.51.100.\($0)" }
      for address in addresses { _ = try post(gateway, from: address) }
      let next = stage.backends[2].requests.count
      #expect(next > 0 && next < 30, "a twentieth of the addresses")
      for address in addresses.prefix(5) { _ = try post(gateway, from: address) }
      for backend in stage.backends { backend.stop() }
      let away = try post(gateway)
      #expect(away.status == 503 && away["Retry-After"] == "5" && away.text == #"{"status":"retry"}"#)
    }
  }

  @Test func `a partner's signed ticket comes from XML and is told of its successor`() throws {
    try withContract { gateway, stage in
      func ticket(_ secret: String, nonce: String) throws -> String {
        let body = "<ticket><text>printer on fire</text></ticket>"
        return try TLSFixture.run("\(Self.folder)/ticket.sh \(gateway.port) \(secret) '\(body)' \(nonce)").output
      }
      let answer = try ticket("partner-secret-for-tests", nonce: "1").lowercased()
      #expect(answer.contains(" 201 "), "\(answer)")
      #expect(answer.contains("deprecation: @1780272000"))
      #expect(answer.contains("sunset: tue, 01 jun 2027 00:00:00 gmt"))
      #expect(answer.contains("link: </v2/feedback>; rel=\"successor-version\""))
      let sent = try JSONValue(parsing: try #require(stage.received.first).text)
      #expect(sent["text"]?.string == "printer on fire")
      #expect(try ticket("another", nonce: "2").contains(" 401 "))
      #expect(try gateway.awaitRecords(1)[0]["consumer"]?.string == "partner")
      #expect(stage.received.count == 1)
    }
  }

  @Test func `staff read over TLS only, by token or certificate, from a cache of their own`() throws {
    try withContract { gateway, stage in
      let files = try TLSFixture.files
      func read(_ path: String, _ more: String) throws -> String {
        try TLSFixture.run(
          "curl -sS -i --max-time 20 --cacert \(files.authority.certificate) \(more) -w '%{http_version} %{http_code}' "
            + "https://localhost:\(stage.securePort)\(path)"
        ).output
      }
      let plain = try gateway.get("/v2/feedback/7")
      #expect(plain.status == 404 || plain.status == 405)
      let ada = "-H 'Authorization: Bearer \(try stage.token(#""sub":"ada","scope":"feedback:read""#))'"
      let portal = "-H 'Authorization: Bearer \(try stage.token(#""sub":"bob","azp":"support-portal""#))'"
      let stranger = "-H 'Authorization: Bearer \(try stage.token(#""sub":"mal""#))'"
      let first = try read("/v2/feedback/7", ada)
      #expect(first.hasSuffix("2 200"), "\(first)")
      #expect(try read("/v2/feedback", "--http1.1 \(portal)").hasSuffix("1.1 200"))
      #expect(try read("/v2/feedback", stranger).hasSuffix(" 403"))
      #expect(try read("/v2/feedback", "").hasSuffix(" 401"))
      let certificate = "--cert \(files.client.certificate) --key \(files.client.key)"
      #expect(try read("/v2/feedback", certificate).hasSuffix(" 403"), "batch-import is known, and not of the staff")
      let records = try gateway.awaitRecords(6)
      #expect(records.last?["consumer"]?.string == "batch-import")
      let asked7 = stage.received.first { $0.target == "/v2/feedback/7" }
      #expect(asked7?["X-User-Id"] == "ada")
      // A bucket that is full again is forgotten, so what the store was asked is what shows it.
      let asked = try TLSFixture.run("redis-cli -p \(stage.redis.port) info commandstats").output
      #expect(asked.contains("cmdstat_eval"), "\(asked)")
      let before = stage.backends[0].requests.count + stage.backends[1].requests.count
      let again = try read("/v2/feedback/7", ada).lowercased()
      #expect(again.hasSuffix("2 200") && again.contains("cache-status: sluice; hit"), "\(again)")
      #expect(try read("/v2/feedback/7", portal).hasSuffix("2 200"))
      #expect(stage.backends[0].requests.count + stage.backends[1].requests.count == before + 1)
    }
  }

  @Test func `a tenth of what staff read is mirrored, and a user meets the same target`() throws {
    try withContract { gateway, stage in
      let ada = try stage.token(#""sub":"ada","scope":"feedback:read""#)
      let authority = try TLSFixture.files.authority.certificate
      // As one connection: each path is another entry of the cache.
      let answers = try TLSFixture.run(
        "curl -sS --max-time 60 --cacert \(authority) -H 'Authorization: Bearer \(ada)' -o /dev/null "
          + "-w '%{http_code} ' 'https://localhost:\(stage.securePort)/v2/feedback/[1-150]'")
      #expect(answers.output.split(separator: " ").filter { $0 == "200" }.count == 150, "\(answers.output)")
      let counts = stage.backends.map(\.requests.count)
      #expect([counts[0], counts[1]].sorted() == [0, 150], "\(counts)")
      #expect(Deadline.usual.poll { 1...60 ~= stage.backends[2].requests.count })
    }
  }
}
