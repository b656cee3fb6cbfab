import GatewayTesting
import Kernel
import Testing

/// Calls of models that come as a form with a file in it.
struct ModelFormTests {
  private static let configuration = """
    ai:
      providers:
        o: { dialect: openai, url: ORIGIN, keys: ["${KEY}"] }
        az: { dialect: azure, url: ORIGIN, api_version: "2024-10-21", keys: ["${KEY}"] }
        an: { dialect: anthropic, url: ORIGIN, keys: ["${KEY}"] }
      models: { ears: { model: o/whisper-1, fallbacks: [az/gpt-4o-transcribe] } }
    routes: { models: { match: /*, plugins: [PLUGINS], ai: { accept: openai, form: 64KiB } } }
    """
  private static let heard = #"{"text":"Hi","usage":{"type":"tokens","input_tokens":14,"output_tokens":2}}"#

  private func run(
    plugins: String = "", _ script: @escaping Origin.Script, _ body: (RunningGateway, Origin) throws -> Void
  ) throws {
    var plan = RunningGateway.Plan()
    plan.environment = [("KEY", "the-key")]
    let origin = try Origin(script)
    try withGateway(Self.configuration.replacing("PLUGINS", with: plugins), to: origin, plan) { try body($0, origin) }
  }

  private func part(_ name: String, _ text: String, file: Bool = false) -> String {
    let more = file ? "; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg" : ""
    return "--cut\r\nContent-Disposition: form-data; name=\"\(name)\"\(more)\r\n\r\n\(text)\r\n"
  }

  private func head(_ length: Int?) -> [String] {
    let framing = length.map { "Content-Length: \($0)" } ?? "Transfer-Encoding: chunked"
    return ["Host: a", "Content-Type: multipart/form-data; boundary=cut", framing]
  }

  private func send(_ gateway: RunningGateway, _ form: String, _ path: String = "/v1/audio/transcriptions") throws
    -> WireMessage
  {
    let client = try gateway.connect()
    try client.send("POST \(path) HTTP/1.1", head(form.utf8.count), body: form)
    return try client.response(to: "POST")
  }

  private static let answering: Origin.Script = { connection in
    while try connection.request() != nil { try connection.answer(body: heard) }
  }

  @Test func `a form passes with the provider's name of the model, wherever that stands in it`() throws {
    let file = String(repeating: "sound\r\n--", count: 4000)
    try run(Self.answering) { gateway, origin in
      let forms = [
        part("model", "ears") + part("prompt", "Names") + part("file", file, file: true) + "--cut--\r\n",
        part("file", file, file: true) + part("model", "ears") + "--cut--\r\n",
        "preamble\r\n" + part("file", "", file: true) + part("model", "ears") + "--cut--\r\nepilogue",
      ]
      for (index, form) in forms.enumerated() {
        let answer = try send(gateway, form)
        #expect(answer.status == 200 && answer.text == Self.heard)
        let request = try origin.awaitRequests(index + 1)[index]
        #expect(
          request.startLine == "POST /audio/transcriptions HTTP/1.1" && request["Authorization"] == "Bearer the-key")
        #expect(request["Content-Type"] == "multipart/form-data; boundary=cut")
        #expect(request.text == form.replacing("ears", with: "whisper-1"))
      }
      for (path, target) in [("images/edits", "images/edits"), ("audio/translations", "audio/translations")] {
        #expect(try send(gateway, part("model", "az/x") + "--cut--", "/v1/\(path)").status == 200)
        #expect(
          origin.requests.last?.startLine == "POST /openai/deployments/x/\(target)?api-version=2024-10-21 HTTP/1.1")
      }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["model"]?.string == "ears" && record["provider_model"]?.string == "whisper-1")
      #expect(record["input_tokens"]?.integer == 14 && record["output_tokens"]?.integer == 2)
      #expect(record["bytes_in"]?.integer == forms[0].utf8.count)
    }
  }

  @Test(arguments: [true, false])
  func `what follows the model is passed as it comes, and not held`(_ hasLength: Bool) throws {
    let rest = String(repeating: "0123456789abcdef", count: 60_000) + "\r\n--cut--\r\n"
    let begin = String((part("model", "ears") + part("file", "first", file: true)).dropLast(2))
    let begun = Lock(false)
    let body = Lock("")
    try run { connection in
      guard var request = try connection.requestHead() else { return }
      begun.withLock { $0 = true }
      try connection.reader.readBody(of: &request)
      body.withLock { $0 = request.text }
      try connection.answer(body: Self.heard)
    } _: { gateway, _ in
      let client = try gateway.connect()
      try client.send(
        "POST /v1/audio/transcriptions HTTP/1.1", head(hasLength ? begin.utf8.count + rest.utf8.count : nil))
      func send(_ text: String) throws {
        try client.send(hasLength ? text : String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n")
      }
      try send(begin)
      #expect(Deadline.usual.poll { begun.withLock { $0 } }, "the provider has the beginning before the end was sent")
      try send(rest)
      if !hasLength { try client.send("0\r\n\r\n") }
      #expect(try client.response(to: "POST").text == Self.heard)
      #expect(body.withLock { $0 } == (begin + rest).replacing("ears", with: "whisper-1"))
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["bytes_in"]?.integer == begin.utf8.count + rest.utf8.count)
    }
  }

  @Test func `another provider is asked as long as the whole form is there`() throws {
    try run { connection in
      while let request = try connection.request() {
        if request.target.hasPrefix("/openai") {
          try connection.answer(body: Self.heard)
        } else {
          try connection.answer("503 Service Unavailable", body: #"{"error":{"message":"Busy"}}"#)
        }
      }
    } _: { gateway, origin in
      let small = part("model", "ears") + part("file", "abc", file: true) + "--cut--\r\n"
      #expect(try send(gateway, small).status == 200)
      #expect(origin.requests.map(\.text).last == small.replacing("ears", with: "gpt-4o-transcribe"))
      let large =
        part("model", "ears") + part("file", String(repeating: "x", count: 1 << 20), file: true) + "--cut--\r\n"
      let answer = try send(gateway, large)
      #expect(answer.status == 503 && answer.text.contains("Busy") && origin.requests.count == 3)
    }
  }

  @Test func `a form that names its model late, twice or never is refused`() throws {
    try run(Self.answering) { gateway, origin in
      let late = part("file", String(repeating: "x", count: 200_000), file: true) + part("model", "ears") + "--cut--"
      for (form, what) in [
        (late, "before the file"), (part("file", "x", file: true) + "--cut--", "missing"),
        (part("model", "ears") + part("model", "o/x") + "--cut--", "twice"), (part("model", "ears"), "breaks off"),
        (part("model", "an/claude") + "--cut--", "audio"),
      ] {
        let answer = try send(gateway, form)
        #expect(answer.status == 400 && answer.text.contains(what), "\(what): \(answer.text)")
      }
      #expect(try send(gateway, part("model", "none") + "--cut--").status == 404)
      #expect(origin.requests.isEmpty)
      // What was priced and allowed is not what a provider would do that reads the last of two.
      let sneaky =
        part("model", "ears") + part("file", String(repeating: "x", count: 200_000), file: true)
        + part("model", "o/expensive") + "--cut--"
      let answer = try send(gateway, sneaky)
      #expect(answer.status == 400 && answer.text.contains("again"), "\(answer.text)")
      #expect(origin.requests.isEmpty, "the provider never has the whole")
    }
  }

  @Test func `guardrails read the texts of the whole form, and limits count`() throws {
    try run(
      plugins:
        "{ guardrails: { deny: [forbidden], mask: [email] } }, { token_limit: { tokens: 2000/month, key: ip, name: team, answer: 100 } }",
      Self.answering
    ) {
      gateway, origin in
      let file = part("file", String(repeating: "x", count: 100_000), file: true)
      for text in ["something forbidden", "ann@example.com"] {
        let answer = try send(gateway, part("model", "ears") + file + part("prompt", text) + "--cut--")
        #expect(answer.status == 403, "\(answer.text)")
      }
      #expect(origin.requests.isEmpty)
      let fine = part("model", "ears") + file + part("prompt", "fine") + "--cut--"
      var statuses: [Int] = []
      for _ in 0..<200 where statuses.last ?? 200 == 200 { statuses.append(try send(gateway, fine).status) }
      // Each uses 16 of them, and reserves more.
      #expect(statuses.last == 429 && statuses.count > 10, "\(statuses.count)")
    }
  }
}
