import GatewayTesting
import Kernel
import Testing

/// Answers of models that are given again: to whom, for what, and as what.
struct ModelCacheTests {
  private static func configuration(_ cache: String, _ plugins: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    consumers:
      one: { api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] }
      two: { api_keys: ["sha256:\(other)"] }
    ai:
      providers: { p: { dialect: openai, url: ORIGIN } }
      models: { fast: p/m, slow: p/m2 }
      prices: { p/m: { input: 1, output: 2 }, p/m2: { input: 1, output: 2 } }
    routes:
      models:
        match: /*
        plugins:
          - api_key: { header: X-API-Key }
          - ai_cache: { \(cache) }
          \(plugins)
        ai: [openai, anthropic, gemini]
    """
  }

  /// Of "other".
  private static let other = "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"

  /// A model that counts its calls in what it says.
  private static func counting(_ finish: String = "stop") throws -> Origin {
    let count = Lock(0)
    return try Origin { connection in
      while let request = try connection.request() {
        let number = count.withLock { count in
          count += 1
          return count
        }
        if request.target.hasSuffix("/embeddings") {
          try connection.answer(body: #"{"data":[{"embedding":[\#(number)]}],"usage":{"prompt_tokens":2}}"#)
        } else if request.text.contains(#""stream":true"#) {
          let events = ["number ", "\(number)"].map {
            #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"\#($0)"}}]}"# + "\n\n"
          }
          let end =
            #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"\#(finish)"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
            + "\n\ndata: [DONE]\n\n"
          try connection.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + events.joined() + end)
          return
        } else {
          try connection.answer(
            body:
              #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"number \#(number)"},"finish_reason":"\#(finish)"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
          )
        }
      }
    }
  }

  private func post(
    _ gateway: RunningGateway, _ body: String, _ path: String = "/v1/chat/completions", key: String = "secret"
  ) throws -> WireMessage {
    let client = try gateway.connect()
    try client.send(
      "POST \(path) HTTP/1.1", ["Host: a", "X-API-Key: \(key)", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  private func chat(_ text: String = "Hello", _ more: String = "", model: String = "fast") -> String {
    #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]\#(more)}"#
  }

  @Test func `the same request has the same answer, however it is written, and costs nothing`() throws {
    let origin = try Self.counting()
    let limits = "token_limit: { tokens: 100000/month, name: team, key: consumer }"
    try withGateway(Self.configuration("ttl: 10m", "- \(limits)"), to: origin) { gateway in
      let first = try post(gateway, chat())
      #expect(first.text.contains("number 1") && first["X-Cache"] == "miss")
      for same in [
        chat(), #"{ "messages": [{"content": "Hell\u006f", "role": "user"}], "model": "fast" }"#,
      ] {
        let again = try post(gateway, same)
        #expect(again.text == first.text && again["X-Cache"] == "hit")
        #expect(again["Content-Type"] == first["Content-Type"])
      }
      for other in [chat("Hello!"), chat(model: "slow"), chat("Hello", #","seed":1"#)] {
        #expect(try post(gateway, other)["X-Cache"] == "miss")
      }
      #expect(origin.requests.count == 4)
      let records = try gateway.awaitRecords(6)
      #expect(records.map { $0["cache"]?.string } == ["miss", "hit", "hit", "miss", "miss", "miss"])
      #expect(records[1]["cost_nanousd"] == nil && records[1]["input_tokens"] == nil)
      let spend = try gateway.admin("/api/v1/spend").text
      #expect(spend.contains(#"{"key":"one","used":52}"#), "\(spend)")
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_ai_cache_calls_total{cache="ai_cache",result="hit"} 2"#))
    }
  }

  @Test(arguments: ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
  func `a stream is given again as that stream, and as a whole answer where that is asked for`(_ path: String) throws {
    let origin = try Self.counting()
    try withGateway(Self.configuration("ttl: 10m"), to: origin) { gateway in
      let said = path.hasSuffix("responses") ? #""input":"Hi""# : #""messages":[{"role":"user","content":"Hi"}]"#
      let body = #"{"model":"fast","max_tokens":9,\#(said),"stream":true}"#
        .replacing(#""max_tokens":9,"#, with: path.hasSuffix("messages") ? #""max_tokens":9,"# : "")
      let first = try post(gateway, body, path)
      #expect(first.status == 200 && first["X-Cache"] == "miss", "\(first.text)")
      let again = try post(gateway, body, path)
      #expect(again.text == first.text && again["X-Cache"] == "hit")
      #expect(again["Content-Type"]?.hasPrefix("text/event-stream") == true)
      let whole = try post(gateway, body.replacing(#""stream":true"#, with: #""stream":false"#), path)
      #expect(whole["X-Cache"] == "hit" && !whole.text.contains("data:") && whole.text.contains("number 1"))
      #expect(origin.requests.count == 1)
    }
  }

  @Test func `each consumer has answers of their own, unless they are shared`() throws {
    for (cache, calls) in [("ttl: 10m", 2), ("ttl: 10m, shared: true", 1)] {
      let origin = try Self.counting()
      try withGateway(Self.configuration(cache), to: origin) { gateway in
        _ = try post(gateway, chat())
        let other = try post(gateway, chat(), key: "other")
        #expect(other.status == 200)
        #expect(origin.requests.count == calls)
      }
    }
  }

  @Test func `only calls that draw little enough are answered, and embeddings always are`() throws {
    let origin = try Self.counting()
    try withGateway(Self.configuration("ttl: 10m, when: { temperature: 0.5 }"), to: origin) { gateway in
      for (more, isKept) in [("", false), (#","temperature":0.7"#, false), (#","temperature":0.5"#, true)] {
        let results = try (0..<2).map { _ in try post(gateway, chat("Hi", more))["X-Cache"] }
        #expect(results == (isKept ? ["miss", "hit"] : [nil, nil]))
      }
      let vectors = try (0..<2).map { _ in
        try post(gateway, #"{"model":"fast","input":"x"}"#, "/v1/embeddings")["X-Cache"]
      }
      #expect(vectors == ["miss", "hit"])
      let gemini = #"{"contents":[{"parts":[{"text":"Hi"}]}],"generationConfig":{"temperature":0}}"#
      let answers = try (0..<2).map { _ in try post(gateway, gemini, "/v1beta/models/fast:generateContent")["X-Cache"] }
      #expect(answers == ["miss", "hit"])
    }
  }

  @Test func `what is no good answer is not kept`() throws {
    let count = Lock(0)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        let number = count.withLock { count in
          count += 1
          return count
        }
        switch number {
        case 1: try connection.answer("400 Bad Request", body: #"{"error":{"message":"no"}}"#)
        case 2:
          try connection.answer(
            body:
              #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"content_filter"}]}"#
          )
        default:
          try connection.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
              + #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Hel"}}]}"# + "\n\n")
          return
        }
      }
    }
    try withGateway(Self.configuration("ttl: 10m"), to: origin) { gateway in
      for more in ["", "", #","stream":true"#, #","stream":true"#] {
        let result = try post(gateway, chat("Hi", more))["X-Cache"]
        #expect(result == "miss")
      }
      #expect(count.withLock { $0 } == 4)
    }
  }

  @Test func `an answer is forgotten after its time, and when others need its room`() throws {
    let origin = try Self.counting()
    try withGateway(Self.configuration("ttl: 1s"), to: origin) { gateway in
      _ = try post(gateway, chat())
      let isForgotten = try Deadline.usual.poll { try post(gateway, chat())["X-Cache"] == "miss" }
      #expect(isForgotten)
    }
    let second = try Self.counting()
    try withGateway(Self.configuration("ttl: 10m, size: 64KiB, object: 32KiB"), to: second) { gateway in
      let long = String(repeating: "x", count: 100)
      for number in 0..<200 { _ = try post(gateway, chat("\(number)\(long)")) }
      #expect(try post(gateway, chat("199\(long)"))["X-Cache"] == "hit")
      #expect(try post(gateway, chat("0\(long)"))["X-Cache"] == "miss")
      #expect(try gateway.metric("sluice_ai_cache_evictions_total") ?? 0 > 0)
      let bytes = try gateway.metric("sluice_ai_cache_bytes") ?? 0
      #expect(bytes > 0 && bytes <= 64 << 10)
    }
  }
}
