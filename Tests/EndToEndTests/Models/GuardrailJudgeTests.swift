import GatewayTesting
import Kernel
import Testing

/// Guardrails that ask somebody else: a moderation, and a model that knows what calls may be about.
struct GuardrailJudgeTests {
  private static func configuration(_ guardrails: String) -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    ai:
      providers: { p: { dialect: openai, url: ORIGIN, keys: [good-key] } }
      models: { fast: p/m, judge: { model: p/gone, fallbacks: [p/judge] } }
    routes:
      models: { match: /*, plugins: [{ guardrails: { \(guardrails) } }], ai: [openai, anthropic, gemini] }
    """
  }

  /// A model that answers, one that moderates, and one that says yes or no; what they say of a text stands in it.
  private static func provider(_ judgement: @escaping @Sendable (String) -> String) throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        let sent = try JSONValue(parsing: request.text)
        if ["/moderations", "/hook"].contains(request.target) || sent["model"]?.string == "judge" {
          let said = judgement(request.text)
          try connection.answer(said.isEmpty ? "503 Service Unavailable" : "200 OK", body: said.isEmpty ? "{}" : said)
        } else if sent["model"]?.string == "gone" {
          try connection.answer("404 Not Found", body: #"{"error":{"message":"no such model"}}"#)
        } else {
          try connection.answer(body: chat("answer"))
        }
      }
    }
  }

  private static func chat(_ text: String) -> String {
    #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
  }

  private func ask(_ gateway: RunningGateway, _ text: String) throws -> WireMessage {
    let body =
      #"{"model":"fast","messages":[{"role":"system","content":"Be bad."},{"role":"user","content":"\#(text)"}]}"#
    let client = try gateway.connect()
    try client.send(
      "POST /v1/chat/completions HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  private static let moderation: @Sendable (String) -> String = { sent in
    if sent.contains("nobody") { return "" }
    if sent.contains("nonsense") { return #"{"results":[{"flagged":"yes"}]}"# }
    if sent.contains("empty") { return #"{"results":[]}"# }
    let (isBad, isSad) = (sent.contains("kill"), sent.contains("sad"))
    return
      #"{"id":"1","results":[{"flagged":\#(isBad || isSad),"categories":{"self-harm":\#(isSad),"violence":\#(isBad)}}]}"#
  }

  @Test(arguments: [true, false])
  func `what a moderation flags goes nowhere, whether a model or a service of one's own`(_ isModel: Bool) throws {
    let origin = try Self.provider(Self.moderation)
    let who = isModel ? "model: p/moderator" : "url: \"\(origin.url)/hook\", secret: hook-secret"
    try withGateway(Self.configuration("moderation: { \(who) }, mask: [email]"), to: origin) { gateway in
      let fine = try ask(gateway, "Hello, I am a@example.com")
      #expect(fine.status == 200 && fine.text.contains("answer"), "\(fine.text)")
      let first = origin.requests[0]
      #expect(first.target == (isModel ? "/moderations" : "/hook"))
      #expect(first["Authorization"] == (isModel ? "Bearer good-key" : "Bearer hook-secret"))
      let model = isModel ? #""model":"moderator","# : ""
      #expect(first.text == #"{\#(model)"input":["Hello, I am [email]"]}"#, "masked, and the user's words alone")
      let refused = try ask(gateway, "I will kill the process")
      #expect(refused.status == 403 && refused.text.contains("`moderation` of `guardrails`"), "\(refused.text)")
      #expect(!refused.text.contains("violence"))
      #expect(origin.requests.count == 3)
      let record = try gateway.awaitRecords(2)[1]
      #expect(record["rule"]?.string == "guardrails/moderation:violence" && record["reason"]?.string == "guardrail")
      let metrics = try gateway.admin("/metrics").text
      for result in ["passed", "blocked"] {
        #expect(
          metrics.contains(
            #"sluice_guardrails_judgements_total{guardrails="guardrails",judge="moderation",result="\#(result)"} 1"#))
      }
    }
  }

  @Test func `only the categories that are named count`() throws {
    let origin = try Self.provider(Self.moderation)
    try withGateway(Self.configuration("moderation: { model: p/moderator, categories: [violence] }"), to: origin) {
      let sad = try ask($0, "I am sad")
      #expect(sad.status == 200)
      let bad = try ask($0, "I will kill it, and am sad")
      #expect(bad.status == 403)
    }
  }

  @Test(arguments: ["nobody", "nonsense", "empty"], ["refuse", "allow"])
  func `while nobody says anything of use, calls are refused, or pass`(_ text: String, _ option: String) throws {
    let origin = try Self.provider(Self.moderation)
    let moderation = "moderation: { model: p/moderator, unavailable: \(option) }"
    try withGateway(Self.configuration(moderation), to: origin) { gateway in
      let answer = try ask(gateway, text)
      #expect(answer.status == (option == "allow" ? 200 : 503), "\(answer.text)")
      if option == "refuse" {
        #expect(answer["Retry-After"] != nil)
        let record = try gateway.awaitRecords(1)[0]
        #expect(record["reason"]?.string == "guardrail_unavailable" && record["fault"]?.string == "upstream")
      }
      #expect(
        try gateway.admin("/metrics").text.contains(
          #"sluice_guardrails_judgements_total{guardrails="guardrails",judge="moderation",result="unavailable"} 1"#))
    }
  }

  private static let topics: @Sendable (String) -> String = { sent in
    if sent.contains("nobody") { return "" }
    if sent.contains("perhaps") { return chat("Perhaps.") }
    return chat(sent.contains("my invoice") ? " Yes, it is." : "No")
  }

  @Test func `a model says whether a message is about what it may be about, once for each text`() throws {
    let origin = try Self.provider(Self.topics)
    let topics = "topics: { model: judge, about: \"invoices and payments\" }"
    try withGateway(Self.configuration(topics), to: origin) { gateway in
      for _ in 0..<2 {
        let fine = try ask(gateway, "Where is my invoice?")
        #expect(fine.status == 200 && fine.text.contains("answer"), "\(fine.text)")
      }
      let asked = origin.requests.filter { $0.text.contains(#""judge""#) }
      #expect(asked.count == 1)
      #expect(asked[0].text.contains("invoices and payments") && asked[0].text.contains("Where is my invoice?"))
      #expect(!asked[0].text.contains("Be bad."))
      let other = try ask(gateway, "Write me a poem.")
      #expect(other.status == 403 && other.text.contains("`topics` of `guardrails`"), "\(other.text)")
      #expect(try gateway.awaitRecords(3)[2]["rule"]?.string == "guardrails/topics")
      for text in ["perhaps", "nobody"] {
        let refused = try ask(gateway, text)
        #expect(refused.status == 503)
      }
      let metrics = try gateway.admin("/metrics").text
      for (result, count) in [("passed", 1), ("cached", 1), ("blocked", 1), ("unavailable", 2)] {
        #expect(
          metrics.contains(
            #"sluice_guardrails_judgements_total{guardrails="guardrails",judge="topics",result="\#(result)"} \#(count)"#
          ),
          "\(result)")
      }
      #expect(metrics.contains(#"gen_ai_request_model="judge""#), "what it used is counted")
    }
  }

  @Test func `in shadow mode nothing is refused, and all is counted`() throws {
    let origin = try Self.provider(Self.moderation)
    try withGateway(Self.configuration("shadow: true, moderation: { model: p/moderator }"), to: origin) { gateway in
      for text in ["kill", "nobody"] {
        let answer = try ask(gateway, text)
        #expect(answer.status == 200)
      }
      #expect(
        try gateway.admin("/metrics").text.contains(
          #"sluice_guardrails_decisions_total{guardrails="guardrails",rule="moderation",decision="shadowed"} 1"#))
    }
  }
}
