import GatewayTesting
import Kernel
import Testing

/// Answers of models that a moderation is asked about: the client gets nothing of one before it was judged.
struct JudgedAnswerTests {
  private static func configuration(_ guardrails: String, _ more: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    ai:
      providers: { p: { dialect: openai, url: ORIGIN }, a: { dialect: anthropic, url: ORIGIN } }
      models: { fast: { model: p/m, fallbacks: [p/second] } }
    routes:
      models: { match: /*, plugins: [\(more){ guardrails: { \(guardrails) } }], ai: [openai, anthropic, gemini] }
    """
  }

  private static let moderation = "moderation: { model: p/moderator, of: [answers] }"

  /// A model that answers with what it was asked, and one that moderates.
  private static func provider() throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        let sent = try JSONValue(parsing: request.text)
        if request.target == "/moderations" {
          try connection.answer(body: judgement(request.text))
        } else if request.text.contains("break off"), sent["model"]?.string == "m" {
          let events = streamed("I will kill")
          try connection.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n\(events.prefix(200))")
          return connection.reset()
        } else {
          let said = say(request.text)
          if case .flag(true)? = sent["stream"] {
            try connection.answer("200 OK", ["Content-Type: text/event-stream"], body: streamed(said))
          } else {
            try connection.answer(body: whole(said, isSecond: request.text.contains("hidden")))
          }
        }
      }
    }
  }

  private static func say(_ request: String) -> String {
    if request.contains("nobody") { return "nobody" }
    return request.contains("evil") ? "I will kill a@example.com" : "Be well, a@example.com"
  }

  private static func judgement(_ sent: String) -> String {
    if sent.contains("nobody") { return "{}" }
    let isBad = sent.contains("kill")
    return #"{"id":"1","results":[{"flagged":\#(isBad),"categories":{"violence":\#(isBad)}}]}"#
  }

  private static func whole(_ text: String, isSecond: Bool) -> String {
    let fine = #"{"index":0,"message":{"role":"assistant","content":"Fine."},"finish_reason":"stop"}"#
    return
      #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[\#(fine),{"index":1,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
      .replacing(isSecond ? "nothing" : "\(fine),", with: "")
  }

  private static func streamed(_ text: String) -> String {
    let pieces = text.split(separator: " ", omittingEmptySubsequences: false).map { "\($0) " }
    let events = pieces.map { #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"\#($0)"}}]}"# }
    return
      (events + [
        #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        #"data: {"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#,
        "data: [DONE]",
      ]).map { $0 + "\n\n" }.joined()
  }

  private func post(_ gateway: RunningGateway, _ path: String, _ body: String) throws -> WireMessage {
    let client = try gateway.connect()
    defer { client.close() }
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  private func chat(_ gateway: RunningGateway, _ text: String, stream: Bool) throws -> WireMessage {
    try post(
      gateway, "/v1/chat/completions",
      #"{"model":"fast","stream":\#(stream),"messages":[{"role":"user","content":"\#(text)"}]}"#)
  }

  private static let fronts: [(path: @Sendable (Bool) -> String, body: @Sendable (String, Bool) -> String)] = [
    (
      { _ in "/v1/chat/completions" },
      { #"{"model":"fast","stream":\#($1),"messages":[{"role":"user","content":"\#($0)"}]}"# }
    ),
    (
      { _ in "/v1/messages" },
      { #"{"model":"fast","stream":\#($1),"max_tokens":9,"messages":[{"role":"user","content":"\#($0)"}]}"# }
    ),
    ({ _ in "/v1/responses" }, { #"{"model":"fast","stream":\#($1),"input":"\#($0)"}"# }),
    (
      { "/v1beta/models/fast:\($0 ? "streamGenerateContent?alt=sse" : "generateContent")" },
      { text, _ in #"{"contents":[{"role":"user","parts":[{"text":"\#(text)"}]}]}"# }
    ),
  ]

  @Test(arguments: fronts.indices, [false, true])
  func `an answer that a moderation flags reaches nobody, whole or streamed`(_ front: Int, _ stream: Bool) throws {
    let origin = try Self.provider()
    let (path, body) = Self.fronts[front]
    try withGateway(Self.configuration("mask: [email], \(Self.moderation)"), to: origin) { gateway in
      let fine = try post(gateway, path(stream), body("good", stream))
      #expect(fine.status == 200 && fine.text.contains("[email]"), "\(fine.text)")
      #expect(!fine.text.contains("example.com"))
      let asked = origin.requests.filter { $0.target == "/moderations" }
      #expect(asked.count == 1)
      #expect(asked[0].text.contains("Be well, [email]") && !asked[0].text.contains("example.com"))
      let denied = try post(gateway, path(stream), body("evil", stream))
      #expect(denied.status == 403 && denied.text.contains("`answers.moderation` of `guardrails`"), "\(denied.text)")
      #expect(!denied.text.contains("kill") && !denied.text.contains("violence"))
      #expect(denied["x-should-retry"] == "false")
      #expect(origin.requests.count == 4, "no other model is asked")
      let record = try gateway.awaitRecords(2)[1]
      #expect(record["rule"]?.string == "guardrails/answers.moderation:violence")
      #expect(record["reason"]?.string == "answer_denied" && record["output_tokens"]?.integer == 3)
      let metrics = try gateway.admin("/metrics").text
      #expect(
        metrics.contains(
          #"sluice_guardrails_decisions_total{guardrails="guardrails",rule="answers.moderation",decision="blocked"} 1"#)
      )
      #expect(
        metrics.contains(
          #"sluice_guardrails_judgements_total{guardrails="guardrails",judge="moderation",result="blocked"} 1"#))
    }
  }

  @Test(arguments: [false, true])
  func `while nobody says anything of use, answers are withheld, or pass`(_ stream: Bool) throws {
    let origin = try Self.provider()
    try withGateway(Self.configuration(Self.moderation), to: origin) { gateway in
      let answer = try chat(gateway, "nobody", stream: stream)
      #expect(answer.status == 503 && answer["Retry-After"] != nil)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "guardrail_unavailable" && record["output_tokens"]?.integer == 3)
      #expect(origin.requests.count { $0.target != "/moderations" } == 1, "no other model is asked")
    }
    let lenient = "moderation: { model: p/moderator, of: [answers], unavailable: allow }"
    try withGateway(Self.configuration(lenient), to: try Self.provider()) { gateway in
      let answer = try chat(gateway, "nobody", stream: stream)
      #expect(answer.status == 200 && answer.text.contains("nobody"))
    }
  }

  @Test func `a stream that breaks off unjudged is given by the next model, and nothing of the first is heard`() throws
  {
    try withGateway(Self.configuration(Self.moderation), to: try Self.provider()) { gateway in
      let answer = try chat(gateway, "break off", stream: true)
      #expect(answer.status == 200 && answer.text.contains("well, ") && answer.text.hasSuffix("data: [DONE]\n\n"))
      #expect(!answer.text.contains("will"))
      #expect(try gateway.awaitRecords(1)[0]["tried"]?.string == "p/m server")
      let alone = #"{"model":"p/m","stream":true,"messages":[{"role":"user","content":"break off"}]}"#
      let failed = try post(gateway, "/v1/chat/completions", alone)
      #expect(failed.status == 502 && failed.text.contains("broke off") && !failed.text.contains("will"))
    }
  }

  @Test func `no answer of several gets by`() throws {
    try withGateway(Self.configuration(Self.moderation), to: try Self.provider()) { gateway in
      for (text, status) in [("hidden", 200), ("hidden evil", 403)] {
        let answer = try chat(gateway, text, stream: false)
        #expect(answer.status == status)
      }
    }
  }

  @Test func `requests and answers are both judged where both are named`() throws {
    let origin = try Self.provider()
    let both = "moderation: { model: p/moderator, of: [requests, answers] }"
    try withGateway(Self.configuration(both), to: origin) { gateway in
      let refused = try chat(gateway, "kill", stream: false)
      #expect(refused.status == 403 && origin.requests.count == 1)
      #expect(try chat(gateway, "evil", stream: false).status == 403)
      #expect(origin.requests.count == 4)
      #expect(try gateway.awaitRecords(2).map { $0["reason"]?.string } == ["guardrail", "answer_denied"])
    }
  }

  @Test func `answers alone leave requests unjudged, and an answer that is kept is judged again`() throws {
    let origin = try Self.provider()
    try withGateway(Self.configuration(Self.moderation, "{ ai_cache: { mode: exact, ttl: 1m } }, "), to: origin) {
      gateway in
      let fine = try chat(gateway, "kill", stream: false)
      #expect(fine.status == 200)
      for _ in 0..<2 { #expect(try chat(gateway, "evil", stream: false).status == 403) }
      #expect(origin.requests.count == 6, "what was withheld is not kept")
    }
  }

  @Test func `in shadow mode the answer passes, and what would be withheld is counted`() throws {
    try withGateway(Self.configuration("shadow: true, \(Self.moderation)"), to: try Self.provider()) { gateway in
      let answer = try chat(gateway, "evil", stream: true)
      #expect(answer.text.contains("kill"))
      let metrics = try gateway.admin("/metrics").text
      #expect(
        metrics.contains(
          #"sluice_guardrails_decisions_total{guardrails="guardrails",rule="answers.moderation",decision="shadowed"} 1"#
        ))
    }
  }

  @Test func `a moderation that is asked about nothing is a mistake`() throws {
    let text = Self.configuration("moderation: { model: p/moderator, of: [] }")
    #expect(throws: (any Error).self) { try withGateway(text, to: try Self.provider()) { _ in } }
  }
}
