import GatewayTesting
import Kernel
import Testing

/// Token limits and budgets in the running gateway: what holds when calls are many, broken, or spread over gateways.
struct ModelLimitTests {
  private static func configuration(_ plugins: String, more: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    \(more)
    ai:
      providers: { p: { dialect: openai, url: ORIGIN } }
      models: { fast: { model: p/real-model } }
      prices: { p/real-model: { input: 1, output: 2 } }
    routes: { models: { match: /*, plugins: [\(plugins)], ai: [openai, anthropic, gemini] } }
    """
  }

  private static let whole =
    #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
  private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

  private static func delta(_ content: String) -> String {
    let text = #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"\#(content)"}}]}"# + "\n\n"
    return String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n"
  }

  private func answering() throws -> Origin {
    try Origin { connection in while try connection.request() != nil { try connection.answer(body: Self.whole) } }
  }

  private func ask(
    _ gateway: RunningGateway, _ path: String = "/v1/chat/completions", tokens: Int = 100, stream: Bool = false
  ) throws -> WireMessage {
    let client = try gateway.connect()
    let body =
      path.contains("generate")
      ? #"{"contents":[{"parts":[{"text":"Hello"}]}],"generationConfig":{"maxOutputTokens":\#(tokens)}}"#
      : #"{"model":"fast","max_tokens":\#(tokens),"messages":[{"role":"user","content":"Hello"}],"stream":\#(stream)}"#
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  @Test func `calls at once do not slip by a limit together, and what they did not use comes back`() throws {
    let released = Lock(false)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        guard Deadline.usual.poll({ released.withLock { $0 } }) else { throw WireError.timedOut }
        try connection.answer(body: Self.whole)
      }
    }
    var plan = RunningGateway.Plan()
    plan.workers = 2
    let text = Self.configuration("{ token_limit: { tokens: 350/month, name: team, key: ip } }")
    try withGateway(text, to: origin, plan) { gateway in
      let body = #"{"model":"fast","max_tokens":100,"messages":[{"role":"user","content":"Hello"}]}"#
      let clients = try (0..<8).map { _ in try gateway.connect() }
      for client in clients {
        try client.send(
          "POST /v1/chat/completions HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
      }
      // Each reserves a little more than 100; three fit, whoever comes first.
      _ = try origin.awaitRequests(3)
      released.withLock { $0 = true }
      let statuses = try clients.map { try $0.response(to: "POST").status }
      #expect(statuses.count { $0 == 200 } >= 3)
      #expect(origin.requests.count == statuses.count { $0 == 200 })
      #expect(statuses.count { $0 == 429 } == 8 - origin.requests.count)
      // 13 tokens each were used, and nothing is reserved any more.
      let spend = try gateway.admin("/api/v1/spend").text
      #expect(spend.contains(#""name":"team","unit":"tokens","limit":350"#))
      #expect(spend.contains(#"{"key":"127.0.0.1","used":\#(13 * origin.requests.count)}"#), "\(spend)")
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test(arguments: [
    ("/v1/chat/completions", #""type":"insufficient_quota""#),
    ("/v1/messages", #"{"type":"error","error":{"type":"billing_error""#),
    ("/v1beta/models/fast:generateContent", #""status":"RESOURCE_EXHAUSTED""#),
  ])
  func `a spent budget is said in the client's dialect, and that trying again is no use`(
    _ path: String, _ shape: String
  ) throws {
    let origin = try answering()
    // 13 tokens cost 10 + 6 millionths, and each call may need some 200.
    let text = Self.configuration("{ budget: { usd: 0.00022/month, name: team, key: ip } }")
    try withGateway(text, to: origin) { gateway in
      #expect(try ask(gateway, path).status == 200)
      let refused = try ask(gateway, path)
      #expect(refused.status == 429 && refused["x-should-retry"] == "false" && refused["X-Fault"] == "policy")
      #expect((Int(refused["Retry-After"] ?? "") ?? 0) > 0)
      #expect(refused.text.contains(shape), "\(refused.text)")
      #expect(refused.text.contains("`team` allows 0.00022/month"))
      #expect(origin.requests.count == 1)
      let record = try gateway.awaitRecords(2)[1]
      #expect(record["reason"]?.string == "insufficient_quota" && record["input_tokens"] == nil)
      let spend = try gateway.admin("/api/v1/spend").text
      #expect(spend.contains(#""used":16000}"#), "\(spend)")
    }
  }

  @Test func `what came of a stream that broke off is counted and flagged`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      let pieces = (0..<3).map { _ in Self.delta(String(repeating: "word", count: 10)) }.joined()
      try connection.send(Self.head + pieces + "ff\r\ndata: {")
    }
    let text = Self.configuration("{ token_limit: { tokens: 350/month, key: ip } }")
    try withGateway(text, to: origin) { gateway in
      #expect(try ask(gateway, stream: true).status == 200)
      let record = try gateway.awaitRecords(1)[0]
      let input = record["input_tokens"]?.integer ?? 0
      #expect(record["usage"]?.string == "estimated" && record["output_tokens"]?.integer == 30 && input > 0)
      #expect(record["cost_nanousd"]?.integer == input * 1000 + 60_000)
      #expect(try gateway.admin("/api/v1/spend").text.contains(#""used":\#(30 + input)}"#))
      let page = try gateway.admin("/metrics").text
      #expect(page.contains("sluice_ai_estimated_calls_total{"))
      let labels = #"gen_ai_operation_name="chat",gen_ai_provider_name="p",gen_ai_request_model="fast""#
      #expect(page.contains(#"gen_ai_client_token_usage_bucket{\#(labels),gen_ai_token_type="output",le="16.0"} 0"#))
      #expect(page.contains(#"gen_ai_client_token_usage_bucket{\#(labels),gen_ai_token_type="output",le="64.0"} 1"#))
      #expect(page.contains(#"gen_ai_client_token_usage_sum{\#(labels),gen_ai_token_type="output"} 30"#))
      #expect(page.contains("gen_ai_client_operation_time_per_output_chunk_seconds_count{\(labels)} 2\n"))
    }
  }

  @Test func `what a client that leaves had got is counted and flagged`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(Self.head + Self.delta(String(repeating: "word", count: 30)))
      connection.awaitEnd()
    }
    let text = Self.configuration("{ token_limit: { tokens: 350/month, key: ip } }")
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let body = #"{"model":"fast","max_tokens":100,"messages":[],"stream":true}"#
      try client.send("POST /v1/messages HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
      while try !client.reader.line().isEmpty {}
      var said = ""
      while !said.contains("wordword") {
        let size = try #require(Int(try client.reader.line(), radix: 16))
        said = String(decoding: try client.reader.take(size + 2), as: UTF8.self)
      }
      client.close()
      #expect(origin.awaitNoConnection())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["usage"]?.string == "estimated" && record["output_tokens"]?.integer == 30)
      #expect(record["cancelled"]?.string == "client")
    }
  }

  @Test func `a call that the provider refused costs nothing`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.answer("400 Bad Request", body: #"{"error":{"message":"no","type":"invalid_request_error"}}"#)
      }
    }
    let text = Self.configuration("{ token_limit: { tokens: 150/month, key: ip } }")
    try withGateway(text, to: origin) { gateway in
      let statuses = try (0..<4).map { _ in try ask(gateway).status }
      #expect(statuses == [400, 400, 400, 400])
      let spend = try gateway.admin("/api/v1/spend").text
      #expect(spend.contains(#""used":0}"#), "\(spend)")
    }
  }

  @Test func `what was spent is spent after a restart too`() throws {
    let origin = try answering()
    let text = Self.configuration(#"{ budget: { usd: 0.00023/month, key: ip, file: "${DIRECTORY}/spent" } }"#)
      .replacing("ORIGIN", with: "\"http://127.0.0.1:\(origin.port)\"")
    let first = try RunningGateway(text)
    defer { first.process.kill() }
    #expect(try ask(first).status == 200)
    let isWritten = Deadline.usual.poll { (try? first.directory.read("spent"))?.contains("\n16000 ") == true }
    #expect(isWritten)
    first.process.kill()
    let second = try first.restarted()
    defer { second.process.kill() }
    #expect(try ask(second).status == 200)
    #expect(try ask(second).status == 429)
    try second.stop()
  }

  @Test func `two gateways count together in the shared store`() throws {
    let redis = try RedisServer()
    let origin = try answering()
    let text = Self.configuration(
      "{ token_limit: { tokens: 150/month, key: ip, store: shared } }",
      more: #"stores: { shared: { url: "redis://127.0.0.1:\#(redis.port)", unavailable: refuse, timeout: 5s } }"#)
    try withGateway(text, to: origin) { one in
      try withGateway(text, to: origin) { two in
        // Settling does not hold up the answer: wait for it.
        for (number, gateway) in [one, two, one].enumerated() {
          #expect(try ask(gateway).status == 200)
          let isSettled = try Deadline.usual.poll {
            try gateway.admin("/api/v1/spend").text.contains(#""used":\#(13 * (number + 1))}"#)
          }
          #expect(isSettled)
        }
        #expect(try ask(two).status == 429)
        #expect(try ask(two, tokens: 80).status == 200)
        #expect(try redis.count == 1)
      }
    }
  }

  @Test func `a call that another model answers counts once, by what that one used and costs`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.text.contains(#""model":"first""#) {
          try connection.answer("503 Service Unavailable", body: #"{"error":{"message":"busy","type":"server_error"}}"#)
        } else {
          try connection.answer(body: Self.whole)
        }
      }
    }
    let text = Self.configuration("{ budget: { usd: 1/month, key: ip } }")
      .replacing("{ model: p/real-model }", with: "{ model: p/first, fallbacks: [p/real-model] }")
      .replacing("prices: {", with: "prices: { p/first: { input: 100, output: 200 },")
    try withGateway(text, to: origin) { gateway in
      #expect(try ask(gateway).status == 200)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["provider_model"]?.string == "real-model" && record["cost_nanousd"]?.integer == 16_000)
      let spend = try gateway.admin("/api/v1/spend").text
      #expect(spend.contains(#""used":16000}"#), "\(spend)")
    }
  }
}
