import GatewayTesting
import Kernel
import Testing

@testable import AI

/// Amazon Bedrock's Converse, and the binary stream that its answers come in.
struct BedrockTests {
  private func request(_ front: Front) throws -> ProviderRequest {
    try Wire.request(front, Samples.streaming(front), to: .bedrock)
  }

  @Test(arguments: Front.allCases)
  func `a stream says the same, however it is cut into reads`(_ front: Front) throws {
    let request = try request(front)
    let bytes = BedrockSamples.stream
    let whole = Wire.stream([bytes], request)
    let heard = try Heard(front, whole)
    #expect(heard.text == "Hello 😀" && heard.tools == ["get_weather"])
    #expect(heard.arguments == [#"{"city":"Paris"}"#])
    #expect(heard.isComplete && heard.error.isEmpty && heard.output == 5 && heard.input == 18)
    #expect(Wire.stream(bytes.map { [$0] }, request) == whole)
    for cut in bytes.indices { #expect(Wire.stream([Array(bytes[..<cut]), Array(bytes[cut...])], request) == whole) }
  }

  @Test(arguments: Front.allCases)
  func `a stream that breaks off ends in an error event, unless the model had finished`(_ front: Front) throws {
    let request = try request(front)
    for cut in BedrockSamples.stream.indices {
      let heard = try Heard(front, Wire.stream([Array(BedrockSamples.stream[..<cut])], request))
      #expect(heard.error.isEmpty == heard.isComplete, "cut at \(cut)")
      if cut < 900 { #expect(!heard.isComplete) }
    }
  }

  @Test func `an octet that was changed anywhere is noticed`() throws {
    let request = try request(.chat)
    for index in BedrockSamples.stream.indices {
      var bytes = BedrockSamples.stream
      bytes[index] ^= 0x10
      var answer = ProviderAnswer(request, head: AnswerHead())
      var out = ByteBuffer()
      answer.take(bytes.span, into: &out)
      answer.end(into: &out)
      // Behind the reason to finish nothing but the usage can be lost.
      #expect(answer.failure != nil, "octet \(index)")
    }
  }

  @Test(arguments: [
    [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 15, 0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    [0, 0, 0, 32, 0, 0, 0, 17], [0, 0, 0, 32, 0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0, 0, 0, 0, 0, 0, 0],
  ])
  func `lengths that lie are refused before anything is kept`(_ prelude: [UInt8]) {
    var bytes = prelude
    let checksum = CRC32.checksum(prelude.span)
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: checksum >> UInt32(shift))) }
    bytes += [UInt8](repeating: 0, count: 64)
    var events = BinaryEvents()
    var position = 0
    #expect(throws: BinaryEvents.Malformed.self) { while try events.next(bytes.span, at: &position) {} }
    #expect(position <= 12)
  }

  @Test func `headers of every type are passed over, and none reaches beyond its place`() throws {
    let values: [[UInt8]] = [
      [0], [1], [2, 9], [3, 9, 9], [4, 9, 9, 9, 9], [5] + Array(repeating: 9, count: 8), [6, 0, 2, 9, 9],
      [8] + Array(repeating: 9, count: 8), [9] + Array(repeating: 9, count: 16),
    ]
    let name: [UInt8] = [11] + Array(":event-type".utf8) + [7, 0, 4] + Array("stop".utf8)
    for value in values {
      let headers = [1, UInt8(ascii: "x")] + value + name
      var events = BinaryEvents()
      var position = 0
      #expect(try events.next(message(headers, Array("{}".utf8)).span, at: &position))
      #expect(events.eventName == "stop" && events.eventData == Array("{}".utf8))
      for length in headers.indices.dropFirst() {
        var events = BinaryEvents()
        var position = 0
        _ = try? events.next(message(Array(headers[..<length]), []).span, at: &position)
      }
    }
    var unknown = BinaryEvents()
    var position = 0
    #expect(throws: BinaryEvents.Malformed.self) {
      _ = try unknown.next(message([1, UInt8(ascii: "x"), 10], []).span, at: &position)
    }
  }

  private func message(_ headers: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    func word(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) } }
    var bytes = word(UInt32(16 + headers.count + payload.count)) + word(UInt32(headers.count))
    bytes += word(CRC32.checksum(bytes.span))
    bytes += headers + payload
    return bytes + word(CRC32.checksum(bytes.span))
  }

  @Test(arguments: Front.allCases)
  func `an exception within a stream is told in the client's dialect`(_ front: Front) throws {
    let heard = try Heard(front, Wire.stream([BedrockSamples.exception], try request(front)))
    #expect(heard.error == "Slow down" && !heard.isComplete)
  }

  @Test(arguments: Front.allCases)
  func `a whole answer becomes the client's`(_ front: Front) throws {
    var answer = ProviderAnswer(try request(front), head: AnswerHead(id: "id-1", model: "asked", created: 1))
    var out = ByteBuffer()
    #expect(answer.translate(Array(BedrockSamples.answer.utf8), status: 200, into: &out) == 200)
    #expect(answer.usage == Usage(input: 19, cachedInput: 6, writtenInput: 1, output: 5))
    let text = Wire.text(out)
    #expect(text.contains("Hello") && text.contains("get_weather") && text.contains("Paris"))
  }

  @Test func `a schema for the answer is asked for as a tool, whose arguments are the answer`() throws {
    let body =
      #"{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"mood","schema":{"type":"object"}}}}"#
    let asked = try ModelRequest(.chat, body: Array(body.utf8)).prepare(for: .bedrock, model: "m")
    let text = String(decoding: asked.body, as: UTF8.self)
    #expect(text.contains(#""toolSpec":{"name":"mood","inputSchema":{"json":{"type":"object"}}}"#))
    #expect(text.contains(#""toolChoice":{"tool":{"name":"mood"}}"#))
    for (content, said) in [
      (#"{"text":"So:"},{"toolUse":{"toolUseId":"t","name":"mood","input":{"a":1}}}"#, #"{\"a\":1}"#),
      (#"{"text":"No."}"#, "No."),
    ] {
      let given = #"{"output":{"message":{"role":"assistant","content":[\#(content)]}},"stopReason":"tool_use"}"#
      var answer = ProviderAnswer(asked, head: AnswerHead(id: "i", model: "m", created: 1))
      var out = ByteBuffer(capacity: 256)
      #expect(answer.translate(Array(given.utf8), status: 200, into: &out) == 200)
      let span = out.span
      let told = String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
      #expect(told.contains(#""content":"\#(said)""#) && !told.contains("tool_calls\":["), "\(told)")
    }
  }

  @Test(arguments: Front.allCases)
  func `and so in a stream, of which no tool is left`(_ front: Front) throws {
    let structured = Samples.requests(front)[3]
    #expect(structured.what == "structured")
    let body = front == .generate ? structured.body : "{\"stream\":true," + structured.body.dropFirst()
    let request = try Wire.request(front, body, to: .bedrock)
    let whole = Wire.stream([BedrockSamples.stream], request)
    let heard = try Heard(front, whole)
    #expect(heard.tools.isEmpty && heard.text.hasSuffix(#"{"city":"Paris"}"#), "\(whole)")
    #expect(heard.finish == [.chat: "stop", .messages: "end_turn", .generate: "STOP", .responses: "completed"][front])
    #expect(heard.isComplete && heard.error.isEmpty)
    #expect(Wire.stream(BedrockSamples.stream.map { [$0] }, request) == whole)
  }

  @Test func `errors keep their meaning`() throws {
    let request = try request(.messages)
    for (status, kind) in [(403, "permission_error"), (429, "rate_limit_error"), (400, "invalid_request_error")] {
      let (answered, body) = Wire.answer(#"{"message":"No"}"#, request, status: status)
      #expect(answered == status && body.contains(kind) && body.contains(#""message":"No""#))
    }
    var answer = ProviderAnswer(request, head: AnswerHead())
    var out = ByteBuffer()
    _ = answer.translate(
      Array(#"{"message":"Input is too long for requested model."}"#.utf8), status: 400, into: &out)
    #expect(answer.failure?.exceedsContext == true)
  }

  @Test func `tools, their results and images are said as Converse has them`() throws {
    let body = Wire.body(try Wire.request(.chat, ChatSamples.tools, to: .bedrock, unsupported: .drop))
    let json = try JSONValue(parsing: body)
    guard case .array(let turns)? = json["messages"], turns.count == 3 else {
      Issue.record("not three turns: \(body)")
      return
    }
    #expect(turns.map { $0["role"]?.string } == ["user", "assistant", "user"])
    #expect(
      turns[2]["content"]
        == (try JSONValue(
          parsing:
            #"[{"toolResult":{"toolUseId":"call_1","content":[{"text":"18 C"}]}},{"toolResult":{"toolUseId":"call_2","content":[{"text":"24 C"}]}},{"text":"Which is warmer?"}]"#
        )))
    #expect(body.contains(#"{"toolUse":{"toolUseId":"call_1","name":"get_weather","input":{"city":"Paris"}}}"#))
    #expect(body.contains(#""toolSpec":{"name":"get_weather""#) && body.contains(#""toolChoice":{"any":{}}"#))
    #expect(!body.contains(#""model""#))
    let image = Wire.body(try Wire.request(.messages, MessagesSamples.image, to: .bedrock, unsupported: .drop))
    #expect(image.contains(#"{"image":{"format":"jpeg","source":{"bytes":"/9j/4AAQ"}}}"#))
    #expect(image.contains(#"{"document":{"format":"pdf","name":"a pdf","source":{"bytes":"JVBERi0="}}}"#))
  }

  private static let kept = #"""
    {"model":"m","max_tokens":9,"system":[{"type":"text","text":"A"},{"type":"text","text":"B","cache_control":{"type":"ephemeral"}}],
    "tools":[{"name":"t","input_schema":{},"cache_control":{"type":"ephemeral","ttl":"5m"}},{"name":"u","input_schema":{}}],
    "messages":[{"role":"user","content":"one"},{"role":"user","content":[{"type":"text","text":"two","cache_control":{"type":"ephemeral"}},
    {"type":"text","text":"three"}]}],"top_k":5,"thinking":{"type":"enabled","budget_tokens":2048}}
    """#.compact

  @Test func `where the prompt is to be kept is said in Converse's words`() throws {
    let body = Wire.body(try Wire.request(.messages, Self.kept, to: .bedrock, model: "eu.anthropic.claude-x"))
    let point = #"{"cachePoint":{"type":"default"}}"#
    #expect(body.contains(#""system":[{"text":"A"},{"text":"B"},\#(point)]"#), "\(body)")
    #expect(body.contains(#""content":[{"text":"one"},{"text":"two"},\#(point),{"text":"three"}]"#))
    #expect(body.contains(#"{"toolSpec":{"name":"t","inputSchema":{"json":{}}}},\#(point),{"toolSpec":{"name":"u""#))
    #expect(
      body.contains(#""additionalModelRequestFields":{"top_k":5,"thinking":{"type":"enabled","budget_tokens":2048}}"#))
  }

  @Test(arguments: [Back.openai, .gemini])
  func `others cannot be told where to keep the prompt`(_ back: Back) throws {
    let body = Self.kept.replacing(#","top_k":5,"thinking":{"type":"enabled","budget_tokens":2048}"#, with: "")
    let refusal = #expect(throws: Refusal.self) { try Wire.request(.messages, body, to: back) }
    #expect(refusal?.field?.hasSuffix(".cache_control") == true)
    let dropped = try Wire.request(.messages, body, to: back, unsupported: .drop).dropped
    #expect(
      dropped.sorted() == [
        "messages[1].content[0].cache_control", "system[1].cache_control", "tools[0].cache_control",
      ])
  }

  @Test func `what only some of Bedrock's models know is refused for others, as are other times to keep a prompt`() {
    for (body, field) in [
      (Self.kept, "top_k"), (Self.kept.replacing(#""top_k":5,"#, with: ""), "thinking"),
      (Self.kept.replacing("5m", with: "1h"), "tools[0].cache_control"),
    ] {
      let model = field.hasSuffix("control") ? "anthropic.x" : "amazon.nova"
      let refusal = #expect(throws: Refusal.self) { try Wire.request(.messages, body, to: .bedrock, model: model) }
      #expect(refusal?.field == field)
    }
  }

  @Test func `what Converse cannot say is refused by its name`() {
    for (field, value) in [
      ("seed", "1"), ("response_format", #"{"type":"json_object"}"#), ("user", #""u""#), ("frequency_penalty", "1"),
    ] {
      let body = #"{"model":"m","messages":[{"role":"user","content":"x"}],"\#(field)":\#(value)}"#
      #expect(throws: Refusal.self, "\(field)") { try Wire.request(.chat, body, to: .bedrock) }
    }
  }

  @Test func `newer models of Anthropic's are asked for a schema in Bedrock's own word, beside tools too`() throws {
    let body =
      #"{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}],"response_format":{"type":"json_schema","json_schema":{"name":"mood","description":"How","schema":{"type":"object"}}}}"#
    let said = Wire.body(
      try Wire.request(.chat, body, to: .bedrock, model: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"))
    #expect(
      said.contains(
        #""outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"mood","description":"How"}}}}"#
      ), "\(said)")
    #expect(!said.contains(#""name":"mood","inputSchema""#))
    let older = #expect(throws: Refusal.self) {
      try Wire.request(.chat, body, to: .bedrock, model: "anthropic.claude-3-5-sonnet-20240620-v1:0")
    }
    #expect(older?.field == "response_format")
  }
}
