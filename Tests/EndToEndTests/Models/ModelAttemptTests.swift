import GatewayTesting
import Kernel
import Testing

/// What attempts used whose answers nobody got.
struct ModelAttemptTests {
  private static func configuration(_ port: UInt16) -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    ai:
      providers:
        early: { dialect: anthropic, url: "http://127.0.0.1:\(port)/early" }
        late: { dialect: openai, url: "http://127.0.0.1:\(port)/late" }
      models:
        fast: { model: early/one, fallbacks: [late/two], timeouts: { first_token: 1s } }
      prices: { early/one: { input: 3, output: 15 }, late/two: { input: 1, output: 2 } }
    routes:
      models:
        match: /*
        plugins: [{ token_limit: { tokens: 10000/month, key: ip, name: t } }, { budget: { usd: 1/month, key: ip, name: b } }]
        ai: [openai]
    """
  }

  private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
  private static let begun =
    "event: message_start\ndata: "
    + #"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"one","content":[],"stop_reason":null,"usage":{"input_tokens":25,"output_tokens":1}}}"#
    + "\n\n"
  private static let late =
    #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"late"}}]}"# + "\n\n"
    + #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
    + "\n\ndata: [DONE]\n\n"

  private func run(
    _ early: @escaping @Sendable (OriginConnection) throws -> Void, _ body: (RunningGateway) throws -> Void
  )
    throws
  {
    let origin = try Origin { connection in
      guard let request = try connection.request() else { return }
      if request.target.hasPrefix("/early") { return try early(connection) }
      try connection.send(Self.head + Self.late)
    }
    defer { origin.stop() }
    try withGateway(Self.configuration(UInt16(origin.port))) { gateway in
      let text = #"{"model":"fast","max_tokens":9,"messages":[{"role":"user","content":"Hello"}],"stream":true}"#
      let client = try gateway.connect()
      try client.send(
        "POST /v1/chat/completions HTTP/1.1", ["Host: a", "Content-Length: \(text.utf8.count)"], body: text)
      let answer = try client.response(to: "POST")
      #expect(answer.status == 200 && answer.text.contains("late"), "\(answer.text)")
      try body(gateway)
    }
  }

  @Test func `a stream that broke before its first token has cost its prompt, at its own price`() throws {
    try run {
      try $0.send(Self.head + Self.begun)
    } _: { gateway in
      let record = try gateway.awaitRecords(1)[0]
      // 25 and 10 tokens of two prompts, 1 and 3 of two answers.
      #expect(record["input_tokens"]?.integer == 35 && record["output_tokens"]?.integer == 4, "\(record)")
      let (early, late) = (25 * 3000 + 1 * 15_000, 10 * 1000 + 3 * 2000)
      #expect(record["cost_nanousd"]?.integer == early + late && record["usage"]?.string == "estimated")
      let spend = try gateway.admin("/api/v1/spend").text
      #expect(spend.contains(#""used":39}"#) && spend.contains(#""used":\#(early + late)}"#), "\(spend)")
      let metrics = try gateway.admin("/metrics").text.split(separator: "\n")
      for (provider, cost) in [("early", early), ("late", late)] {
        #expect(
          metrics.contains {
            $0.hasPrefix("sluice_ai_cost_nanousd_total") && $0.contains(#""\#(provider)""#) && $0.hasSuffix(" \(cost)")
          }, "\(metrics.filter { $0.contains("cost") })")
      }
    }
  }

  @Test func `who took too long has cost the prompt, as an estimate`() throws {
    try run {
      $0.awaitEnd()
    } _: { gateway in
      let record = try gateway.awaitRecords(1)[0]
      #expect((record["input_tokens"]?.integer ?? 0) > 10 && record["output_tokens"]?.integer == 3, "\(record)")
      #expect(record["usage"]?.string == "estimated" && record["tried"]?.string == "early/one first_byte_timeout")
    }
  }

  @Test func `who refused has cost nothing`() throws {
    try run {
      try $0.answer("500 Internal Server Error", body: #"{"type":"error","error":{"message":"x"}}"#)
    } _: {
      let record = try $0.awaitRecords(1)[0]
      #expect(record["input_tokens"]?.integer == 10 && record["output_tokens"]?.integer == 3, "\(record)")
      #expect(record["usage"] == nil && record["cost_nanousd"]?.integer == 16_000)
    }
  }
}
