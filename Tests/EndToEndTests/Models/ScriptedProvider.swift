import GatewayTesting
import Kernel
import Testing

/// A provider of three dialects that does with a call what a test says, and what clients of two hear of it.
enum ScriptedProvider {
  /// How a stream ended: a client reads an answer up to its end, or an error of its dialect; never a silent end.
  enum Ending { case complete, failed }

  static let configuration = """
    ai:
      providers:
        o: { dialect: openai, url: ORIGIN }
        a: { dialect: anthropic, url: ORIGIN }
        g: { dialect: gemini, url: ORIGIN }
    routes: { models: { match: /*, ai: [openai, anthropic] } }
    """

  static let whole =
    #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}"#

  static let wholes: [String: String] = [
    "o": whole,
    "a":
      #"{"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":1}}"#,
    "g":
      #"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP"}],"responseId":"r"}"#,
  ]

  /// What each dialect says of "Hello", in events that end with LF.
  static let streams: [String: String] = [
    "o": """
    data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

    data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"Hel"}}]}

    data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"lo"}}]}

    data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

    data: [DONE]


    """,
    "a": """
    event: message_start
    data: {"type":"message_start","message":{"id":"m1","model":"m","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}

    event: content_block_start
    data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":0}

    event: message_delta
    data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}

    event: message_stop
    data: {"type":"message_stop"}


    """,
    "g": """
    data: {"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"}}],"responseId":"r"}

    data: {"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3}}


    """,
  ]

  static let streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

  static func chunked(_ events: String) -> String {
    let blocks = events.split(separator: "\n\n", omittingEmptySubsequences: true).map { "\($0)\n\n" }
    return streamHead + "Transfer-Encoding: chunked\r\n\r\n"
      + blocks.map { String($0.utf8.count, radix: 16) + "\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
  }

  static func answer(_ body: String, _ status: String = "200 OK", _ fields: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nConnection: close\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  static func ask(
    _ path: String, of provider: String = "", model: String? = nil, stream: Bool = true, gateway: RunningGateway
  ) throws -> WireMessage {
    let name = model ?? "\(provider)/x"
    let body =
      #"{"model":"\#(name)","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"stream":\#(stream)}"#
    let client = try gateway.connect()
    defer { client.close() }
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  /// The data of a stream's events; each must be whole.
  static func events(_ octets: String) throws -> [String] {
    // The last octet of a CRLF may come after its event was passed on.
    let text = octets.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    try #require(text.hasSuffix("\n\n"), "\(text)")
    return text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
  }

  /// Reads a stream as its client does: the text as far as it came, and how it ended.
  static func hear(_ text: String) throws -> (text: String, ending: Ending) {
    var said = ""
    var endings: [Ending] = []
    for data in try events(text) {
      try #require(endings.isEmpty, "nothing may follow the end: \(text)")
      if data == "[DONE]" {
        endings.append(.complete)
        continue
      }
      let json = try JSONValue(parsing: data)
      if json["error"] != nil { endings.append(.failed) }
      if json["type"]?.string == "message_stop" { endings.append(.complete) }
      said += json["delta"]?["text"]?.string ?? ""
      if case .array(let choices)? = json["choices"] { said += choices.first?["delta"]?["content"]?.string ?? "" }
    }
    return (said, try #require(endings.first, "a silent end: \(text)"))
  }

  /// A provider that does with each connection's call what the test says at that moment.
  static func run(
    _ text: String? = nil, _ act: @escaping @Sendable (OriginConnection) throws -> Void,
    _ body: (RunningGateway, Origin) throws -> Void
  ) throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try act(connection)
    }
    try withGateway(text ?? configuration, to: origin) { try body($0, origin) }
  }

  /// Of Chat Completions and of Messages.
  static let paths = ["/v1/chat/completions", "/v1/messages"]
}
