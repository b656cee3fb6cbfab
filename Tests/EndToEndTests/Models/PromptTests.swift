import GatewayTesting
import Kernel
import Testing

/// Prompts as endpoints, against a scripted provider: what it is asked, and what becomes of what it answers.
struct PromptTests {
  private static let configuration = #"""
    admin: "127.0.0.1:${ADMIN_PORT}"
    ai:
      providers:
        p: { dialect: openai, url: "http://127.0.0.1:HERE" }
        a: { dialect: anthropic, url: "http://127.0.0.1:HERE" }
        gone: { dialect: openai, url: "http://127.0.0.1:1", keys: ["${NOT_SET_ANYWHERE}"], optional: true }
      models: { fast: { model: p/real }, back: { model: a/claude }, nobody: { model: gone/x } }
      prices: { p/real: { input: 1, output: 2 } }
      prompts:
        triage:
          current: 2
          versions:
            1: { model: fast, user: "Say: {{text}}", inputs: { text: string } }
            2:
              model: fast
              inputs: { text: { type: string, maximum: 20B }, language: { type: string, default: en, choices: [en, de] }, tags: { type: list, maximum: 2, optional: true } }
              system: "Answer in {{language}}."
              user: "{{text}}{{#tags}} #{{.}}{{/tags}}"
              output: { schema: { type: object, properties: { mood: { enum: [good, bad] } }, required: [mood], additionalProperties: false } }
              temperature: 0
              max_tokens: 50
        kept: { versions: { 1: { model: fast, user: "{{text}}", inputs: { text: string }, cache: 1h } } }
        other: { versions: { 1: { model: back, user: "x", output: { schema: { type: object, required: [mood] } } } } }
        lost: { versions: { 1: { model: nobody, user: "x" } } }
    routes:
      triage: { match: [POST /ai/triage, "POST /ai/triage@{version}"], ai: { prompt: triage } }
      kept: { match: POST /ai/kept, ai: { prompt: kept } }
      other: { match: POST /ai/other, ai: { prompt: other } }
      lost: { match: POST /ai/lost, ai: { prompt: lost } }
      description: { match: GET /ai/openapi.json, ai: { openapi: true } }
    """#

  private static func whole(_ text: String) -> String {
    let content = text.replacing("\"", with: "\\\"")
    return
      #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\#(content)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#
  }

  private func post(_ gateway: RunningGateway, _ path: String, _ body: String) throws -> WireMessage {
    let client = try gateway.connect()
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  private func run(_ origin: Origin, _ body: (RunningGateway) throws -> Void) throws {
    try withGateway(
      Self.configuration.replacing("HERE", with: "\(origin.port)"), to: origin, RunningGateway.Plan(), body)
  }

  /// An origin that gives these answers one after the other.
  private func origin(_ answers: [String], status: String = "200 OK", _ fields: [String] = []) throws -> Origin {
    let next = Lock(0)
    return try Origin { connection in
      while try connection.request() != nil {
        let number = next.withLock { value -> Int in
          defer { value += 1 }
          return value
        }
        try connection.answer(status, fields, body: answers[min(number, answers.count - 1)])
      }
    }
  }

  @Test func `inputs become the model's request, and its output the answer`() throws {
    let origin = try origin([Self.whole(#" {"mood":"good"}\n"#), Self.whole("fine")])
    try run(origin) { gateway in
      let answer = try post(gateway, "/ai/triage", #"{"text":"a {{language}}","tags":["x","y"]}"#)
      #expect(answer.status == 200 && answer.text == #"{"mood":"good"}"#)
      #expect(answer["Content-Type"] == "application/json")
      let first = try post(gateway, "/ai/triage@1", #"{"text":"Hello"}"#)
      #expect(first.text == #"{"text":"fine"}"#)
      let requests = try origin.awaitRequests(2)
      let text = requests[0].text
      #expect(text.contains(#"{"role":"system","content":"Answer in en."}"#))
      #expect(text.contains(##"{"role":"user","content":"a {{language}} #x #y"}"##))
      #expect(
        text.contains(
          #""response_format":{"type":"json_schema","json_schema":{"name":"triage","schema":{"type":"object""#))
      #expect(text.contains(#""temperature":0,"max_completion_tokens":50"#) && text.contains(#""model":"real""#))
      #expect(requests[1].text == #"{"model":"real","messages":[{"role":"user","content":"Say: Hello"}]}"#)
      let records = try gateway.awaitRecords(2)
      #expect(records[0]["prompt"]?.string == "triage@2" && records[1]["prompt"]?.string == "triage@1")
      #expect(records[0]["model"]?.string == "fast" && records[0]["cost_nanousd"]?.integer == 10 * 1000 + 3 * 2000)
    }
  }

  @Test func `inputs that are not as declared are refused with their places, and nobody is asked`() throws {
    let origin = try origin([Self.whole("x")])
    try run(origin) { gateway in
      let cases: [(String, Int, String)] = [
        ("", 400, "unreadable_inputs"), ("[1]", 400, "unreadable_inputs"), ("{", 400, "unreadable_inputs"),
        (#"{"text":"a","text":"b"}"#, 400, "unreadable_inputs"), ("{}", 422, #""pointer":"""#),
        (#"{"text":1}"#, 422, #""pointer":"/text""#), (#"{"text":"a","more":1}"#, 422, #""pointer":"/more""#),
        (#"{"text":"a","language":"fr"}"#, 422, #""pointer":"/language""#),
        (#"{"text":"a","tags":["1","2","3"]}"#, 422, #""pointer":"/tags""#),
        (#"{"text":"a","tags":[1]}"#, 422, #""pointer":"/tags/0""#),
        // Ten characters, and more bytes than the input may have.
        (#"{"text":"€€€€€€€€€€"}"#, 422, "is longer than 20B"),
      ]
      for (number, (body, status, part)) in cases.enumerated() {
        let answer = try post(gateway, "/ai/triage", body)
        #expect(answer.status == status && answer.text.contains(part), "\(body): \(answer.text)")
        #expect(answer["Content-Type"] == "application/problem+json" && answer["X-Fault"] == "client")
        let record = try gateway.awaitRecords(number + 1)[number]
        #expect(record["prompt"]?.string == "triage@2")
      }
      #expect(try post(gateway, "/ai/triage@3", "{}").text.contains("unknown_prompt_version"))
      #expect(try post(gateway, "/ai/lost", "{}").text.contains("prompt_unavailable"))
      #expect(origin.requests.isEmpty)
    }
  }

  @Test func `an output in a code block, or in pieces beside thoughts, is the output`() throws {
    let pieces = Self.whole("").replacing(
      #""content":"""#,
      with:
        #""content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]},{"type":"text","text":"{\"mood\":\"bad\"}"}]"#
    )
    let answers = [#"```json\n{"mood":"good"}\n```"#, #"```\n{"mood":"good"} ```\n"#].map(Self.whole) + [pieces]
    let origin = try origin(answers)
    try run(origin) { gateway in
      for mood in ["good", "good", "bad"] {
        let answer = try post(gateway, "/ai/triage", #"{"text":"a"}"#)
        #expect(answer.text == #"{"mood":"\#(mood)"}"#)
      }
      #expect(origin.requests.count == 3)
    }
  }

  @Test func `an answer that violates the schema is mended once by the model, and both answers count`() throws {
    let origin = try origin([Self.whole(#"{"mood":"meh"}"#), Self.whole(#"{"mood":"bad"}"#)])
    try run(origin) { gateway in
      let answer = try post(gateway, "/ai/triage", #"{"text":"a"}"#)
      #expect(answer.status == 200 && answer.text == #"{"mood":"bad"}"#)
      let second = try origin.awaitRequests(2)[1].text
      #expect(second.contains(#"{"role":"assistant","content":"{\"mood\":\"meh\"}"}"#))
      #expect(second.contains(#"- \"/mood\": "#))
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["input_tokens"]?.integer == 20 && record["output_tokens"]?.integer == 6)
      #expect(record["tried"]?.string == "p/real invalid_output" && record["reason"] == nil)
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_prompt_calls_total{prompt="triage",version="2",outcome="repaired"} 1"#))
      #expect(
        metrics.contains(#"sluice_prompt_tokens_total{prompt="triage",version="2",gen_ai_token_type="input"} 20"#))
    }
  }

  @Test(arguments: [#"{"mood":"meh"}"#, "nonsense", ""])
  func `a second answer that is none either is a fault of the upstream's`(_ text: String) throws {
    let origin = try origin([Self.whole(text)])
    try run(origin) { gateway in
      let answer = try post(gateway, "/ai/triage", #"{"text":"a"}"#)
      #expect(answer.status == 502 && answer["X-Fault"] == "upstream" && answer.text.contains("invalid_output"))
      #expect(try origin.awaitRequests(2).count == 2)
      #expect(try gateway.awaitRecords(1)[0]["output_tokens"]?.integer == 6)
    }
  }

  @Test func `a provider's failure is told as the gateway's own page, with its Retry-After`() throws {
    let origin = try origin(
      [#"{"error":{"message":"of the provider's"}}"#], status: "429 Too Many Requests", ["Retry-After: 30"])
    try run(origin) { gateway in
      let answer = try post(gateway, "/ai/triage", #"{"text":"a"}"#)
      #expect(answer.status == 502 && answer["X-Fault"] == "upstream" && answer["Retry-After"] == "30")
      #expect(answer["Content-Type"] == "application/problem+json" && !answer.text.contains("provider's"))
    }
  }

  @Test func `a prompt of another back's model asks in that back's own way`() throws {
    let origin = try origin([
      #"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"{\"mood\":1}"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}"#
    ])
    try run(origin) { gateway in
      #expect(try post(gateway, "/ai/other", "{}").text == #"{"mood":1}"#)
      let request = try origin.awaitRequests(1)[0]
      #expect(
        request.target == "/v1/messages" && request.text.contains(#""output_config":{"format":{"type":"json_schema""#))
    }
  }

  @Test func `what is kept is given again for the same inputs, and costs nothing`() throws {
    let origin = try origin([Self.whole("one"), Self.whole("two")])
    try run(origin) { gateway in
      let answers = try ["a", "a", "b"].map { try post(gateway, "/ai/kept", #"{"text":"\#($0)"}"#) }
      #expect(answers.map(\.text) == [#"{"text":"one"}"#, #"{"text":"one"}"#, #"{"text":"two"}"#])
      #expect(answers.map { $0["X-Cache"] } == ["miss", "hit", "miss"])
      #expect(origin.requests.count == 2)
      let records = try gateway.awaitRecords(3)
      #expect(records.map { $0["cache"]?.string } == ["miss", "hit", "miss"])
      #expect(records[1]["input_tokens"] == nil && records[1]["prompt"]?.string == "kept@1")
    }
  }

  @Test func `the description has every route with a prompt`() throws {
    let origin = try origin([Self.whole("x")])
    try run(origin) { gateway in
      let answer = try gateway.get("/ai/openapi.json")
      #expect(answer.status == 200 && answer["Content-Type"] == "application/json")
      let document = try JSONValue(parsing: answer.text)
      #expect(document["openapi"]?.string == "3.1.0")
      for path in ["/ai/triage", "/ai/triage@{version}", "/ai/kept", "/ai/other", "/ai/lost"] {
        #expect(document["paths"]?[path]?["post"]?["requestBody"] != nil, "\(path)")
      }
      #expect(
        answer.text.contains(
          #"{"name":"version","in":"path","required":true,"schema":{"type":"string","enum":["1","2"]}}"#))
      let inputs = document["components"]?["schemas"]?["triage.2.inputs"]?["properties"]
      #expect(inputs?["language"]?["default"]?.string == "en")
    }
  }
}
