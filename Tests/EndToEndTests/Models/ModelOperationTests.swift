import GatewayTesting
import Kernel
import Testing

/// What providers are asked beside conversations, and the list of models.
struct ModelOperationTests {
  private static let configuration = """
    ai:
      providers:
        o: { dialect: openai, url: ORIGIN, keys: ["${KEY}"] }
        az: { dialect: azure, url: ORIGIN, api_version: "2024-10-21", keys: ["${KEY}"] }
        an: { dialect: anthropic, url: ORIGIN, keys: ["${KEY}"] }
        g: { dialect: gemini, url: ORIGIN, keys: ["${KEY}"] }
      models: { small: { model: o/embed-1, fallbacks: [az/embed-2] }, claude: an/claude, flash: g/gemini-flash }
    routes: { models: { match: /*, ai: [openai, anthropic, gemini] } }
    """

  private func post(
    _ gateway: RunningGateway, _ path: String, _ body: String
  ) throws -> WireMessage {
    let client = try gateway.connect()
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  private func run(
    _ script: @escaping Origin.Script, _ body: (RunningGateway, Origin) throws -> Void
  ) throws {
    var plan = RunningGateway.Plan()
    plan.environment = [("KEY", "the-key")]
    let origin = try Origin(script)
    try withGateway(Self.configuration, to: origin, plan) { try body($0, origin) }
  }

  @Test func `embeddings and their like pass as they are, but for the model's name`() throws {
    let answer = #"{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#
    try run { connection in
      while let request = try connection.request() {
        if request.target == "/audio/speech" {
          try connection.answer("200 OK", ["Content-Type: audio/mpeg"], body: "ID3 sound")
        } else {
          try connection.answer(body: answer)
        }
      }
    } _: { gateway, origin in
      let body = #"{"input": ["a",  "b"], "model":"small", "stream": true}"#
      let embedded = try post(gateway, "/v1/embeddings", body)
      #expect(embedded.status == 200 && embedded.text == answer)
      let speech = try post(gateway, "/openai/v1/audio/speech", #"{"model":"o/tts","input":"x"}"#)
      #expect(speech.text == "ID3 sound" && speech["Content-Type"] == "audio/mpeg")
      let azure = try post(gateway, "/v1/embeddings", #"{"model":"az/e","input":"x"}"#)
      #expect(azure.status == 200)
      let requests = try origin.awaitRequests(3)
      #expect(requests[0].startLine == "POST /embeddings HTTP/1.1" && requests[0]["Authorization"] == "Bearer the-key")
      #expect(requests[0].text == body.replacing("small", with: "embed-1"))
      #expect(requests[2].startLine == "POST /openai/deployments/e/embeddings?api-version=2024-10-21 HTTP/1.1")
      #expect(requests[2]["api-key"] == "the-key")
      let records = try gateway.awaitRecords(3)
      #expect(records[0]["input_tokens"]?.integer == 8 && records[0]["provider_model"]?.string == "embed-1")
    }
  }

  @Test func `tokens are counted and contents embedded by who can`() throws {
    try run { connection in
      while try connection.request() != nil { try connection.answer(body: #"{"input_tokens":14}"#) }
    } _: { gateway, origin in
      let counted = try post(gateway, "/v1/messages/count_tokens", #"{"model":"claude","messages":[]}"#)
      #expect(counted.text == #"{"input_tokens":14}"#)
      let batch = #"{"requests":[{"model":"models/flash","content":{}},{"model":"models/flash"}]}"#
      let embedded = try post(gateway, "/v1beta/models/flash:batchEmbedContents", batch)
      #expect(embedded.status == 200)
      let requests = try origin.awaitRequests(2)
      #expect(requests[0].startLine == "POST /v1/messages/count_tokens HTTP/1.1")
      #expect(requests[0]["anthropic-version"] != nil && requests[0].text.contains(#""model":"claude""#))
      #expect(requests[1].startLine == "POST /v1beta/models/gemini-flash:batchEmbedContents HTTP/1.1")
      #expect(requests[1].text == batch.replacing("models/flash", with: "models/gemini-flash"))
      // Nobody is asked for what its dialect does not have.
      let other = try post(gateway, "/v1/messages/count_tokens", #"{"model":"small","messages":[]}"#)
      #expect(other.status == 400 && other.text.contains(#""type":"error""#) && origin.requests.count == 2)
    }
  }

  @Test func `embeddings have fallbacks too`() throws {
    try run { connection in
      while let request = try connection.request() {
        if request.target == "/embeddings" {
          try connection.answer("503 Service Unavailable", body: "busy")
        } else {
          try connection.answer(body: #"{"data":[]}"#)
        }
      }
    } _: { gateway, _ in
      let answer = try post(gateway, "/v1/embeddings", #"{"model":"small","input":"x"}"#)
      #expect(answer.text == #"{"data":[]}"#)
      let records = try gateway.awaitRecords(1)
      #expect(records[0]["tried"]?.string == "o/embed-1 503" && records[0]["provider"]?.string == "az")
    }
  }

  @Test func `the list of models has the shape that its caller knows`() throws {
    try run { _ in
    } _: { gateway, _ in
      let openai = try gateway.get("/v1/models")
      #expect(openai.text.contains(#"{"object":"list","data":[{"id":"small""#))
      let google = try gateway.get("/v1beta/models")
      #expect(google.text.hasPrefix(#"{"models":[{"name":"models/small","displayName":"small""#))
      for (field, start) in [
        ("anthropic-version: 2023-06-01", #"{"data":[{"id":"small","type":"model""#),
        ("x-goog-api-key: x", #"{"models":[{"name":"models/small""#),
      ] {
        let client = try gateway.connect()
        try client.send("GET /v1/models HTTP/1.1", ["Host: a", field])
        #expect(try client.response(to: "GET").text.hasPrefix(start))
      }
    }
  }

  @Test(arguments: [
    ("/v1/models/small", "", #"{"id":"small","object":"model""#),
    ("/v1/models/o/any-1.5:x", "", #"{"id":"o/any-1.5:x","object":"model""#),
    ("/v1beta/models/small", "", #"{"name":"models/small","displayName":"small""#),
    ("/v1/models/small", "anthropic-version: 2023-06-01", #"{"id":"small","type":"model""#),
  ])
  func `one of the models is told in the same shape`(_ path: String, _ field: String, _ start: String) throws {
    try run { _ in
    } _: { gateway, _ in
      let client = try gateway.connect()
      try client.send("GET \(path) HTTP/1.1", field.isEmpty ? ["Host: a"] : ["Host: a", field])
      let answer = try client.response(to: "GET")
      #expect(answer.status == 200 && answer.text.hasPrefix(start), "\(answer.text)")
      let unknown = try gateway.get(path.replacing("small", with: "large").replacing("/o/", with: "/nobody/"))
      #expect(unknown.status == 404 && unknown.text.contains("error"))
      try client.send("DELETE \(path) HTTP/1.1", ["Host: a"])
      #expect(try client.response(to: "DELETE").status == 405)
    }
  }

  @Test func `a plugin may have edited the body before`() throws {
    var plan = RunningGateway.Plan()
    plan.environment = [("KEY", "the-key")]
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer(body: #"{"data":[]}"#) }
    }
    let text = Self.configuration.replacing(
      "match: /*,", with: "match: /*, plugins: [{ transform: { request: { set: { body.input: masked } } } }],")
    try withGateway(text, to: origin, plan) { gateway in
      let body = #"{"model":"small","input":"x"}"#
      let answer = try post(gateway, "/v1/embeddings", body)
      let sent = try origin.awaitRequests(1)[0].text
      #expect(answer.status == 200 && sent == #"{"model":"embed-1","input":"masked"}"#)
    }
  }
}
