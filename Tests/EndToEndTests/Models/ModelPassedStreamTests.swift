import GatewayTesting
import Kernel
import Testing

/// What models answer beside conversations as it comes: speech, transcripts and pictures on their way.
struct ModelPassedStreamTests {
  private static let configuration = """
    ai:
      providers: { o: { dialect: openai, url: ORIGIN } }
      models: { ears: { model: o/listen, fallbacks: [o/other] } }
    routes: { models: { match: /*, plugins: [PLUGINS], ai: openai } }
    """

  private func run(
    plugins: String = "", _ act: @escaping @Sendable (OriginConnection, WireMessage) throws -> Void,
    _ body: (RunningGateway, Origin) throws -> Void
  ) throws {
    let origin = try Origin { connection in
      while let request = try connection.request() { try act(connection, request) }
    }
    try withGateway(Self.configuration.replacing("PLUGINS", with: plugins), to: origin) { try body($0, origin) }
  }

  private func begin(_ gateway: RunningGateway, _ path: String, _ body: String) throws -> Client {
    let client = try gateway.connect()
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return client
  }

  private func transcribe(_ gateway: RunningGateway, _ more: String = "") throws -> WireMessage {
    let form =
      "--cut\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nears\r\n\(more)"
      + "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nsound\r\n--cut--\r\n"
    let client = try gateway.connect()
    let fields = ["Host: a", "Content-Type: multipart/form-data; boundary=cut", "Content-Length: \(form.utf8.count)"]
    try client.send("POST /v1/audio/transcriptions HTTP/1.1", fields, body: form)
    return try client.response(to: "POST")
  }

  private func chunk(_ client: Client) throws -> String {
    let count = try #require(Int(try client.reader.line(), radix: 16))
    let content = try client.reader.take(count)
    _ = try client.reader.line()
    return String(decoding: content, as: UTF8.self)
  }

  private static let streamed =
    "--cut\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n"
  private static let said = [
    #"{"type":"transcript.text.delta","delta":"Write to a@exam"}"#,
    #"{"type":"transcript.text.delta","delta":"ple.com"}"#,
  ]
  private static let done =
    #"{"type":"transcript.text.done","text":"Write to a@example.com","usage":{"type":"tokens","input_tokens":14,"output_tokens":5}}"#

  private static func events(_ data: [String]) -> String { data.map { "data: \($0)\n\n" }.joined() }

  @Test func `speech reaches the client as it comes, and nothing of whose account it is`() throws {
    let isHeard = Lock(false)
    try run { connection, _ in
      try connection.send(
        "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nSet-Cookie: a=b\r\nOpenAI-Organization: ours\r\n"
          + "x-ratelimit-remaining-requests: 7\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nID3 a\r\n")
      try #require(
        Deadline.usual.poll { isHeard.withLock { $0 } }, "the client has the beginning before there is an end")
      try connection.send("4\r\nnd b\r\n0\r\n\r\n")
    } _: { gateway, _ in
      let client = try begin(gateway, "/v1/audio/speech", #"{"model":"ears","input":"x"}"#)
      var head: [String] = []
      while let line = try? client.reader.line(), !line.isEmpty { head.append(line.lowercased()) }
      #expect(head[0] == "http/1.1 200 ok" && head.contains("content-type: audio/mpeg"))
      for name in ["set-cookie", "openai-organization", "x-ratelimit"] {
        #expect(!head.contains { $0.hasPrefix(name) }, "\(name)")
      }
      #expect(try [client.reader.line(), client.reader.line()] == ["5", "ID3 a"])
      isHeard.withLock { $0 = true }
      #expect(try [client.reader.line(), client.reader.line()] == ["4", "nd b"])
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["model"]?.string == "ears" && record["provider_model"]?.string == "listen")
      #expect(record["usage"]?.string == "estimated" && record["status"]?.integer == 200)
    }
  }

  @Test func `speech that breaks off is cut, and its prompt is billed`() throws {
    try run { connection, _ in
      try connection.send("HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 100\r\n\r\nID3")
      connection.reset()
    } _: { gateway, _ in
      let client = try begin(gateway, "/v1/audio/speech", #"{"model":"o/tts","input":"x"}"#)
      #expect(throws: WireError.self) { try client.response(to: "POST") }
      #expect(try gateway.awaitRecords(1)[0]["fault"]?.string == "upstream")
    }
  }

  @Test func `a transcript reaches the client event by event, and its tokens are counted`() throws {
    let isHeard = Lock(false)
    try run { connection, _ in
      try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
      let first = Self.events([Self.said[0]])
      try connection.send("\(String(first.utf8.count, radix: 16))\r\n\(first)\r\n")
      try #require(Deadline.usual.poll { isHeard.withLock { $0 } })
      let rest = Self.events([Self.said[1], Self.done])
      try connection.send("\(String(rest.utf8.count, radix: 16))\r\n\(rest)\r\n0\r\n\r\n")
    } _: { gateway, _ in
      let form =
        "--cut\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nears\r\n\(Self.streamed)--cut--\r\n"
      let client = try gateway.connect()
      let fields = [
        "Host: a", "Content-Type: multipart/form-data; boundary=cut", "Content-Length: \(form.utf8.count)",
      ]
      try client.send("POST /v1/audio/transcriptions HTTP/1.1", fields, body: form)
      while try !client.reader.line().isEmpty {}
      #expect(try chunk(client) == Self.events([Self.said[0]]))
      isHeard.withLock { $0 = true }
      #expect(try chunk(client) == Self.events([Self.said[1], Self.done]))
      #expect(try client.reader.line() == "0")
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["input_tokens"]?.integer == 14 && record["output_tokens"]?.integer == 5)
      #expect(record["usage"] == nil)
    }
  }

  @Test(arguments: [0, 1, 2])
  func `a transcript that breaks off goes on at the next model, or ends in an error event`(_ said: Int) throws {
    try run { connection, request in
      if request.text.contains("other") {
        try connection.answer("200 OK", ["Content-Type: text/event-stream"], body: Self.events(["{\"late\":1}"]))
        return
      }
      let events = Self.events(Array(Self.said.prefix(said)))
      try connection.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\n\(events)")
      connection.reset()
    } _: { gateway, _ in
      let answer = try transcribe(gateway, Self.streamed)
      #expect(answer.status == 200)
      if said == 0 {
        #expect(answer.text == Self.events(["{\"late\":1}"]))
      } else {
        #expect(answer.text.hasPrefix(Self.events(Array(Self.said.prefix(said)))), "\(answer.text)")
        #expect(answer.text.contains(#"data: {"error":"#))
        #expect(try gateway.awaitRecords(1)[0]["fault"]?.string == "upstream")
      }
    }
  }

  @Test func `what is personal in a transcript is masked, however it is said`() throws {
    let subtitles = "1\n00:00:00,000 --> 00:00:02,000\nWrite to a@example.com\n"
    for (type, body, masked) in [
      (
        "text/event-stream", Self.events(Self.said + [Self.done]),
        Self.events([
          #"{"type":"transcript.text.delta","delta":"Write to "}"#, #"{"type":"transcript.text.delta","delta":""}"#,
          #"{"type":"transcript.text.delta","delta":"[email]"}"#,
          Self.done.replacing("a@example.com", with: "[email]"),
        ])
      ),
      ("text/plain; charset=utf-8", "Write to a@example.com\n", "Write to [email]\n"),
      ("application/x-subrip", subtitles, subtitles.replacing("a@example.com", with: "[email]")),
      ("text/vtt", "WEBVTT\n\n" + subtitles, "WEBVTT\n\n" + subtitles.replacing("a@example.com", with: "[email]")),
      ("application/json", #"{"text":"Write to a@example.com"}"#, #"{"text":"Write to [email]"}"#),
    ] {
      try run(plugins: "guardrails: { mask: [email], answers: { deny: [secret] } }") { connection, _ in
        try connection.answer("200 OK", ["Content-Type: \(type)"], body: body)
      } _: { gateway, _ in
        let answer = try transcribe(gateway)
        #expect(answer.status == 200 && answer.text == masked, "\(type): \(answer.text)")
      }
      try run(plugins: "guardrails: { answers: { deny: ['write to'] } }") { connection, _ in
        try connection.answer("200 OK", ["Content-Type: \(type)"], body: body)
      } _: { gateway, _ in
        let answer = try transcribe(gateway)
        #expect(!answer.text.lowercased().contains("write to"), "\(type): \(answer.text)")
        #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == "answer_denied")
      }
    }
  }

  @Test func `a picture on its way passes, and its tokens are counted`() throws {
    let data = String(repeating: "QUJD", count: 500)
    let events = Self.events([
      #"{"type":"image_generation.partial_image","partial_image_index":0,"b64_json":"\#(data)"}"#,
      #"{"type":"image_generation.completed","b64_json":"\#(data)","usage":{"input_tokens":50,"output_tokens":1000,"total_tokens":1050}}"#,
    ])
    try run(plugins: "guardrails: { mask: [card] }") { connection, _ in
      try connection.answer("200 OK", ["Content-Type: text/event-stream"], body: events)
    } _: { gateway, _ in
      let body = #"{"model":"ears","prompt":"x","stream":true,"partial_images":1}"#
      let answer = try begin(gateway, "/v1/images/generations", body).response(to: "POST")
      #expect(answer.text == events)
      #expect(try gateway.awaitRecords(1)[0]["output_tokens"]?.integer == 1000)
    }
  }
}
