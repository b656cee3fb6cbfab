import GatewayTesting
import Kernel
import Testing

/// Embeddings of every provider, asked for by the official packages; limits, guardrails, cache and log act on them.
struct ModelEmbeddingTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  // long: one stand-in for all that is asked of it
  func `official clients have texts embedded and tokens counted by every provider`() throws {
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let models = try ChildProcess(
      [python, Self.folder + "/embedders.py"], output: directory["port"], errors: directory["errors"])
    defer { models.kill() }
    var port = 0
    #expect(
      Deadline.usual.poll {
        port = (try? directory.read("port")).flatMap { Int($0.filter(\.isNumber)) } ?? 0
        return port > 0
      }, "\((try? directory.read("errors")) ?? "")")
    let url = "http://127.0.0.1:\(port)"
    let text = """
      ai:
        providers:
          openai: { dialect: openai, url: "\(url)" }
          anthropic: { dialect: anthropic, url: "\(url)" }
          gemini: { dialect: gemini, url: "\(url)" }
          cohere: { preset: cohere, url: "\(url)", keys: ["${SECRET}"] }
          bedrock: { dialect: bedrock, url: "\(url)", region: eu-central-1, access_key: "${ID}", secret_key: "${SECRET}", session_token: "${TOKEN}" }
      routes: { models: { match: /*, ai: { accept: [openai, anthropic, gemini] } } }
      """
    var plan = RunningGateway.Plan()
    plan.environment = [
      ("ID", "AKIDEXAMPLE"), ("SECRET", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), ("TOKEN", "token+of/the=session"),
    ]
    try withGateway(text, plan) { gateway in
      let output = gateway.directory["python"]
      let names = [
        "openai=small", "gemini=embedding-1", "cohere=embed-v4.0", "bedrock=amazon.titan-embed-text-v2:0",
        "bedrock=cohere.embed-english-v3",
      ]
      let exit = try ChildProcess(
        [python, Self.folder + "/embeddings.py", "\(gateway.port)"] + names, output: output, errors: output
      ).wait(until: .after(seconds: 60))
      #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
      let records = try gateway.awaitRecords(43).filter { $0["status"]?.integer == 200 }
      for record in records where record["provider"]?.string == "gemini" && record["input_tokens"] != nil {
        #expect(record["input_tokens"]?.integer == 6 && record["usage"] == nil && record["output_tokens"]?.integer == 0)
      }
      // Who counts tokens uses none; where nobody says how many were used, they are estimated.
      #expect(records.count { $0["input_tokens"] == nil } == 2)
      let uncounted = records.filter { $0["provider_model"]?.string == "cohere.embed-english-v3" }
      #expect(!uncounted.isEmpty && uncounted.allSatisfy { $0["usage"]?.string == "estimated" })
    }
  }

  private static let answer =
    #"{"embeddings":[{"values":[0.5,1]}],"usageMetadata":{"promptTokenCount":40}}"#

  private func run(_ plugins: String, _ body: (RunningGateway, Origin) throws -> Void) throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer(body: Self.answer) }
    }
    let text = """
      ai:
        providers: { g: { dialect: gemini, url: ORIGIN } }
        models: { small: g/embedding-1 }
        prices: { g/embedding-1: { input: 0.15, output: 0 } }
      routes: { models: { match: /*, plugins: [\(plugins)], ai: { accept: openai, log: { prompts: true } } } }
      """
    try withGateway(text, to: origin) { try body($0, origin) }
  }

  private func embed(_ gateway: RunningGateway, _ text: String) throws -> WireMessage {
    let body = #"{"model":"small","input":"\#(text)"}"#
    let client = try gateway.connect()
    try client.send("POST /v1/embeddings HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  @Test func `a token limit counts what the provider counted`() throws {
    try run("{ token_limit: { tokens: 60/month, key: ip, name: team } }") { gateway, origin in
      #expect(try embed(gateway, "a").status == 200)
      #expect(try embed(gateway, "b").status == 200)
      let refused = try embed(gateway, "c")
      #expect(refused.status == 429 && refused.text.contains("team") && origin.requests.count == 2)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["input_tokens"]?.integer == 40 && record["cost_nanousd"]?.integer == 40 * 150)
      #expect(record["prompt_text"]?.string == "a" && record["provider"]?.string == "g")
    }
  }

  @Test func `guardrails see the texts, and a cache keeps the vectors`() throws {
    try run("{ ai_cache: { ttl: 1m } }, { guardrails: { mask: [email], deny: [forbidden] } }") { gateway, origin in
      let masked = try embed(gateway, "write to ann@example.com")
      #expect(masked.status == 200 && masked.text.contains("[0.5,1]"))
      let sent = try origin.awaitRequests(1)[0].text
      #expect(!sent.contains("ann@") && sent.contains("write to"), "\(sent)")
      #expect(try embed(gateway, "something forbidden").status == 403)
      #expect(try embed(gateway, "write to ann@example.com").text == masked.text && origin.requests.count == 1)
    }
  }
}
