import AI
import GatewayTesting
import Kernel
import Testing

struct AnswerTranslationTests {
  /// Every third place to cut at, another third for each pair, so that all fronts together meet every place of a back.
  private static func cuts(of bytes: [UInt8], _ front: Front, _ back: Back) -> StrideThrough<Int> {
    let offset = (Front.allCases.firstIndex(of: front) ?? 0) + (Back.textual.firstIndex(of: back) ?? 0)
    return stride(from: offset % 3, through: bytes.count, by: 3)
  }

  private func request(_ front: Front, _ back: Back) throws -> ProviderRequest {
    try Wire.request(front, Samples.streaming(front), to: back)
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `a stream says the same in every dialect, however it is cut into reads`(_ front: Front, _ back: Back) throws {
    let request = try request(front, back)
    for ends in ["\n", "\r\n"] {
      let bytes = Array(Samples.stream(back).withLineEnds(ends).utf8)
      let whole = Wire.stream([bytes], request).unixLines
      let heard = try Heard(front, whole)
      #expect(heard.text == "Hello 😀")
      #expect(
        heard.finish == [.chat: "stop", .messages: "end_turn", .generate: "STOP", .responses: "completed"][front])
      #expect(heard.isComplete && heard.error.isEmpty)
      #expect(heard.output == (back == .openai ? 5 : 15))
      #expect(Wire.stream(bytes.map { [$0] }, request).unixLines == whole)
      for cut in Self.cuts(of: bytes, front, back) {
        #expect(Wire.stream([Array(bytes[..<cut]), Array(bytes[cut...])], request).unixLines == whole)
      }
    }
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `tool calls of a stream arrive with their arguments`(_ front: Front, _ back: Back) throws {
    let heard = try Heard(front, Wire.stream(Samples.streamWithTools(back), try request(front, back)))
    #expect(heard.text == "Let me see.")
    #expect(heard.tools == (back == .openai ? ["get_weather", "now"] : ["get_weather"]))
    #expect(heard.arguments.first == #"{"city":"Paris"}"#)
    #expect(
      heard.finish == [.chat: "tool_calls", .messages: "tool_use", .generate: "STOP", .responses: "completed"][front])
    #expect(heard.isComplete)
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `a stream that breaks off at any octet ends in an error event, unless the model had finished`(
    _ front: Front, _ back: Back
  ) throws {
    let request = try request(front, back)
    for sample in [Samples.stream(back), Samples.streamWithTools(back)] {
      let bytes = Array(sample.utf8)
      let last = sample.components("\n\n").dropLast().last ?? ""
      for cut in Self.cuts(of: bytes, front, back) where cut < bytes.count - 1 {
        let heard = try Heard(front, Wire.stream([Array(bytes[..<cut])], request))
        #expect(heard.error.isEmpty == heard.isComplete, "cut at \(cut)")
        if cut < bytes.count / 2 { #expect(!heard.isComplete, "cut at \(cut)") }
      }
      #expect(!last.isEmpty)
    }
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `an error of the provider within a stream is told in the client's dialect`(_ front: Front, _ back: Back) throws {
    let heard = try Heard(front, Wire.stream(Samples.streamWithError(back), try request(front, back)))
    #expect(heard.text == "Hel")
    #expect(heard.error == (back == .openai ? "The server had an error" : "Overloaded"))
    #expect(!heard.isComplete)
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `a malformed event ends the stream with an error event`(_ front: Front, _ back: Back) throws {
    let request = try request(front, back)
    let sample = Samples.stream(back)
    let middle = try #require(sample.firstRange(of: #"{"content":"lo"#) ?? sample.firstRange(of: #""text":"lo"#))
    for broken in [
      "{", "nonsense", #"{"choices":5,"type":7}"#,
      #"{"type":"content_block_delta","choices":[{"delta":{"content":5}}]}"#,
    ] {
      let before = String(sample[..<middle.lowerBound]).components("\n\n").dropLast().joined(separator: "\n\n")
      let heard = try Heard(front, Wire.stream(before + "\n\ndata: \(broken)\n\n" + sample, request))
      #expect(heard.text == "Hel")
      #expect(!heard.error.isEmpty && !heard.isComplete)
    }
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `no mutation of a stream makes a translator trap or speak nonsense`(_ front: Front, _ back: Back) throws {
    let request = try request(front, back)
    let bytes = Array(Samples.streamWithTools(back).utf8)
    for index in stride(from: 0, to: bytes.count, by: 29) {
      for replacement: UInt8 in [0x00, 0x0A, 0x22, 0x7D, 0xFF, 0x39] {
        var mutant = bytes
        mutant[index] = replacement
        let out = Wire.stream([mutant], request)
        if front != back.native { _ = try Heard(front, out) }
      }
    }
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `a whole answer says the same in every dialect`(_ front: Front, _ back: Back) throws {
    let (status, body) = Wire.answer(Samples.answer(back), try request(front, back))
    #expect(status == 200)
    let json = try JSONValue(parsing: body)
    let text =
      switch front {
      case .chat: json.at("choices", 0, "message", "content")
      case .messages: json.at("content", .last, "text")
      case .responses: json.at("output", .last, "content", 0, "text")
      case .generate: json.at("candidates", 0, "content", "parts", .last, "text")
      }
    #expect(text?.string == "Hello 😀 there")
    let input = back == .openai ? 19 : 19
    let output = back == .openai ? 10 : 6
    switch front {
    case .chat:
      #expect(json.at("usage", "prompt_tokens")?.integer == input)
      #expect(json.at("usage", "completion_tokens")?.integer == output)
      #expect(json.at("choices", 0, "finish_reason")?.string == "stop")
    case .messages:
      let usage = json["usage"]
      let parts = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
      #expect(parts.reduce(0) { $0 + (usage?[$1]?.integer ?? 0) } == input)
      #expect(usage?["output_tokens"]?.integer == output)
      #expect(json["stop_reason"]?.string == "end_turn")
    case .responses:
      #expect(json.at("usage", "input_tokens")?.integer == input)
      #expect(json.at("usage", "output_tokens")?.integer == output)
      #expect(json["status"]?.string == "completed")
    case .generate:
      #expect(json.at("usageMetadata", "promptTokenCount")?.integer == input)
      #expect(json.at("candidates", 0, "finishReason")?.string == "STOP")
    }
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `a whole answer with a tool call keeps its arguments`(_ front: Front, _ back: Back) throws {
    let json = try JSONValue(parsing: Wire.answer(Samples.answerWithTools(back), try request(front, back)).body)
    switch front {
    case .chat:
      let call = try #require(json.at("choices", 0, "message", "tool_calls", 0, "function"))
      #expect(call["name"]?.string == "get_weather")
      let arguments = try JSONValue(parsing: try #require(call["arguments"]?.string))
      #expect(arguments["city"]?.string == "Paris")
      #expect(json.at("choices", 0, "finish_reason")?.string == "tool_calls")
    case .messages:
      let block = try #require(json.at("content", .last))
      #expect(block["input"]?["city"]?.string == "Paris")
      #expect(json["stop_reason"]?.string == "tool_use")
    case .responses:
      let call = try #require(json.at("output", .last))
      #expect(call["type"]?.string == "function_call")
      let arguments = try JSONValue(parsing: try #require(call["arguments"]?.string))
      #expect(arguments["city"]?.string == "Paris")
    case .generate:
      let call = try #require(json.at("candidates", 0, "content", "parts", .last, "functionCall"))
      #expect(call["args"]?["city"]?.string == "Paris")
    }
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `an error of the provider has the shape of the client's dialect`(_ front: Front, _ back: Back) throws {
    let (status, body) = Wire.answer(Samples.error(back), try request(front, back), status: 429)
    #expect(status == 429)
    let json = try JSONValue(parsing: body)
    #expect(json.at("error", "message")?.string?.isEmpty == false)
    #expect((json["type"]?.string == "error") == (front == .messages))
    #expect((json.at("error", "status")?.string == "RESOURCE_EXHAUSTED") == (front == .generate))
  }

  @Test(arguments: Front.allCases, Back.textual)
  func `an answer that nobody can read is an error in the client's dialect`(_ front: Front, _ back: Back) throws {
    for (text, status, expected) in [
      ("<html>Bad gateway</html>", 502, 502), ("{}", 200, 502), ("", 200, 502), ("<html>", 404, 404), ("[]", 500, 500),
      (#"{"error":{"message":"no","type":"invalid_request_error"}}"#, 200, 400),
    ] {
      let answer = Wire.answer(text, try request(front, back), status: status)
      // Google says the kind of an error in a field of its own.
      #expect(answer.status == (expected == 400 && back == .gemini ? 502 : expected), "\(text)")
      #expect(try JSONValue(parsing: answer.body).at("error", "message")?.string?.isEmpty == false)
    }
  }

  @Test func `absurd counts stay within bounds`() throws {
    let absurd = ChatSamples.answer.components(#""prompt_tokens":19"#).joined(
      separator: #""prompt_tokens":99999999999999999"#)
    var answer = ProviderAnswer(try request(.messages, .openai), head: AnswerHead())
    var out = ByteBuffer()
    _ = answer.translate(Array(absurd.utf8), status: 200, into: &out)
    #expect(answer.usage.input == 1 << 40)
    let negative = ChatSamples.answer.components(#""prompt_tokens":19"#).joined(separator: #""prompt_tokens":-5"#)
    _ = answer.translate(Array(negative.utf8), status: 200, into: &out)
    #expect(answer.usage.input == 0)
  }
}

enum Step: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  case name(String), place(Int), last
  init(stringLiteral value: String) { self = .name(value) }
  init(integerLiteral value: Int) { self = .place(value) }
}

extension JSONValue {
  /// The value at a path of names and places.
  func at(_ steps: Step...) -> JSONValue? {
    var value: JSONValue? = self
    for step in steps {
      switch (step, value) {
      case (.name(let name), let current?): value = current[name]
      case (.place(let place), .array(let elements)?): value = elements.indices.contains(place) ? elements[place] : nil
      case (.last, .array(let elements)?): value = elements.last
      default: return nil
      }
    }
    return value
  }
}
