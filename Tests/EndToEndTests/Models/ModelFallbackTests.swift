import GatewayTesting
import Kernel
import Testing

/// Models that fail, and those that are asked instead.
struct ModelFallbackTests {
  /// `a` and `b` are one scripted provider under two paths; `nowhere` takes no connections.
  private static func configuration(_ models: String) -> String {
    """
    ai:
      providers:
        a: { dialect: openai, url: "http://127.0.0.1:PORT/a", keys: ["${KEY_1}", "${KEY_2}"] }
        b: { dialect: openai, url: "http://127.0.0.1:PORT/b" }
        nowhere: { dialect: openai, url: "http://127.0.0.1:1/v1" }
      models: { \(models) }
    routes: { models: { match: /*, ai: [openai, anthropic] } }
    """
  }

  private static let fast = "fast: { model: a/one, fallbacks: [b/two] }"

  private var plan: RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.environment = [("KEY_1", "first-key"), ("KEY_2", "second-key")]
    return plan
  }

  private static func whole(_ text: String) -> String {
    #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
  }

  private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

  private static func delta(_ content: String) -> String {
    #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"\#(content)"}}]}"# + "\n\n"
  }

  private static let finish =
    #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
  private static let begun =
    #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"# + "\n\n"
  private static let failed = #"data: {"error":{"message":"Busy","type":"server_error"}}"# + "\n\n"

  private func post(_ gateway: RunningGateway, _ body: String, path: String = "/v1/chat/completions") throws
    -> WireMessage
  {
    let client = try gateway.connect()
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  private func ask(_ model: String = "fast", stream: Bool = false) -> String {
    #"{"model":"\#(model)","max_tokens":9,"messages":[{"role":"user","content":"Hello"}],"stream":\#(stream)}"#
  }

  private func run(
    _ origin: Origin, _ models: String = fast, _ body: (RunningGateway) throws -> Void
  ) throws {
    let text = Self.configuration(models).replacing("PORT", with: "\(origin.port)")
    try withGateway(text, to: origin, plan, body)
  }

  @Test(arguments: [
    ("500 Internal Server Error", #"{"error":{"message":"x"}}"#, "500"),
    ("503 Service Unavailable", "<html>busy</html>", "503"),
    ("429 Too Many Requests", #"{"error":{"message":"x"}}"#, "429"),
    ("200 OK", "<html>login</html>", "server"), ("200 OK", #"{"error":{"message":"x"}}"#, "server"),
    ("200 OK", "", "server"),
    ("400 Bad Request", #"{"error":{"message":"x","code":"context_length_exceeded"}}"#, "context"),
  ])
  func `an answer that is none of a model is given by the next`(_ status: String, _ body: String, _ why: String) throws
  {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.target.hasPrefix("/a/") {
          try connection.answer(status, ["Retry-After: 30"], body: body)
        } else {
          try connection.answer(body: Self.whole("from b"))
        }
      }
    }
    try run(origin) { gateway in
      let answer = try post(gateway, ask())
      #expect(answer.status == 200 && answer.text.contains("from b"))
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["provider"]?.string == "b" && record["provider_model"]?.string == "two")
      // Where only the key is to blame, the other key is asked first.
      let tries = why == "429" ? 2 : 1
      #expect(record["tried"]?.string == Array(repeating: "a/one \(why)", count: tries).joined(separator: ", "))
      #expect(record["attempts"]?.integer == tries + 1)
      #expect(record["reason"] == nil)
    }
  }

  @Test func `the client's own mistakes are told, and nobody else is asked`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.answer("400 Bad Request", body: #"{"error":{"message":"no","type":"invalid_request_error"}}"#)
      }
    }
    try run(origin) { gateway in
      let answer = try post(gateway, ask())
      #expect(answer.status == 400)
      let records = try gateway.awaitRecords(1)
      #expect(records[0]["tried"] == nil)
      #expect(origin.requests.count == 1)
    }
  }

  @Test func `who cannot be reached is passed over, and what the last one said is told`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.target.hasPrefix("/b/") { return }
        try connection.answer("529 Overloaded", ["retry-after-ms: 1500"], body: #"{"error":{"message":"Too busy"}}"#)
      }
    }
    let models = "fast: { model: nowhere/x, fallbacks: [b/two, a/one] }, lost: { model: nowhere/x, fallbacks: [b/two] }"
    try run(origin, models) { gateway in
      let answer = try post(gateway, ask(), path: "/v1/messages")
      #expect(answer.status == 529 && answer["Retry-After"] == "2")
      #expect(answer.text.contains(#""message":"Too busy""#) && answer.text.contains(#""type":"error""#))
      #expect(
        try gateway.awaitRecords(1)[0]["tried"]?.string == "nowhere/x connect_failed, b/two upstream_reset")
      let lost = try post(gateway, ask("lost"))
      #expect(lost.status == 502 && lost.text.contains(#""error":{"#))
    }
  }

  @Test(arguments: ["", begun, ":\n\n" + begun + failed, "data: {\n\n"])
  func `a stream that fails before its first token is another's`(_ beginning: String) throws {
    let origin = try Origin { connection in
      guard let request = try connection.request() else { return }
      let isFirst = request.target.hasPrefix("/a/")
      try connection.send(Self.head + (isFirst ? beginning : Self.begun + Self.delta("from b") + Self.finish))
    }
    try run(origin) { gateway in
      for path in ["/v1/chat/completions", "/v1/messages"] {
        let answer = try post(gateway, ask(stream: true), path: path)
        #expect(answer.status == 200 && answer.text.contains("from b") && !answer.text.contains("error"))
        // It had no [DONE], but a reason to finish.
        #expect(answer.text.contains(path == "/v1/messages" ? "message_stop" : "[DONE]"))
      }
      let records = try gateway.awaitRecords(2)
      #expect(records.allSatisfy { $0["provider"]?.string == "b" })
    }
  }

  @Test func `a stream that fails after its first token ends in an error event`() throws {
    let hasArrived = Lock(false)
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(Self.head + Self.begun + Self.delta("Hel"))
      guard Deadline.usual.poll({ hasArrived.withLock { $0 } }) else { throw WireError.timedOut }
      try connection.send(Self.failed)
    }
    try run(origin) { gateway in
      let client = try gateway.connect()
      let body = ask(stream: true)
      try client.send("POST /v1/messages HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
      while try !client.reader.line().isEmpty {}
      for expected in [#""Hel""#, "event: error"] {
        var said = ""
        while !said.contains(expected) {
          let size = try #require(Int(try client.reader.line(), radix: 16))
          said = String(decoding: try client.reader.take(size + 2), as: UTF8.self)
        }
        hasArrived.withLock { $0 = true }
      }
      let records = try gateway.awaitRecords(1)
      #expect(records[0]["tried"] == nil && records[0]["fault"]?.string == "upstream")
      #expect(origin.requests.count == 1)
    }
  }

  @Test func `a model that says nothing in time is given up, and the whole call has its bound`() throws {
    let origin = try Origin { connection in
      guard let request = try connection.request() else { return }
      if request.target.hasPrefix("/a/") {
        try connection.send(Self.head + Self.begun)
        return connection.awaitEnd()
      }
      try connection.send(Self.head + Self.delta("from b"))
      connection.awaitEnd()
    }
    let models = "fast: { model: a/one, fallbacks: [b/two], timeouts: { first_token: 300ms, total: 900ms } }"
    try run(origin, models) { gateway in
      let answer = try post(gateway, ask(stream: true))
      #expect(answer.text.contains("from b") && answer.text.contains("longer than it may"))
      #expect(try gateway.awaitRecords(1)[0]["tried"]?.string == "a/one timeout")
    }
  }

  @Test func `a key that is refused rests, and so does one that is limited`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request["Authorization"] == "Bearer first-key" {
          try connection.answer("401 Unauthorized", body: #"{"error":{"message":"Bad key","code":"invalid_api_key"}}"#)
        } else if request.text.contains("limited") {
          try connection.answer("429 Too Many Requests", ["Retry-After: 100"], body: #"{"error":{"message":"Slow"}}"#)
        } else {
          try connection.answer(body: Self.whole("Hi"))
        }
      }
    }
    try run(origin, "fast: { model: a/one }, slow: a/limited") { gateway in
      for _ in 0..<4 { #expect(try post(gateway, ask()).status == 200) }
      let keys = origin.requests.map { $0["Authorization"] }
      #expect(keys.filter { $0 == "Bearer first-key" }.count == 1 && keys.count == 5)
      let first = try post(gateway, ask("slow"))
      #expect(first.status == 429 && first["Retry-After"] == "100")
      // Nobody is asked while every key rests for this model; the other model goes on.
      let second = try post(gateway, ask("slow"))
      #expect(second.status == 503 && (95...100).contains(Int(second["Retry-After"] ?? "") ?? 0))
      #expect(try gateway.awaitRecords(6)[5]["reason"]?.string == "no_usable_key")
      #expect(origin.requests.count == 6)
      #expect(try post(gateway, ask()).status == 200)
    }
  }

  @Test func `clients do not see that a key of the gateway's is refused as if it were theirs`() throws {
    let refusal = #"{"error":{"message":"Bad key","code":"invalid_api_key"}}"#
    let origin = try Origin { while try $0.request() != nil { try $0.answer("401 Unauthorized", body: refusal) } }
    try run(origin, "keyless: b/two, fast: { model: nowhere/x, fallbacks: [a/one] }") { gateway in
      let answers = try ["keyless", "fast", "fast"].map { try post(gateway, ask($0)) }
      #expect(answers.allSatisfy { $0.status == 503 && $0["X-Fault"] == "upstream" && !$0.text.contains("Bad") })
      #expect(answers.map { $0["Retry-After"] }[0] == "1" && origin.requests.count == 3, "each key once")
      #expect(answers[1...].allSatisfy { (295...300).contains(Int($0["Retry-After"] ?? "") ?? 0) })
    }
  }

  @Test func `a model that keeps failing is left alone, and streams that are cut count`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.target.hasPrefix("/a/") { return try connection.send(Self.head + Self.delta("Hel")) }
        try connection.send(Self.head + Self.delta("from b") + Self.finish)
        return
      }
    }
    try run(origin) { gateway in
      for _ in 0..<10 { #expect(try post(gateway, ask(stream: true)).text.contains("Hel")) }
      let answer = try post(gateway, ask(stream: true))
      #expect(answer.text.contains("from b"))
      #expect(try gateway.awaitRecords(11)[10]["tried"]?.string == "a/one circuit_open")
    }
  }

  @Test func `a split keeps who agrees in its value on one side`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        try connection.answer(body: Self.whole(request.target.hasPrefix("/a/") ? "from a" : "from b"))
      }
    }
    let models =
      "both: { split: { by: header.X-User, to: [{ model: a/one, weight: 50 }, { model: b/two, weight: 50 }] } }"
    try run(origin, models) { gateway in
      var sides: Set<String> = []
      for user in 0..<16 {
        var answers: Set<String> = []
        for _ in 0..<3 {
          let client = try gateway.connect()
          let body = ask("both")
          try client.send(
            "POST /v1/chat/completions HTTP/1.1",
            ["Host: a", "X-User: user-\(user)", "Content-Length: \(body.utf8.count)"], body: body)
          answers.insert(try client.response(to: "POST").text)
        }
        #expect(answers.count == 1)
        sides.formUnion(answers)
      }
      #expect(sides.count == 2)
    }
  }

  @Test func `thresholds and rests are the provider's own`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.text.contains("limited") {
          try connection.answer("429 Too Many Requests", body: #"{"error":{"message":"Slow"}}"#)
        } else {
          try connection.answer("500 Internal Server Error", body: #"{"error":{"message":"x"}}"#)
        }
      }
    }
    let models = "fast: a/one, slow: a/limited"
    let text = Self.configuration(models).replacing("PORT", with: "\(origin.port)").replacing(
      #"keys: ["${KEY_1}", "${KEY_2}"]"#,
      with: #"keys: ["${KEY_1}"], key_rest: { limited: 50s }, circuit_breaker: { minimum_requests: 2, open_for: 40s }"#)
    try withGateway(text, to: origin, plan) { gateway in
      for _ in 0..<3 { _ = try post(gateway, ask()) }
      #expect(origin.requests.count == 2)
      _ = try post(gateway, ask("slow"))
      let rests = try post(gateway, ask("slow"))
      #expect((45...50).contains(Int(rests["Retry-After"] ?? "") ?? 0), "\(rests)")
      let reasons = try gateway.awaitRecords(5).map { $0["reason"]?.string }
      #expect(reasons[2] == "circuit_open" && reasons[4] == "no_usable_key", "\(reasons)")
    }
  }
}
