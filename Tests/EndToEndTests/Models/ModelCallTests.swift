import GatewayTesting
import Kernel
import Testing

/// Calls of models against a scripted provider: what it is sent, and what becomes of what it answers.
struct ModelCallTests {
  private static let configuration = """
    ai:
      providers: { p: { dialect: openai, url: ORIGIN, keys: ["${KEY_1}", "${KEY_2}"] } }
      models: { fast: { model: p/real-model } }
      prices: { p/real-model: { input: 1, cached_input: 0.1, output: 2 } }
    routes: { models: { match: /*, ai: [openai, anthropic] } }
    """

  private var plan: RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.environment = [("KEY_1", "first-key"), ("KEY_2", "second-key")]
    return plan
  }

  private static let whole =
    #"{"id":"c1","object":"chat.completion","created":1,"model":"real-model-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}}"#
  private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

  private static func chunk(_ text: String) -> String { String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n" }

  private static func delta(_ content: String) -> String {
    chunk(#"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"\#(content)"}}]}"# + "\n\n")
  }

  private func post(
    _ gateway: RunningGateway, _ path: String, _ body: String, _ fields: [String] = []
  ) throws -> WireMessage {
    let client = try gateway.connect()
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"] + fields, body: body)
    return try client.response(to: "POST")
  }

  private func ask(stream: Bool = false) -> String {
    #"{"model":"fast","max_tokens":9,"messages":[{"role":"user","content":"Hello"}],"stream":\#(stream)}"#
  }

  @Test func `a provider gets its key, its model's name and nothing of the client's own`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer(body: Self.whole) }
    }
    try withGateway(Self.configuration, to: origin, plan) { gateway in
      let secret = ["Authorization: Bearer of-the-client", "x-api-key: of-the-client", "Cookie: a=b"]
      let first = try post(gateway, "/v1/chat/completions", ask(), secret)
      #expect(first.text == Self.whole)
      let second = try post(gateway, "/v1/messages", ask(), secret)
      #expect(second.text.contains(#""text":"Hi""#))
      let requests = try origin.awaitRequests(2)
      #expect(requests.map(\.startLine) == Array(repeating: "POST /chat/completions HTTP/1.1", count: 2))
      #expect(Set(requests.map { $0["Authorization"] }) == ["Bearer first-key", "Bearer second-key"])
      for request in requests {
        #expect(request.text.contains(#""model":"real-model""#))
        #expect(request["Host"] == "127.0.0.1:\(origin.port)")
        #expect(request["x-api-key"] == nil && request["Cookie"] == nil)
        #expect(request["X-Request-Id"]?.utf8.count == 32)
      }
      let records = try gateway.awaitRecords(2)
      for record in records {
        #expect(record["provider_model"]?.string == "real-model")
        #expect(record["cached_tokens"]?.integer == 4)
        #expect(record["cost_nanousd"]?.integer == 6 * 1000 + 4 * 100 + 3 * 2000)
        #expect(!"\(record)".contains("-key"))
      }
    }
  }

  @Test(arguments: ["/v1/chat/completions", "/v1/messages"])
  func `a stream that breaks off ends in an error event and a whole body`(_ path: String) throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(Self.head + Self.delta("Hel") + "ff\r\ndata: {")
    }
    try withGateway(Self.configuration, to: origin, plan) { gateway in
      let answer = try post(gateway, path, ask(stream: true))
      #expect(answer.status == 200)
      #expect(answer.text.contains(#""Hel""#))
      #expect(answer.text.contains(#""error":{"#))
      #expect(!answer.text.contains("[DONE]") && !answer.text.contains("message_stop"))
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "upstream_truncated" && record["fault"]?.string == "upstream")
    }
  }

  @Test func `each event passes before the next is sent`() throws {
    let arrived = Lock(-1)
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(Self.head)
      for number in 0..<10 {
        try connection.send(Self.delta("<\(number)>"))
        guard Deadline.usual.poll({ arrived.withLock { $0 } == number }) else { throw WireError.timedOut }
      }
      try connection.send(Self.chunk("data: [DONE]\n\n") + "0\r\n\r\n")
    }
    try withGateway(Self.configuration, to: origin, plan) { gateway in
      let client = try gateway.connect()
      let body = ask(stream: true)
      try client.send("POST /v1/messages HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
      while try !client.reader.line().isEmpty {}
      for number in 0..<10 {
        var said = ""
        while !said.contains("<\(number)>") {
          let size = try #require(Int(try client.reader.line(), radix: 16))
          said = String(decoding: try client.reader.take(size + 2), as: UTF8.self)
        }
        arrived.withLock { $0 = number }
      }
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test func `a client that leaves cancels its call`() throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(Self.head + Self.delta("Hel"))
      connection.awaitEnd()
    }
    try withGateway(Self.configuration, to: origin, plan) { gateway in
      let client = try gateway.connect()
      let body = ask(stream: true)
      try client.send("POST /v1/messages HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
      _ = try client.reader.line()
      client.close()
      #expect(origin.awaitNoConnection())
      #expect(try gateway.awaitRecords(1)[0]["cancelled"]?.string == "client")
    }
  }

  @Test func `faults have the shape of the client's dialect`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer("502 Bad Gateway", body: "<html>") }
    }
    try withGateway(Self.configuration + "\nlimits: { request_body: 300B }", to: origin, plan) { gateway in
      let cases: [(String, String, Int, String)] = [
        ("/v1/chat/completions", "nonsense", 400, "unreadable_conversation"),
        ("/v1/chat/completions", #"{"model":"other/x","messages":[]}"#, 404, "unknown_model"),
        ("/v1/messages", #"{"model":"fast","max_tokens":1,"messages":[],"top_k":1}"#, 400, "unreadable_conversation"),
        ("/v1/messages", #"{"model":"\#(String(repeating: "x", count: 400))"}"#, 413, "body_too_large"),
        ("/v1/nothing", "{}", 404, "no_route"),
        ("/v1/messages", ask(), 502, ""),
      ]
      for (number, (path, body, status, reason)) in cases.enumerated() {
        let answer = try post(gateway, path, body)
        #expect(answer.status == status)
        #expect(
          answer.text.hasPrefix(path == "/v1/messages" ? #"{"type":"error","error":{"# : #"{"error":{"message":"#))
        let record = try gateway.awaitRecords(number + 1)[number]
        #expect(record["reason"]?.string ?? "" == reason)
      }
      let get = try gateway.get("/v1/messages")
      #expect(get.status == 405 && get["Allow"] == "POST" && get.text.contains(#""type":"error""#))
    }
  }

  @Test func `a long prompt in pieces arrives whole, also when the client asks first`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer(body: Self.whole) }
    }
    try withGateway(Self.configuration, to: origin, plan) { gateway in
      let text = String(repeating: "prompt ", count: 200_000)
      let body = #"{"model":"fast","messages":[{"role":"user","content":"\#(text)"}]}"#
      let client = try gateway.connect()
      try client.send(
        "POST /v1/chat/completions HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)", "Expect: 100-continue"])
      #expect(try client.reader.line() == "HTTP/1.1 100 Continue")
      #expect(try client.reader.line().isEmpty)
      try client.send(body)
      #expect(try client.response(to: "POST").text == Self.whole)
      #expect(try origin.awaitRequests(1)[0].text == body.replacing(#""model":"fast""#, with: #""model":"real-model""#))
    }
  }

  @Test func `what is dropped is told, and cannot end the line that tells it`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer(body: Self.whole) }
    }
    let text = Self.configuration.replacing(
      "ai: [openai, anthropic]", with: "ai: { accept: anthropic, unsupported: drop }")
    try withGateway(text, to: origin, plan) { gateway in
      let body = #"{"model":"fast","max_tokens":9,"messages":[],"top_k":1,"a\r\nX-B: 1":2}"#
      let answer = try post(gateway, "/v1/messages", body)
      #expect(answer["X-Sluice-Dropped"] == "a??X-B: 1, top_k")
      #expect(answer["X-B"] == nil && answer.status == 200)
      // A dialect that the route does not accept is not there.
      #expect(try post(gateway, "/v1/chat/completions", ask()).status == 404)
    }
  }

  @Test func `a client of Gemini names the model in the path, and so is Gemini asked`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let gemini =
          #"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP"}],"responseId":"r"}"#
        try connection.answer(body: request.target.hasPrefix("/v1beta/") ? gemini : Self.whole)
      }
    }
    let text = Self.configuration.replacing("ai: [openai, anthropic]", with: "ai: [openai, gemini]")
      .replacing("providers: { p:", with: "providers: { g: { dialect: gemini, url: ORIGIN, keys: \"${KEY_1}\" }, p:")
    try withGateway(text, to: origin, plan) { gateway in
      let body = #"{"contents":[{"parts":[{"text":"Hello"}]}]}"#
      let translated = try post(gateway, "/v1beta/models/fast:generateContent", body)
      #expect(translated.text.contains(#"{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP""#))
      let native = try post(gateway, "/v1/models/g/gemini-2.5-pro:generateContent", body)
      #expect(native.text.contains(#""responseId":"r""#))
      let asked = #"{"model":"g/gemini-2.5-pro","messages":[{"role":"user","content":"Hello"}]}"#
      #expect(try post(gateway, "/v1/chat/completions", asked).text.contains(#""content":"Hi""#))
      let requests = try origin.awaitRequests(3)
      #expect(requests[1].startLine == "POST /v1beta/models/gemini-2.5-pro:generateContent HTTP/1.1")
      #expect(requests[1].text == body && requests[1]["x-goog-api-key"] == "first-key")
      #expect(requests[2].startLine == requests[1].startLine)
      // No name that a client makes up gets out of its place in the path.
      for name in ["g/../x", "g/a b", "g/a?b", "g/a%2F", #"g/a\r\nX: 1"#, "g/"] {
        let evil = #"{"model":"\#(name)","messages":[]}"#
        #expect(try post(gateway, "/v1/chat/completions", evil).status == 404)
      }
      let array = try post(gateway, "/v1beta/models/fast:streamGenerateContent", body)
      #expect(array.status == 400 && array.text.contains("alt=sse"))
      #expect(origin.requests.count == 3)
    }
  }
}
