import GatewayTesting
import Kernel
import Testing

/// Prompts' answers that are kept: for whom, and how many; and what of prompts the admin port and other backs show.
struct PromptCacheTests {
  private static let configuration = #"""
    admin: "127.0.0.1:${ADMIN_PORT}"
    consumers:
      one: { api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] }
      two: { api_keys: ["sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"] }
    ai:
      providers: { p: { dialect: openai, url: ORIGIN }, g: { dialect: gemini, url: ORIGIN } }
      models: { fast: p/real, google: g/gemini-x }
      prompt_cache: 64KiB
      prompts:
        own: { versions: { 1: { model: fast, user: "{{text}}", inputs: { text: string }, cache: 1h } } }
        open: { versions: { 1: { model: fast, user: "{{text}}", inputs: { text: string }, cache: { ttl: 1h, shared: true } } } }
        short: { versions: { 1: { model: fast, user: "{{text}}", inputs: { text: string }, cache: 1ms } } }
        google:
          versions:
            1: { model: google, system: "S", user: "{{text}}", inputs: { text: string }, output: { schema: { type: object, properties: { mood: { enum: [good, bad] } }, required: [mood] } }, temperature: 0, max_tokens: 7 }
    plugins: [{ api_key: { header: X-API-Key } }]
    routes:
      own: { match: POST /ai/own, ai: { prompt: own } }
      open: { match: POST /ai/open, ai: { prompt: open } }
      short: { match: POST /ai/short, ai: { prompt: short } }
      google: { match: POST /ai/google, ai: { prompt: google } }
    """#

  private func post(
    _ gateway: RunningGateway, _ path: String, _ text: String = "x", key: String = "secret"
  ) throws -> WireMessage {
    let client = try gateway.connect()
    let body = #"{"text":"\#(text)"}"#
    try client.send(
      "POST \(path) HTTP/1.1", ["Host: a", "X-API-Key: \(key)", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  /// A model that answers with so many letters.
  private static func model(_ length: Int = 2) throws -> Origin {
    let text = String(repeating: "a", count: length)
    return try Origin { connection in
      while try connection.request() != nil {
        try connection.answer(
          body:
            #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
        )
      }
    }
  }

  @Test func `consumers have answers of their own unless they are shared, and none after its time`() throws {
    let origin = try Self.model()
    try withGateway(Self.configuration, to: origin) { gateway in
      let own = try ["secret", "secret", "other", "other"].map { try post(gateway, "/ai/own", key: $0)["X-Cache"] }
      #expect(own == ["miss", "hit", "miss", "hit"])
      let open = try ["secret", "other", "other"].map { try post(gateway, "/ai/open", key: $0)["X-Cache"] }
      #expect(open == ["miss", "hit", "hit"])
      #expect(try post(gateway, "/ai/short")["X-Cache"] == "miss")
      let isForgotten = try Deadline.usual.poll { try post(gateway, "/ai/short")["X-Cache"] == "miss" }
      #expect(isForgotten)
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains("sluice_prompt_cache_entries 4"), "\(metrics)")
      #expect(metrics.contains("sluice_prompt_cache_evictions_total 0"))
      #expect(metrics.contains(#"sluice_prompt_calls_total{prompt="own",version="1",outcome="cached"} 2"#))
    }
  }

  @Test func `all answers together keep to their room, and the one that was used last stays`() throws {
    let origin = try Self.model(2000)
    try withGateway(Self.configuration, to: origin) { gateway in
      let first = try (0..<40).map { number in
        // The first is used again and again.
        _ = try post(gateway, "/ai/own", "0")
        return try post(gateway, "/ai/own", "\(number)")["X-Cache"]
      }
      #expect(first.dropFirst().allSatisfy { $0 == "miss" })
      let uses = try ["0", "39", "1"].map { try post(gateway, "/ai/own", $0)["X-Cache"] }
      #expect(uses == ["hit", "hit", "miss"])
      let bytes = try gateway.metric("sluice_prompt_cache_bytes") ?? 0
      #expect(bytes > 32 << 10 && bytes <= 64 << 10)
      #expect(try gateway.metric("sluice_prompt_cache_evictions_total") ?? 0 > 0)
    }
  }

  @Test func `a prompt of Gemini's model asks in Gemini's way, and gets its output from there`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.answer(
          body:
            #"{"candidates":[{"content":{"parts":[{"text":"{\"mood\":\"good\"}"}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":3}}"#
        )
      }
    }
    try withGateway(Self.configuration, to: origin) { gateway in
      let answer = try post(gateway, "/ai/google", "hi")
      #expect(answer.status == 200 && answer.text == #"{"mood":"good"}"#, "\(answer.text)")
      let request = try origin.awaitRequests(1)[0]
      #expect(request.target.hasSuffix("/models/gemini-x:generateContent"))
      #expect(request.text.contains(#""systemInstruction":{"parts":[{"text":"S"}]"#), "\(request.text)")
      #expect(request.text.contains(#""parts":[{"text":"hi"}]"#))
      let options = try JSONValue(parsing: request.text)["generationConfig"]
      #expect(options?["responseMimeType"]?.string == "application/json")
      #expect(request.text.contains(#""responseJsonSchema":{"type":"object","properties":{"mood""#), "\(request.text)")
      #expect(options?["temperature"]?.integer == 0 && options?["maxOutputTokens"]?.integer == 7)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["prompt"]?.string == "google@1" && record["output_tokens"]?.integer == 3)
    }
  }

  @Test func `the admin port says which prompt a route answers with`() throws {
    try withGateway(Self.configuration, to: try Self.model()) { gateway in
      let routes = try gateway.admin("/api/v1/routes").text
      #expect(routes.contains(#""prompt":"own""#) && routes.contains(#""prompt":"google""#), "\(routes)")
    }
  }
}
