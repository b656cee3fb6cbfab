import GatewayTesting
import Kernel
import Testing

/// Providers that answer what their dialect does not have, too slowly, or too much.
struct ProviderFaultTests {
  private static let malformed = #"data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hel"}]"# + "\n\n"

  private static func delta(_ text: String) -> String {
    #"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"# + "\n\n"
  }

  private static func usage(_ counts: String) -> String {
    #"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":\#(counts)}"#
  }

  @Test(arguments: ScriptedProvider.paths)
  func `an event that is no JSON ends the stream in an error, behind what came before it`(_ path: String) throws {
    try ScriptedProvider.run {
      try $0.send(ScriptedProvider.chunked(Self.delta("Hel") + Self.malformed + Self.delta("lo")))
    } _: { gateway, origin in
      let heard = try ScriptedProvider.hear(try ScriptedProvider.ask(path, of: "o", gateway: gateway).text)
      #expect(heard.text == "Hel" && heard.ending == .failed)
      #expect(try gateway.awaitRecords(1)[0]["usage"]?.string == "estimated")
      #expect(origin.awaitNoConnection())
    }
  }

  @Test(arguments: [
    ("200 OK", "application/json", #"{"error":{"message":"The model is gone","type":"server_error"}}"#, 502),
    ("200 OK", "application/json", #"{"choices":[]}"#, 502), ("200 OK", "application/json", "[]", 502),
    ("200 OK", "text/html", "<html>Please log in</html>", 502), ("200 OK", "application/json", "", 502),
    ("502 Bad Gateway", "text/html", "<html>nginx</html>", 502), ("500 Oh", "text/plain", "\u{0}\u{1}", 500),
    ("403 Forbidden", "text/html", "<html>", 403), ("404 Not Found", "application/json", #"{"error":"gone"}"#, 404),
    ("418 Teapot", "application/json", #"{"detail":"none"}"#, 418), ("302 Found", "text/html", "", 502),
  ])
  func `what is no answer is an error of the client's dialect`(
    _ status: String, _ type: String, _ body: String, _ expected: Int
  ) throws {
    try ScriptedProvider.run {
      try $0.send(
        "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
      )
    } _: { gateway, _ in
      for path in ScriptedProvider.paths {
        for stream in [false, true] {
          let answer = try ScriptedProvider.ask(path, of: "o", stream: stream, gateway: gateway)
          #expect(answer.status == expected, "\(answer.text)")
          let isMessages = path == "/v1/messages"
          #expect(
            answer.text.hasPrefix(isMessages ? #"{"type":"error","error":{"# : #"{"error":"#), "\(answer.text)")
          _ = try JSONValue(parsing: answer.text)
        }
      }
    }
  }

  @Test(arguments: [
    (["Retry-After: 7"], "", 7), (["retry-after-ms: 2500"], "", 3),
    (["x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 6m0s"], "", 360),
    (["x-ratelimit-remaining-tokens: 0", "x-ratelimit-reset-tokens: 1s500ms"], "", 2),
    ([], #","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]"#, 35),
    (["Retry-After: soon"], "", 0), (["Retry-After: -5"], "", 0), (["Retry-After: 99999999999999999999"], "", 86_400),
  ])
  func `what a limit says of when to come back passes, in seconds`(
    _ fields: [String], _ details: String, _ expected: Int
  ) throws {
    let lines = fields.map { "\($0)\r\n" }.joined()
    let body = #"{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED"\#(details)}}"#
    try ScriptedProvider.run {
      try $0.send(ScriptedProvider.answer(body, "429 Too Many Requests", lines))
    } _: {
      gateway, _ in
      for path in ScriptedProvider.paths {
        let answer = try ScriptedProvider.ask(path, of: "g", gateway: gateway)
        #expect(answer.status == 429)
        #expect(answer["Retry-After"].flatMap { Int($0) } ?? 0 == expected, "\(answer.fields)")
      }
    }
  }

  @Test(
    arguments: [
      ("null", nil), ("{}", nil), ("[]", nil), ("7", nil), (#"{"prompt_tokens":-5,"completion_tokens":3}"#, 3),
      (#"{"prompt_tokens":"10","completion_tokens":3}"#, 3), (#"{"prompt_tokens":1e300,"completion_tokens":3}"#, 3),
      (#"{"prompt_tokens":99999999999999999999,"completion_tokens":3}"#, 3),
      (#"{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}"#, 1 << 40),
      (#"{"prompt_tokens":1.5,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":77}}"#, 3),
    ] as [(String, Int?)])
  func `absurd counts neither stop the call nor the gateway`(_ counts: String, _ output: Int?) throws {
    try ScriptedProvider.run {
      try $0.send(ScriptedProvider.answer(Self.usage(counts)))
    } _: { gateway, _ in
      for path in ScriptedProvider.paths {
        let answer = try ScriptedProvider.ask(path, of: "o", stream: false, gateway: gateway)
        #expect(answer.status == 200 && answer.text.contains("Hi"))
      }
      for record in try gateway.awaitRecords(2) {
        if let output { #expect(record["output_tokens"]?.integer == output) }
        if output == nil { #expect(record["usage"]?.string == "estimated") }
      }
    }
  }

  /// "Hi", whole and as a stream, out of `gzip -9`.
  @Test(arguments: [true, false])
  func `an answer in a coding that nobody asked for is read all the same`(_ stream: Bool) throws {
    let plain =
      stream ? try #require(ScriptedProvider.streams["o"]) : ScriptedProvider.whole
    let coded = Gzip.stored(Array(plain.utf8))
    let type = stream ? "text/event-stream" : "application/json"
    try ScriptedProvider.run {
      try $0.send(
        "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: \(coded.count)\r\n\r\n"
      )
      try $0.send(coded)
    } _: { gateway, _ in
      for path in ScriptedProvider.paths {
        let answer = try ScriptedProvider.ask(path, of: "o", stream: stream, gateway: gateway)
        #expect(answer.status == 200 && answer["Content-Encoding"] == nil, "\(answer.text)")
        if stream {
          let heard = try ScriptedProvider.hear(answer.text)
          #expect(heard.text == "Hello" && heard.ending == .complete)
        } else {
          #expect(answer.text.contains(#""Hi""#))
        }
      }
    }
  }

  @Test func `an answer in a coding that is none, or unknown, is an error`() throws {
    let coding = Lock("gzip")
    try ScriptedProvider.run {
      try $0.send(
        ScriptedProvider.answer(ScriptedProvider.whole, "200 OK", "Content-Encoding: \(coding.withLock { $0 })\r\n"))
    } _: { gateway, _ in
      for name in ["gzip", "deflate", "zstd", "br"] {
        coding.withLock { $0 = name }
        for stream in [true, false] {
          let answer = try ScriptedProvider.ask("/v1/messages", of: "o", stream: stream, gateway: gateway)
          #expect(answer.status == 502, "\(name): \(answer.text)")
        }
      }
    }
  }

  @Test func `a model that stays silent is given up, before its first token and between two`() throws {
    let text =
      ScriptedProvider.configuration.replacing(
        "routes:",
        with: """
            models: { slow: { model: o/x, timeouts: { first_token: 200ms, between_tokens: 200ms } } }
          routes:
          """)
    let says = Lock(false)
    try ScriptedProvider.run(text) { connection in
      if says.withLock({ $0 }) {
        let event = Self.delta("Hel")
        try connection.send(
          ScriptedProvider.streamHead + "Transfer-Encoding: chunked\r\n\r\n" + String(event.utf8.count, radix: 16)
            + "\r\n\(event)\r\n")
      }
      connection.awaitEnd()
    } _: { gateway, origin in
      for path in ScriptedProvider.paths {
        says.withLock { $0 = false }
        #expect(try ScriptedProvider.ask(path, model: "slow", gateway: gateway).status == 504)
        says.withLock { $0 = true }
        let heard = try ScriptedProvider.hear(try ScriptedProvider.ask(path, model: "slow", gateway: gateway).text)
        #expect(heard.text == "Hel" && heard.ending == .failed)
      }
      #expect(origin.awaitNoConnection())
      #expect(try gateway.awaitRecords(4)[1]["usage"]?.string == "estimated")
    }
  }

  @Test(arguments: ScriptedProvider.paths)
  func `a client that leaves in the middle pays for what was said`(_ path: String) throws {
    try ScriptedProvider.run { connection in
      let event = Self.delta(String(repeating: "word ", count: 80))
      try connection.send(
        ScriptedProvider.streamHead + "Transfer-Encoding: chunked\r\n\r\n" + String(event.utf8.count, radix: 16)
          + "\r\n\(event)\r\n")
      connection.awaitEnd()
    } _: { gateway, origin in
      let body = #"{"model":"o/x","max_tokens":9,"messages":[{"role":"user","content":"Hello there"}],"stream":true}"#
      let client = try gateway.connect()
      try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
      while try !client.reader.line().isEmpty {}
      var said = ""
      while !said.contains("word") {
        let size = try #require(Int(try client.reader.line(), radix: 16))
        said += String(decoding: try client.reader.take(size + 2), as: UTF8.self)
      }
      client.close()
      #expect(origin.awaitNoConnection())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["cancelled"]?.string == "client" && record["usage"]?.string == "estimated")
      #expect(record["output_tokens"]?.integer == 100)
      #expect(record["input_tokens"]?.integer ?? 0 > 0)
    }
  }

  @Test(arguments: ["o", "a", "g"])
  func `large prompts, pictures and many tools reach every dialect whole`(_ provider: String) throws {
    let picture = String(repeating: "iVBORw0KGgoAAAAN", count: (20 << 20) / 16)
    let tools = (0..<128).map {
      #"{"type":"function","function":{"name":"tool_\#($0)","parameters":{"type":"object","properties":{"n\#($0)":{"type":"string"}}}}}"#
    }.joined(separator: ",")
    let prompt = String(repeating: "A prompt of many words. ", count: 45_000)
    let body =
      #"{"model":"\#(provider)/x","max_tokens":9,"tools":[\#(tools)],"messages":[{"role":"user","content":[{"type":"text","text":"\#(prompt)"},{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(picture)"}}]}]}"#
    try ScriptedProvider.run(ScriptedProvider.configuration + "\nlimits: { request_body: 32MiB }") {
      try $0.send(ScriptedProvider.answer(try #require(ScriptedProvider.wholes[provider])))
    } _: { gateway, origin in
      let client = try gateway.connect()
      try client.send(
        "POST /v1/chat/completions HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
      let answer = try client.response(to: "POST")
      #expect(answer.status == 200 && answer.text.contains("Hi"), "\(answer.text)")
      let sent = try origin.awaitRequests(1)[0].text
      #expect(sent.contains(picture) && sent.contains(prompt))
      #expect(sent.contains(#""tool_0""#) && sent.contains(#""tool_127""#) && sent.contains(#""n127""#))
    }
  }
}

/// Just enough of RFC 1952: stored blocks.
private enum Gzip {
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    let length = UInt16(bytes.count)
    var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
    for word in [length, ~length] { out += [UInt8(word & 0xFF), UInt8(word >> 8)] }
    out += bytes
    for word in [crc(bytes), UInt32(bytes.count)] {
      for shift in [0, 8, 16, 24] { out.append(UInt8(word >> shift & 0xFF)) }
    }
    return out
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
