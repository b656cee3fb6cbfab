import AI
import Detection
import GatewayTesting
import Kernel
import Testing

/// Answers whose texts go through filters: what a client hears is filtered, and its dialect stays whole.
@Suite struct AnswerScreenTests {
  /// Masks addresses and ends the answer before the word `forbidden`.
  private final class Word: TextFilter {
    private var held: [UInt8] = []
    private(set) var broken: BrokenRule?

    func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
      for index in piece.indices { held.append(piece[index]) }
      let word = Array("forbidden".utf8)
      if let range = held.firstRange(of: word) {
        out += held[..<range.lowerBound]
        broken = BrokenRule(name: "word", note: "A word.")
        return
      }
      let kept = isEnd ? 0 : (0..<word.count).last { held.suffix($0).elementsEqual(word.prefix($0)) } ?? 0
      out += held.dropLast(kept)
      held.removeFirst(held.count - kept)
    }
  }

  private static func filter() -> any TextFilter {
    FilterChain([Word(), MaskFilter(DetectorSet([.email, .card])) { kind, _ in "<\(kind.rawValue)>" }])
  }

  private static func screened(_ front: Front, longest: Int? = nil) throws -> ProviderAnswer {
    let request = try Wire.request(front, Samples.streaming(front), to: .openai)
    var answer = ProviderAnswer(request, head: AnswerHead(id: "id-1", model: "asked-for", created: 1_700_000_000))
    answer.pass(
      through: AnswerScreen(
        front, longest: longest.map { ($0, BrokenRule(name: "long", note: "It is long.")) }, Self.filter))
    return answer
  }

  /// A provider's stream that says each text in pieces of so many characters.
  private static func stream(_ text: String, arguments: String = "", step: Int, finish: Bool = true) -> String {
    func event(_ delta: String, _ reason: String = "null") -> String {
      #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}]}"#
        + "\n\n"
    }
    func pieces(_ text: String) -> [String] {
      let characters = Array(text)
      return stride(from: 0, to: characters.count, by: step).map {
        String(characters[$0..<min($0 + step, characters.count)])
      }
    }
    func quoted(_ text: String) -> String {
      "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
    var said = event(#"{"role":"assistant","content":""}"#)
    for piece in pieces(text) { said += event(#"{"content":\#(quoted(piece))}"#) }
    if !arguments.isEmpty {
      said += event(
        #"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"mail","arguments":""}}]}"#)
      for piece in pieces(arguments) {
        said += event(#"{"tool_calls":[{"index":0,"function":{"arguments":\#(quoted(piece))}}]}"#)
      }
    }
    if !finish { return said }
    return said + event("{}", arguments.isEmpty ? #""stop""# : #""tool_calls""#)
      + #"data: {"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#
      + "\n\ndata: [DONE]\n\n"
  }

  private static func heard(_ front: Front, _ stream: String, longest: Int? = nil) throws -> (Heard, BrokenRule?) {
    var answer = try screened(front, longest: longest)
    var out = ByteBuffer()
    answer.take(Array(stream.utf8).span, into: &out)
    answer.end(into: &out)
    return (try Heard(front, Wire.text(out)), answer.broken)
  }

  @Test(arguments: Front.allCases)
  func `a stream's text is filtered, wherever the provider cuts it`(_ front: Front) throws {
    let text = "Grüße 😀 von \"a.b@example.com\", Karte 4111 1111 1111 1111 und Ende x@example.org"
    for step in 1...text.count {
      let (heard, broken) = try Self.heard(front, Self.stream(text, step: step))
      #expect(heard.text == "Grüße 😀 von \"<email>\", Karte <card> und Ende <email>", "step \(step)")
      #expect(heard.isComplete && heard.error.isEmpty && broken == nil)
      #expect(heard.output == 5)
    }
  }

  @Test(arguments: Front.allCases)
  func `arguments of a call stay JSON, and what is in them is filtered`(_ front: Front) throws {
    let arguments = #"{"to":"a.b@example.com","n":4111111111111111,"q":"say \"hi\" \u00e4 \ud83d\ude00","l":[1,true]}"#
    for step in 1...arguments.count {
      let (heard, _) = try Self.heard(front, Self.stream("To a@example.com", arguments: arguments, step: step))
      #expect(heard.text == "To <email>" && heard.tools == ["mail"] && heard.isComplete)
      let said = try JSONValue(parsing: try #require(heard.arguments.first))
      #expect(said["to"]?.string == "<email>", "step \(step): \(heard.arguments)")
      #expect(said["n"]?.string == "<card>")
      #expect(said["q"]?.string == "say \"hi\" ä 😀")
    }
  }

  @Test(arguments: Front.allCases)
  func `a word that must not be said ends the stream with an error event before it`(_ front: Front) throws {
    for step in 1...30 {
      let (heard, broken) = try Self.heard(front, Self.stream("All is well, but forbidden fruit", step: step))
      #expect("All is well, but ".hasPrefix(heard.text) && !heard.text.contains("f"), "step \(step): \(heard.text)")
      if step == 1 { #expect(heard.text == "All is well, but ") }
      #expect(!heard.isComplete && heard.error.contains("A word."))
      #expect(broken?.name == "word")
    }
    let inArguments = try Self.heard(front, Self.stream("Hi", arguments: #"{"a":"forbidden"}"#, step: 3))
    #expect(inArguments.1?.name == "word" && !inArguments.0.arguments.joined().contains("forbidden"))
  }

  @Test(arguments: Front.allCases)
  func `a stream that breaks off says what was held back before it says so`(_ front: Front) throws {
    let (heard, _) = try Self.heard(front, Self.stream("Hello a@example.co", step: 2, finish: false))
    #expect(heard.text.hasPrefix("Hello") && !heard.text.contains("@"))
    #expect(!heard.error.isEmpty && !heard.isComplete)
  }

  @Test(arguments: Front.allCases)
  func `a model that writes too much is stopped`(_ front: Front) throws {
    let (heard, broken) = try Self.heard(
      front, Self.stream(String(repeating: "word ", count: 50), step: 5), longest: 40)
    #expect(heard.text.utf8.count <= 40 && broken?.name == "long" && heard.error.contains("It is long."))
  }

  @Test(arguments: Front.allCases)
  func `a whole answer is filtered, and its dialect's own words are not`(_ front: Front) throws {
    let body =
      #"{"id":"a@example.com","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Write to a@example.com, \"b\"","tool_calls":[{"id":"call_1","type":"function","function":{"name":"mail","arguments":"{\"to\":\"c@example.com\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#
    var answer = try Self.screened(front)
    var out = ByteBuffer()
    #expect(answer.translate(Array(body.utf8), status: 200, into: &out) == 200)
    let said = Wire.text(out)
    #expect(said.contains(#"Write to <email>, \"b\""#) && !said.contains("c@example.com"), "\(said)")
    #expect(answer.broken == nil && answer.usage.output == 5)
    let denied = body.replacing("Write to", with: "A forbidden")
    var second = try Self.screened(front)
    _ = second.translate(Array(denied.utf8), status: 200, into: &out)
    #expect(second.broken?.name == "word")
  }

  @Test func `a client's own provider's words are filtered too: reasoning and what is unknown`() throws {
    let event =
      #"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"reasoning_content":"PIECE","reasoning_details":[{"type":"reasoning.text","text":"PIECE"}],"new":{"deep":"PIECE"}}}]}"#
      + "\n\n"
    for cut in 1..<13 {
      let address = "a@example.com"
      var answer = try Self.screened(.chat)
      var out = ByteBuffer()
      let stream =
        event.replacing("PIECE", with: String(address.prefix(cut)))
        + event.replacing("PIECE", with: String(address.dropFirst(cut)))
      answer.take(Array(stream.utf8).span, into: &out)
      answer.end(into: &out)
      #expect(!Wire.text(out).replacing("\"", with: "").contains("example"), "\(cut)")
    }
  }

  @Test(arguments: Front.allCases)
  func `a request's texts are filtered, wherever its dialect has them`(_ front: Front) throws {
    let body = try #require(Samples.requests(front).first { $0.what == "text" }?.body)
    let asked = try ModelRequest(front, body: Array(body.utf8), path: front == .generate ? ("the-alias", true) : nil)
    let filtered = try asked.filtered { Upper() }
    #expect(asked.texts.contains("Be brief.") && filtered.texts.contains("BE BRIEF."))
    #expect(filtered.model == asked.model)
    // The words of the dialect itself stay: another model still understands them.
    for back in Back.textual { _ = try filtered.prepare(for: back, model: "m", unsupported: .drop) }
  }

  @Test func `arguments and results of calls are filtered within, and data is not`() throws {
    let body =
      #"{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"mail","arguments":"{\"to\":\"a@example.com\",\"n\":4111111111111111}"}}]},{"role":"tool","tool_call_id":"c1","content":"sent to a@example.com"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,DATA"}}]}]}"#
    let data = String(repeating: "4111111111111111", count: 20)
    let asked = try ModelRequest(.chat, body: Array(body.replacing("DATA", with: data).utf8))
    let sent = Wire.body(
      try asked.filtered(Self.filter).prepare(for: .openai, model: "m", unsupported: .refuse))
    #expect(sent.contains(#"{\"to\":\"<email>\",\"n\":\"<card>\"}"#), "\(sent)")
    #expect(sent.contains("sent to <email>") && sent.contains(data))
  }

  private final class Upper: TextFilter {
    var broken: BrokenRule? { nil }
    func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
      for index in piece.indices { out.append(0x61...0x7A ~= piece[index] ? piece[index] - 0x20 : piece[index]) }
    }
  }
}
