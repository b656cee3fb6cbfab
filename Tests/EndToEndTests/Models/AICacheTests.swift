import GatewayTesting
import Kernel
import Testing

/// Answers that are given again by the running gateway, in the dialect and the form that each client asks for.
struct AICacheTests {
  private static func configuration(_ plugins: String) -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    consumers:
      a: { api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] }
    ai:
      providers: { p: { dialect: openai, url: ORIGIN } }
      models: { fast: { model: p/m } }
      prices: { p/m: { input: 1, output: 2 } }
      prompts: { note: { versions: { 1: { model: fast, user: "x", temperature: 0 } } } }
    routes:
      note: { match: POST /ai/note, plugins: [{ ai_cache: {} }], ai: { prompt: note } }
      named:
        match: { hosts: [named], paths: ["/*"] }
        plugins: [{ api_key: { header: X-API-Key } }, { ai_cache: {} }]
        ai: [openai]
      models: { match: /*, plugins: [\(plugins)], ai: [openai, anthropic, gemini] }
    """
  }

  /// A model that numbers its answers and repeats what it is told; its streams break off when it is told so.
  private static func model() throws -> Origin {
    let number = Lock(0)
    return try Origin { connection in
      while let request = try connection.request() {
        let count = number.withLock { value -> Int in
          value += 1
          return value
        }
        let sent = try JSONValue(parsing: request.text)
        guard case .array(let messages)? = sent["messages"] else { throw WireError.malformed("no messages") }
        let told = messages.last?["content"]?.string ?? "?"
        guard request.text.contains(#""stream":true"#) else {
          try connection.answer(
            body:
              #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\#(count): \#(told)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
          )
          continue
        }
        var text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        for piece in ["\(count): \(told)"] {
          text += #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"\#(piece)"}}]}"# + "\n\n"
        }
        if told == "break" { return try connection.send(text) }
        text +=
          #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
          + "\n\n"
        try connection.send(text + "data: [DONE]\n\n")
        return
      }
    }
  }

  private func post(
    _ gateway: RunningGateway, _ path: String, _ body: String, _ fields: [String] = [], host: String = "a"
  ) throws -> WireMessage {
    let client = try gateway.connect()
    try client.send(
      "POST \(path) HTTP/1.1", ["Host: \(host)", "Content-Length: \(body.utf8.count)"] + fields, body: body)
    return try client.response(to: "POST")
  }

  private func chat(_ text: String, stream: Bool = false, more: String = "") -> String {
    #"{"model":"fast","messages":[{"role":"user","content":"\#(text)"}],"max_tokens":9,"stream":\#(stream)\#(more)}"#
  }

  private func body(_ client: GuardrailTests.Client, _ stream: Bool) -> String {
    switch client {
    case .chat: chat("hi", stream: stream)
    case .responses: #"{"model":"fast","input":"hi","max_output_tokens":9,"stream":\#(stream)}"#
    case .messages: client.body("hi", stream)
    case .generate:
      #"{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":9}}"#
    }
  }

  @Test(arguments: [false, true])
  func `one answer serves every dialect, whole and as a stream`(_ isStreamFirst: Bool) throws {
    let origin = try Self.model()
    try withGateway(Self.configuration("{ ai_cache: {} }"), to: origin) { gateway in
      let first = try post(gateway, "/v1/chat/completions", chat("hi", stream: isStreamFirst))
      #expect(first.status == 200 && first["X-Cache"] == "miss", "\(first.text)")
      for client in GuardrailTests.Client.allCases {
        for stream in [false, true] {
          let again = try post(gateway, client.path(stream), body(client, stream))
          #expect(again.status == 200 && again["X-Cache"] == "hit", "\(client) \(stream): \(again.text)")
          #expect(again.text.contains("1: hi"), "\(client) \(stream): \(again.text)")
          let isStream = again["Content-Type"]?.hasPrefix("text/event-stream") == true
          #expect(isStream == stream)
          switch client {
          case .chat: #expect(again.text.hasSuffix("data: [DONE]\n\n") == stream)
          case .responses: #expect(again.text.contains("event: response.completed") == stream)
          case .messages: #expect(again.text.contains("event: message_stop") == stream)
          case .generate: #expect(again.text.contains(#""finishReason":"STOP""#))
          }
        }
      }
      #expect(origin.requests.count == 1)
      let records = try gateway.awaitRecords(9)
      #expect(records[0]["cache"]?.string == "miss" && records[0]["output_tokens"]?.integer == 3)
      for record in records.dropFirst() {
        #expect(
          record["cache"]?.string == "hit" && record["model"]?.string == "fast" && record["status"]?.integer == 200)
        #expect(record["output_tokens"] == nil && record["cost_nanousd"] == nil && record["provider"] == nil)
      }
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_ai_cache_calls_total{cache="ai_cache",result="hit"} 8"#))
    }
  }

  @Test func `a hit costs nothing, also where the limit is spent`() throws {
    let origin = try Self.model()
    let plugins = "{ ai_cache: {} }, { token_limit: { tokens: 25/month, key: ip, name: t } }"
    try withGateway(Self.configuration(plugins), to: origin) { gateway in
      #expect(try post(gateway, "/v1/chat/completions", chat("hi")).status == 200)
      for _ in 0..<5 { #expect(try post(gateway, "/v1/chat/completions", chat("hi"))["X-Cache"] == "hit") }
      let refused = try post(gateway, "/v1/chat/completions", chat("something else that is longer"))
      #expect(refused.status == 429)
      #expect(try post(gateway, "/v1/chat/completions", chat("hi"))["X-Cache"] == "hit")
      #expect(try gateway.admin("/api/v1/spend").text.contains(#""used":13}"#))
    }
  }

  @Test func `calls that may not be kept, and streams that broke off, ask the model`() throws {
    let origin = try Self.model()
    try withGateway(Self.configuration("{ ai_cache: { when: { temperature: 0 } } }"), to: origin) { gateway in
      let zero = #","temperature":0"#
      let plain = try post(gateway, "/v1/chat/completions", chat("a"))
      #expect(plain["X-Cache"] == nil)
      func use(_ body: String) throws -> String? { try post(gateway, "/v1/chat/completions", body)["X-Cache"] }
      #expect(try use(chat("a", more: #","temperature":1"#)) == nil)
      let own = #","logprobs":true"#
      #expect(try use(chat("a", more: zero + own)) == "miss")
      #expect(try use(chat("a", stream: true, more: zero + own)) == "miss", "only as it was")
      #expect(try use(chat("a", more: zero)) == "miss")
      #expect(try use(chat("a", more: #","temperature":0.0"#)) == "hit")
      #expect(try use(chat("break", stream: true, more: zero)) == "miss")
      #expect(try use(chat("break", stream: true, more: zero)) == "miss")
      #expect(try post(gateway, "/ai/note", "{}")["X-Cache"] == nil)
    }
  }

  @Test func `consumers do not meet each other's answers`() throws {
    let origin = try Self.model()
    try withGateway(Self.configuration("{ ai_cache: {} }"), to: origin) { gateway in
      #expect(try post(gateway, "/v1/chat/completions", chat("hi"))["X-Cache"] == "miss")
      for use in ["miss", "hit"] {
        let answer = try post(gateway, "/v1/chat/completions", chat("hi"), ["X-API-Key: secret"], host: "named")
        #expect(answer["X-Cache"] == use && answer.text.contains("2: hi"), "\(answer.text)")
      }
    }
  }

  @Test(arguments: [true, false], [false, true])
  func `guardrails see a kept answer as any other, wherever they stand`(_ isFirst: Bool, _ stream: Bool) throws {
    let origin = try Self.model()
    let guardrails = "{ guardrails: { mask: [email], restore: true, answers: { deny: [falcon] } } }"
    let plugins = isFirst ? "\(guardrails), { ai_cache: {} }" : "{ ai_cache: {} }, \(guardrails)"
    try withGateway(Self.configuration(plugins), to: origin) { gateway in
      func ask(_ text: String, _ stream: Bool) throws -> WireMessage {
        try post(gateway, "/v1/chat/completions", chat(text, stream: stream))
      }
      #expect(try ask("from a@example.com", false).text.contains("1: from a@example.com"))
      let again = try ask("from a@example.com", stream)
      #expect(again["X-Cache"] == "hit" && again.text.contains("1: from a@example.com"), "\(again.text)")
      // Behind the mask, the two are the same request; before it, they are not.
      let other = try ask("from b@example.com", stream)
      #expect(other["X-Cache"] == (isFirst ? "hit" : "miss") && !other.text.contains("a@example.com"))
      #expect(other.text.contains("b@example.com"), "\(other.text)")
      for _ in 0..<2 {
        let denied = try ask("Falcon", stream)
        #expect(denied.status == (stream ? 200 : 403) && !denied.text.contains("Falcon"), "\(denied.text)")
        #expect(stream || denied["X-Cache"] != "hit", "what was withheld is not kept")
      }
    }
  }
}
