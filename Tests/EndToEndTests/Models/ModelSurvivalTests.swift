import GatewayTesting
import Kernel
import Testing

/// Providers whose answers break off, or come in pieces: what the client gets is the whole truth, or says that it is not.
struct ModelSurvivalTests {
  @Test(arguments: ScriptedProvider.paths) func `an answer that is cut at any octet is an error`(_ path: String) throws
  {
    let script = Lock("")
    let raw = ScriptedProvider.answer(ScriptedProvider.whole)
    try ScriptedProvider.run {
      try $0.send(script.withLock { $0 })
    } _: { gateway, _ in
      for length in 1..<raw.utf8.count {
        script.withLock { $0 = String(decoding: raw.utf8.prefix(length), as: UTF8.self) }
        let answer = try ScriptedProvider.ask(path, of: "o", stream: false, gateway: gateway)
        #expect(answer.status == 502 && answer["X-Fault"] == "upstream", "cut at \(length): \(answer.startLine)")
        #expect(try JSONValue(parsing: answer.text)["error"] != nil)
      }
      script.withLock { $0 = raw }
      #expect(try ScriptedProvider.ask(path, of: "o", stream: false, gateway: gateway).status == 200)
    }
  }

  @Test(arguments: ScriptedProvider.paths, ["o", "a", "g"])
  func `a stream that is cut at any octet ends in an error event, or had said all`(_ path: String, _ provider: String)
    throws
  {
    let script = Lock("")
    let raw = ScriptedProvider.chunked(try #require(ScriptedProvider.streams[provider]))
    let head = ScriptedProvider.chunked("").utf8.count - 5
    try ScriptedProvider.run {
      try $0.send(script.withLock { $0 })
    } _: { gateway, _ in
      for length in 1...raw.utf8.count {
        script.withLock { $0 = String(decoding: raw.utf8.prefix(length), as: UTF8.self) }
        let answer = try ScriptedProvider.ask(path, of: provider, gateway: gateway)
        if answer.status == 502 {
          #expect(length < head, "cut at \(length)")
          continue
        }
        try #require(answer.status == 200)
        let heard = try ScriptedProvider.hear(answer.text)
        #expect("Hello".hasPrefix(heard.text), "cut at \(length): \(heard.text)")
        if heard.ending == .complete { #expect(heard.text == "Hello", "cut at \(length)") }
        if length == raw.utf8.count { #expect(heard.ending == .complete) }
      }
    }
  }

  @Test(arguments: ["o", "a", "g"], ["\n", "\r\n"])
  func `a stream says the same however it is cut into reads`(_ provider: String, _ lineEnd: String) throws {
    let events = try #require(ScriptedProvider.streams[provider])
    let raw =
      Array((ScriptedProvider.streamHead + "Connection: close\r\n\r\n").utf8)
      + Array((": a comment\n\n" + events).replacing("\n", with: lineEnd).utf8)
    let cut = Lock(0)
    try ScriptedProvider.run { connection in
      let length = cut.withLock { $0 }
      try connection.send(Array(raw[..<length]))
      connection.wait(milliseconds: 1)
      try connection.send(Array(raw[length...]))
    } _: { gateway, _ in
      for path in ScriptedProvider.paths {
        for length in stride(from: 1, to: raw.count, by: path == ScriptedProvider.paths[0] ? 1 : 7) {
          cut.withLock { $0 = length }
          let heard = try ScriptedProvider.hear(try ScriptedProvider.ask(path, of: provider, gateway: gateway).text)
          #expect(heard.text == "Hello" && heard.ending == .complete, "cut at \(length)")
        }
      }
    }
  }
}
