import GatewayTesting
import Kernel
import Testing

/// Answers that are given to questions which mean nearly the same.
struct SemanticCacheTests {
  private static func configuration(_ more: String = "", _ plugins: String = "", stores: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    \(stores)
    consumers:
      a: { api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] }
      b: { api_keys: ["sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"] }
    ai:
      providers: { p: { dialect: openai, url: ORIGIN, keys: [good-key] } }
      models: { fast: { model: p/m }, vectors: { model: p/gone, fallbacks: [p/embedder] } }
      prices: { p/m: { input: 1, output: 2 } }
    routes:
      models:
        match: /*
        plugins:
          - api_key: { header: X-API-Key }
          \(plugins)
          - ai_cache: { mode: semantic, embed: vectors, threshold: 90%\(more) }
          - token_limit: { tokens: 10000/month, key: consumer, name: t }
        ai: [openai, anthropic, gemini]
    """
  }

  /// What texts mean, for the scripted embedder: the first words that are found decide.
  private static let directions: [(String, String)] = [
    ("reset my password", "[1,0,0]"), ("change my password", "[0.95,0.3,0]"), ("delete my account", "[0.6,0.8,0]"),
    ("nonsense", "nonsense"), ("other space", "[1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]"),
  ]

  /// A model that numbers its answers and says again what it was told, and one that makes vectors.
  private static func provider() throws -> Origin {
    let number = Lock(0)
    return try Origin { connection in
      while let request = try connection.request() {
        let sent = try JSONValue(parsing: request.text)
        if request.target.hasSuffix("/embeddings") {
          guard sent["model"]?.string == "embedder" else {
            try connection.answer("404 Not Found", body: #"{"error":{"message":"no such model"}}"#)
            continue
          }
          let text = sent["input"]?.string ?? ""
          guard let known = directions.first(where: { text.contains($0.0) }) else {
            try connection.answer("503 Service Unavailable", body: #"{"error":{"message":"busy"}}"#)
            continue
          }
          try connection.answer(
            body: #"{"data":[{"index":0,"embedding":\#(known.1)}],"usage":{"prompt_tokens":5,"total_tokens":5}}"#)
          continue
        }
        let count = number.withLock { value -> Int in
          value += 1
          return value
        }
        try connection.answer(
          body:
            #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"answer \#(count)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
        )
      }
    }
  }

  private func ask(
    _ gateway: RunningGateway, _ text: String, key: String = "secret", more: String = "", system: String = ""
  ) throws -> WireMessage {
    let first = system.isEmpty ? "" : #"{"role":"system","content":"\#(system)"},"#
    let body = #"{"model":"fast","messages":[\#(first){"role":"user","content":"\#(text)"}],"max_tokens":9\#(more)}"#
    let client = try gateway.connect()
    try client.send(
      "POST /v1/chat/completions HTTP/1.1",
      ["Host: a", "X-API-Key: \(key)", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  @Test func `who asks nearly the same gets the same answer, at no cost`() throws {
    let origin = try Self.provider()
    try withGateway(Self.configuration(), to: origin) { gateway in
      let first = try ask(gateway, "How do I reset my password?")
      #expect(first["X-Cache"] == "miss" && first.text.contains("answer 1"))
      let near = try ask(gateway, "How can I change my password?")
      #expect(near["X-Cache"] == "hit" && near["X-Cache-Similarity"] == "0.954", "\(near.text)")
      #expect(near.status == 200 && near.text.contains("answer 1"))
      let stream = try ask(gateway, "I want to change my password", more: #","stream":true"#)
      #expect(
        stream["X-Cache"] == "hit" && stream.text.contains("answer 1") && stream.text.hasSuffix("data: [DONE]\n\n"))
      let far = try ask(gateway, "How do I delete my account?")
      #expect(far["X-Cache"] == "miss" && far.text.contains("answer 2") && far["X-Cache-Similarity"] == nil)
      // The same words need no vector.
      let before = origin.requests.count
      #expect(try ask(gateway, "How do I reset my password?")["X-Cache"] == "hit")
      #expect(origin.requests.count == before)
      let embedding = try #require(origin.requests.first { $0.text.contains(#""embedder""#) })
      #expect(embedding["Authorization"] == "Bearer good-key" && embedding["X-API-Key"] == nil)
      #expect(try gateway.admin("/api/v1/spend").text.contains(#""used":26}"#))
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_ai_cache_calls_total{cache="ai_cache",result="similar"} 2"#))
      #expect(metrics.contains(#"sluice_ai_cache_embeddings_total{cache="ai_cache",result="ok"} 4"#))
      #expect(
        metrics.contains(
          #"gen_ai_operation_name="embeddings",gen_ai_provider_name="p",gen_ai_request_model="vectors""#), "\(metrics)")
      let records = try gateway.awaitRecords(5)
      #expect(records[1]["cache"]?.string == "hit" && records[1]["cost_nanousd"] == nil)
    }
  }

  @Test func `what differs in anything else is another question`() throws {
    let origin = try Self.provider()
    try withGateway(Self.configuration(), to: origin) { gateway in
      let text = "How do I reset my password?"
      let first = try ask(gateway, text)
      #expect(first["X-Cache"] == "miss")
      #expect(try ask(gateway, "change my password", key: "other")["X-Cache"] == "miss", "another consumer")
      #expect(try ask(gateway, "change my password", system: "Be rude.")["X-Cache"] == "miss", "other instructions")
      #expect(try ask(gateway, "change my password", more: #","top_p":0.1"#)["X-Cache"] == "miss", "drawn otherwise")
      let tool = #","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]"#
      #expect(try ask(gateway, "change my password", more: tool)["X-Cache"] == "miss", "with tools")
      #expect(try ask(gateway, "please, change my password")["X-Cache"] == "hit")
    }
  }

  @Test(arguments: ["nonsense", "other space", "no vector for this"])
  func `without a vector that can be used the model is asked`(_ text: String) throws {
    let origin = try Self.provider()
    try withGateway(Self.configuration(), to: origin) { gateway in
      #expect(try ask(gateway, "How do I reset my password?")["X-Cache"] == "miss")
      for _ in 0..<2 {
        let answer = try ask(gateway, text, more: #","logprobs":false"#)
        #expect(answer.status == 200 && answer["X-Cache-Similarity"] == nil, "\(answer.text)")
      }
      let metrics = try gateway.admin("/metrics").text
      let result = text == "nonsense" ? "unusable" : text == "other space" ? "ok" : "failed"
      #expect(
        metrics.contains(#"sluice_ai_cache_embeddings_total{cache="ai_cache",result="\#(result)"}"#), "\(metrics)")
    }
  }

  @Test func `a model that makes no vectors in time is not waited for`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.target.hasSuffix("/embeddings") {
          _ = try? connection.request()
          return
        }
        try connection.answer(
          body:
            #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
        )
      }
    }
    try withGateway(Self.configuration(", timeout: 100ms"), to: origin) { gateway in
      let answer = try ask(gateway, "How do I reset my password?")
      #expect(answer.status == 200)
      let metrics = try gateway.admin("/metrics").text
      #expect(
        metrics.contains(
          #"sluice_ai_cache_embeddings_total{cache="ai_cache",result="failed"} 1"#))
    }
  }

  @Test func `what guardrails mask is not shown to the model that makes vectors`() throws {
    let origin = try Self.provider()
    try withGateway(Self.configuration("", "- guardrails: { mask: [email] }"), to: origin) { gateway in
      let answer = try ask(gateway, "reset my password, I am ann@example.com")
      #expect(answer.status == 200)
      #expect(origin.requests.count == 3 && !origin.requests.contains { $0.text.contains("ann@") })
    }
  }

  private static func sharing(_ redis: RedisServer, mode: String = "mode: semantic, embed: vectors, threshold: 90%")
    -> String
  {
    configuration(stores: "stores: { shared: { url: \"redis://127.0.0.1:\(redis.port)/0\", timeout: 1s } }")
      .replacing("mode: semantic, embed: vectors, threshold: 90%", with: mode + ", store: shared")
  }

  /// Waits until a gateway has read what others were asked.
  private func awaitQuestion(_ gateway: RunningGateway) throws {
    let hasRead = try Deadline.usual.poll {
      let page = try gateway.admin("/metrics").text
      return page.split(separator: "\n").contains {
        $0.hasPrefix(#"sluice_ai_cache_bytes{cache="ai_cache"} "#) && !$0.hasSuffix(" 0")
      }
    }
    #expect(hasRead)
  }

  @Test(arguments: RedisServer.Kind.installed)
  func `several gateways have one cache, by words and by meaning`(kind: RedisServer.Kind) throws {
    let origin = try Self.provider()
    let redis = try RedisServer(kind)
    try withGateway(Self.sharing(redis), to: origin) { one in
      try withGateway(Self.sharing(redis), to: origin) { two in
        let first = try ask(one, "How do I reset my password?")
        #expect(first["X-Cache"] == "miss")
        // The answer, and the stream of questions.
        let isKept = Deadline.usual.poll { (try? redis.count) == 2 }
        #expect(isKept)
        let again = try ask(two, "How do I reset my password?", more: #","stream":true"#)
        #expect(again["X-Cache"] == "hit" && again.text.contains("answer 1"), "\(again.text)")
        try awaitQuestion(two)
        let near = try ask(two, "How can I change my password?")
        #expect(near["X-Cache-Similarity"] == "0.954" && near.text.contains("answer 1"), "\(near.text)")
        let other = try ask(two, "How can I change my password?", key: "other")
        #expect(other["X-Cache"] == "miss")
        // One that begins later, or again, has what the others had.
        try withGateway(Self.sharing(redis), to: origin) { three in
          // A plugin begins with the first request of its route.
          let list = #"{"model":"fast","input":[]}"#
          let client = try three.connect()
          try client.send(
            "POST /v1/images/generations HTTP/1.1",
            ["Host: a", "X-API-Key: wrong", "Content-Length: \(list.utf8.count)"], body: list)
          _ = try client.response(to: "POST")
          try awaitQuestion(three)
          let near = try ask(three, "Let me change my password")
          #expect(near["X-Cache-Similarity"] == "0.954", "\(near.text)")
        }
      }
    }
  }

  @Test func `an exact cache is shared too, also where only one dialect knows the question`() throws {
    let origin = try Self.provider()
    let redis = try RedisServer()
    try withGateway(Self.sharing(redis, mode: "mode: exact"), to: origin) { one in
      try withGateway(Self.sharing(redis, mode: "mode: exact"), to: origin) { two in
        for (text, more) in [("one", ""), ("two", #","logprobs":true"#)] {
          let first = try ask(one, text, more: more)
          #expect(first["X-Cache"] == "miss")
          let isKept = Deadline.usual.poll { (try? redis.count) == (more.isEmpty ? 1 : 2) }
          #expect(isKept)
          let again = try ask(two, text, more: more)
          #expect(again["X-Cache"] == "hit")
        }
      }
    }
  }

  @Test func `a store that is away, or holds nonsense, is a cache without answers`() throws {
    let origin = try Self.provider()
    let redis = try RedisServer()
    try withGateway(Self.sharing(redis), to: origin) { one in
      let key = "sluice:ai_cache:ai_cache:questions"
      _ = try redis.ask("XADD \(key) * f x k y v z e 1 g 0", "XADD \(key) * only this")
      #expect(try ask(one, "How do I reset my password?")["X-Cache"] == "miss")
      redis.process.kill()
      #expect(try ask(one, "How do I reset my password?")["X-Cache"] == "hit", "it has its own too")
      let other = try ask(one, "How do I delete my account?")
      #expect(other.status == 200 && other["X-Cache"] == "miss")
    }
  }
}
