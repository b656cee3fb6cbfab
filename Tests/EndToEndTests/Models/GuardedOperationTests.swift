import GatewayTesting
import Kernel
import Testing

/// Guardrails and token limits where the call is no conversation: embeddings of both dialects, reranking, speech.
struct GuardedOperationTests {
  private static func configuration(_ plugins: String) -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    ai:
      providers:
        o: { dialect: openai, url: ORIGIN }
        g: { dialect: gemini, url: ORIGIN }
        a: { dialect: anthropic, url: ORIGIN }
      models: { small: o/embed, flash: g/flash, claude: a/claude }
      prices: { o/embed: { input: 1, output: 0 }, g/flash: { input: 1, output: 0 }, a/claude: { input: 1, output: 0 } }
    routes: { models: { match: /*, plugins: [\(plugins)], ai: [openai, anthropic, gemini] } }
    """
  }

  /// Answers embeddings with the length of the request, so that none is like another.
  private func provider() throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        switch request.target {
        case "/audio/speech": try connection.answer("200 OK", ["Content-Type: audio/mpeg"], body: "ID3 a@example.com")
        case "/rerank":
          let body = #"{"results":[{"index":0,"document":{"text":"[EMAIL_1] wrote"}}],"usage":{"total_tokens":6}}"#
          try connection.answer(body: body)
        case "/v1/messages/count_tokens": try connection.answer(body: #"{"input_tokens":14}"#)
        case "/embeddings": try connection.answer(body: Self.embedded)
        default: try connection.answer(body: #"{"embedding":{"values":[0.1,4111111111111111]}}"#)
        }
      }
    }
  }

  private static let vector = String(repeating: "QUJDRDEyMzQ1Njc4", count: 20)
  private static let embedded =
    #"{"object":"list","data":[{"embedding":[0.1,4111111111111111]},{"embedding":"\#(vector)"}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#

  private func post(_ gateway: RunningGateway, _ path: String, _ body: String) throws -> WireMessage {
    let client = try gateway.connect()
    defer { client.close() }
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  /// What is embedded, in every way that a dialect has to say it.
  private static let ways: [(String, @Sendable (String) -> String)] = [
    ("/v1/embeddings", { #"{"model":"small","input":"\#($0)"}"# }),
    ("/v1/embeddings", { #"{"model":"small","input":["fine order","\#($0)"]}"# }),
    ("/v1beta/models/flash:embedContent", { #"{"content":{"parts":[{"text":"\#($0)"}]}}"# }),
    (
      "/v1beta/models/flash:batchEmbedContents",
      { #"{"requests":[{"model":"models/flash","content":{"parts":[{"text":"fine order"},{"text":"\#($0)"}]}}]}"# }
    ),
    ("/v1/rerank", { #"{"model":"small","query":"fine order","documents":["fine order","\#($0)"]}"# }),
  ]

  @Test(arguments: ways.indices)
  func `the rules for requests hold for what is embedded and ranked`(_ way: Int) throws {
    let (path, body) = Self.ways[way]
    let origin = try provider()
    let rules = "{ guardrails: { deny: [forbidden], allow: [order], maximum: 300B } }"
    try withGateway(Self.configuration(rules), to: origin) { gateway in
      #expect(try post(gateway, path, body("an order")).status == 200)
      for (text, rule) in [
        ("a Forbidden order", "deny[0]"), ("a joke", "allow"),
        ("order" + String(repeating: "x", count: 300), "maximum"),
      ] {
        let answer = try post(gateway, path, body(text))
        #expect(answer.status == 403 && answer.text.contains("`\(rule)` of `guardrails`"), "\(answer.text)")
      }
      #expect(origin.requests.count == 1)
    }
  }

  @Test(arguments: ways.indices)
  func `what is embedded is masked, and the numbers of the answer stay`(_ way: Int) throws {
    let (path, body) = Self.ways[way]
    let origin = try provider()
    let rules = "{ guardrails: { mask: [email, card], restore: true, answers: { deny: [nowhere] } } }"
    try withGateway(Self.configuration(rules), to: origin) { gateway in
      let answer = try post(gateway, path, body("a@example.com order"))
      #expect(answer.status == 200)
      let sent = try origin.awaitRequests(1)[0].text
      #expect(sent.contains("[EMAIL_1] order") && !sent.contains("example.com"), "\(sent)")
      switch path {
      case "/v1/embeddings": #expect(answer.text == Self.embedded)
      case "/v1/rerank": #expect(answer.text.contains(#""text":"a@example.com wrote""#), "\(answer.text)")
      default: #expect(answer.text == #"{"embedding":{"values":[0.1,4111111111111111]}}"#)
      }
    }
  }

  @Test(arguments: ["deny: [x]", "allow: [x]", "mask: [email]"])
  func `numbers of tokens say what no rule can read`(_ rules: String) throws {
    let origin = try provider()
    try withGateway(Self.configuration("{ guardrails: { \(rules), name: g } }"), to: origin) { gateway in
      for input in ["[15339, 1917]", "[[15339], [1917]]"] {
        let answer = try post(gateway, "/v1/embeddings", #"{"model":"small","input":\#(input)}"#)
        #expect(answer.status == 403 && answer.text.contains("`tokens` of `g`"), "\(answer.text)")
      }
      #expect(try gateway.awaitRecords(2).allSatisfy { $0["rule"]?.string == "g/tokens" })
      #expect(origin.requests.isEmpty)
    }
  }

  @Test func `sound passes the guards as it is`() throws {
    let rules = "{ guardrails: { mask: [email], answers: { deny: [example], maximum: 4B } } }"
    try withGateway(Self.configuration(rules), to: try provider()) { gateway in
      let answer = try post(gateway, "/v1/audio/speech", #"{"model":"small","input":"x","voice":"y"}"#)
      #expect(answer.status == 200 && answer.text == "ID3 a@example.com" && answer["Content-Type"] == "audio/mpeg")
    }
  }

  @Test func `a limit reserves and counts what is embedded, and no answer`() throws {
    // Far less than what is reserved for the answer of a conversation.
    let limits = "{ token_limit: { tokens: 40/month, key: ip } }, { budget: { usd: 0.00004/month, key: ip } }"
    try withGateway(Self.configuration(limits), to: try provider()) { gateway in
      let text = String(repeating: "text", count: 10)
      let calls: [(path: String, body: String, used: Int, status: Int)] = [
        ("/v1/embeddings", #"{"model":"small","input":"\#(text)"}"#, 8, 200),
        ("/v1/embeddings", #"{"model":"small","input":[1,2,3,4,5,6,7,8,9,10]}"#, 16, 200),
        // Gemini says no counts: the length of what was sent is all there is.
        ("/v1beta/models/flash:embedContent", #"{"content":{"parts":[{"text":"\#(text)"}]}}"#, 30, 200),
        (
          "/v1/messages/count_tokens", #"{"model":"claude","messages":[{"role":"user","content":"\#(text)"}]}"#, 30, 200
        ),
        ("/v1/rerank", #"{"model":"small","query":"q","documents":["d"]}"#, 36, 200),
        ("/v1/embeddings", #"{"model":"small","input":"\#(text)"}"#, 36, 429),
        ("/v1/embeddings", #"{"model":"small","input":"x"}"#, 44, 200),
        ("/v1/embeddings", #"{"model":"small","input":[1]}"#, 44, 429),
      ]
      for (number, call) in calls.enumerated() {
        let answer = try post(gateway, call.path, call.body)
        #expect(answer.status == call.status, "\(number): \(answer.text)")
        let spend = try gateway.admin("/api/v1/spend").text
        #expect(spend.contains(#""used":\#(call.used)}"#), "\(number): \(spend)")
        #expect(spend.contains(#""used":\#(call.used * 1000)}"#), "\(number): \(spend)")
      }
      let records = try gateway.awaitRecords(calls.count)
      #expect(records[2]["usage"]?.string == "estimated" && records[2]["input_tokens"]?.integer == 14)
      #expect(records[3]["input_tokens"] == nil && records[4]["input_tokens"]?.integer == 6)
    }
  }
}
