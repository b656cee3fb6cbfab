import GatewayTesting
import Kernel
import Testing

/// What nobody asked for is in no log, and keys are nowhere.
struct ModelPrivacyTests {
  private static let key = "sk-live-0123456789abcdef/With+Signs"

  private static func configuration(_ log: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    ai:
      providers: { p: { dialect: openai, url: ORIGIN, keys: ["${PROVIDER_KEY}"] } }
      models: { fast: p/m }
    routes: { models: { match: /*, ai: { accept: [openai, anthropic, gemini]\(log) } } }
    """
  }

  private var plan: RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.environment = [("PROVIDER_KEY", Self.key)]
    return plan
  }

  private func ask(_ gateway: RunningGateway, _ path: String, stream: Bool = false) throws -> WireMessage {
    let client = try gateway.connect()
    let body =
      #"{"model":"fast","max_tokens":9,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"I am ann@example.com, 😀😀"}],"stream":\#(stream)}"#
      .replacing(path == "/v1/messages" ? #"{"role":"system","content":"Be brief."},"# : "-", with: "")
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  /// A provider that tells everybody the key that it got, in every way that it has.
  private func telling() throws -> Origin {
    let count = Lock(0)
    return try Origin { connection in
      while let request = try connection.request() {
        let key = String(request["Authorization"]?.dropFirst("Bearer ".count) ?? "?")
        let number = count.withLock { count in
          count += 1
          return count
        }
        if request.text.contains(#""stream":true"#) {
          try connection.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
              + #"data: {"error":{"message":"Bad key \#(key)","type":"server_error","code":null}}"# + "\n\n")
          return
        }
        let escaped = key.replacing("/", with: "\\/")
        let statuses = ["500 Internal Server Error", "400 Bad Request", "422 Unprocessable Content"]
        let status = number > 6 ? "401 Unauthorized" : statuses[number % 3]
        try connection.answer(
          status, ["X-Key: \(key)"],
          body: #"{"error":{"message":"Incorrect API key \#(key) or \#(escaped)","type":"x","code":"y"}}"#
        )
      }
    }
  }

  @Test func `a provider that tells the key tells it to nobody`() throws {
    let origin = try telling()
    try withGateway(Self.configuration(", log: { prompts: true, answers: true }"), to: origin, plan) { gateway in
      var said = ""
      for path in ["/v1/chat/completions", "/v1/messages"] {
        for round in 0..<8 {
          let answer = try ask(gateway, path, stream: round % 2 == 1)
          said += answer.startLine + answer.fields.map { "\($0.name): \($0.value)\n" }.joined() + answer.text
        }
      }
      #expect(origin.requests.contains { $0["Authorization"] == "Bearer \(Self.key)" })
      #expect(said.contains("***"), "\(said)")
      _ = try gateway.awaitRecords(16)
      let pages = try ["/metrics", "/api/v1/config", "/api/v1/status", "/api/v1/spend", "/api/v1/upstreams"].map {
        try gateway.admin($0).text
      }
      let explained = try TLSFixture.run(
        "'\(RunningGateway.program)' explain POST /v1/chat/completions -c '\(gateway.directory["gateway.conf"])' 2>&1"
      ).output
      let files = try TLSFixture.run("cat '\(gateway.directory["."])'/*").output
      for text in [said, explained, files] + pages {
        #expect(!text.contains("0123456789abcdef") && !text.contains("With+Signs"), "\(text)")
      }
    }
  }

  private static let whole =
    #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Write to bob@example.com, please"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#

  private func answering() throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        guard request.text.contains(#""stream":true"#) else {
          try connection.answer(body: Self.whole)
          continue
        }
        let events = ["Write to bob@", "example.com", ", please"].map {
          #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"\#($0)"}}]}"# + "\n\n"
        }
        try connection.send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + events.joined()
            + #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#
            + "\n\ndata: [DONE]\n\n")
        return
      }
    }
  }

  @Test func `nothing that was said is in the log, unless the route asks for it`() throws {
    try withGateway(Self.configuration(), to: try answering(), plan) { gateway in
      for stream in [false, true] { _ = try ask(gateway, "/v1/chat/completions", stream: stream) }
      for record in try gateway.awaitRecords(2) {
        #expect(record["prompt_text"] == nil && record["answer_text"] == nil)
        #expect(!"\(record)".contains("ann@") && !"\(record)".contains("Write to"))
      }
    }
  }

  @Test func `what is asked for is masked first, and cut at a character`() throws {
    let text = Self.configuration(", log: { prompts: true, answers: true, limit: 15B }")
    try withGateway(text, to: try answering(), plan) { gateway in
      for (path, stream) in [("/v1/chat/completions", false), ("/v1/messages", true)] {
        _ = try ask(gateway, path, stream: stream)
      }
      for record in try gateway.awaitRecords(2) {
        #expect(record["prompt_text"]?.string == "I am [email], ", "\(record)")
        #expect(record["answer_text"]?.string == "Write to [email")
      }
    }
    let open = Self.configuration(", log: { prompts: true, mask: [card] }")
    try withGateway(open, to: try answering(), plan) { gateway in
      _ = try ask(gateway, "/v1/chat/completions")
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["prompt_text"]?.string == "I am ann@example.com, 😀😀" && record["answer_text"] == nil)
    }
  }
}
