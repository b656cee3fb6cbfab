import GatewayTesting
import Kernel
import Testing

/// Answers in a content coding, through the running gateway and read by others' decoders.
struct CompressionTests {
  private static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }

  private static func configuration(_ url: String) -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    routes:
      local:
        match: /local
        plugins: [{ compress: {} }]
        respond: { headers: { Content-Type: text/plain }, body: "\(String(repeating: "local ", count: 400))" }
      held:
        match: /held/*
        plugins: [{ compress: {} }, { transform: { response: { remove: [body.secret] } } }]
        upstream: "\(url)"
      all:
        match: /*
        plugins: [{ compress: {} }]
        upstream: "\(url)"
    """
  }

  /// `/length/N`, `/chunks/N` and `/close/N` answer N bytes of text so framed; `/events` sends one event after the
  /// other, each once `/seen/N` has told that the one before has arrived: nothing can have been held back.
  private static func origin() throws -> Origin {
    let seen = Lock(-1)
    return try Origin { connection in
      while let request = try connection.request() {
        let parts = request.target.split(separator: "/")
        let count = Int(parts.last ?? "") ?? 0
        let body = Self.text(count)
        let type = request.target.hasPrefix("/held") ? "application/json" : "text/plain"
        let head = "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nETag: \"v1\"\r\nAccept-Ranges: bytes\r\n"
        switch parts.first {
        case "chunks":
          try connection.send(head + "Transfer-Encoding: chunked\r\n\r\n")
          let bytes = Array(body.utf8)
          for start in stride(from: 0, to: count, by: 3001) {
            let piece = bytes[start..<min(count, start + 3001)]
            try connection.send(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8))
          }
          try connection.send("0\r\nX-Sum: 7\r\n\r\n")
        case "close":
          try connection.send(head + "Connection: close\r\n\r\n" + body)
          return
        case "events":
          try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
          for number in 0..<20 {
            try connection.send("data: \(number)\n\n")
            guard Deadline.usual.poll({ seen.withLock { $0 } == number }) else { throw WireError.timedOut }
          }
          return
        case "seen":
          seen.withLock { $0 = count }
          try connection.answer(body: "ok")
        case "held":
          let json = #"{"secret":1,"text":""# + body.replacing("\n", with: " ") + #""}"#
          try connection.send(head + "Content-Length: \(json.utf8.count)\r\n\r\n" + json)
        default: try connection.send(head + "Content-Length: \(count)\r\n\r\n" + body)
        }
      }
    }
  }

  private static func text(_ count: Int) -> String {
    var text = ""
    var number = 0
    while text.utf8.count < count {
      text += "line \(number) \(number &* 2_654_435_761 % 1000)\n"
      number += 1
    }
    return String(text.prefix(count))
  }

  @Test(.enabled(if: PythonPeer.python != nil, "`make test` makes the Python environment"))
  func `Python reads every answer as it was, in each coding, framing and version`() throws {
    let origin = try Self.origin()
    try withGateway(Self.configuration(origin.url)) { gateway in
      let output = gateway.directory["codings"]
      let child = try ChildProcess(
        [PythonPeer.python ?? "python3", Self.folder + "/codings.py", "\(gateway.port)"], output: output, errors: output
      )
      let exit = try child.wait(until: .after(seconds: 60))
      let printed = try gateway.directory.read("codings")
      #expect(exit == .exited(0), "\(printed.suffix(3000))")
      #expect(try gateway.metric(#"sluice_compress_responses_total{coding="zstd"}"#) ?? 0 > 0)
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
    origin.stop()
  }

  @Test func `curl reads a compressed answer, and the same one without`() throws {
    let origin = try Self.origin()
    try withGateway(Self.configuration(origin.url)) { gateway in
      let (plain, packed) = (gateway.directory["plain"], gateway.directory["packed"])
      let url = "http://127.0.0.1:\(gateway.port)/length/100000"
      #expect(Shell.run("curl -fsS -o \(plain) \(url)") == 0)
      #expect(Shell.run("curl -fsS --compressed -o \(packed) \(url)") == 0)
      #expect(Shell.run("cmp \(plain) \(packed)") == 0)
      let records = try gateway.awaitRecords(2)
      #expect(records[0]["bytes_out"]?.integer == 100_000)
      #expect(records[1]["bytes_out"]?.integer ?? .max < 50_000)
    }
    origin.stop()
  }

  @Test func `fields tell what was done`() throws {
    let origin = try Self.origin()
    try withGateway(Self.configuration(origin.url)) { gateway in
      let coded = try gateway.get("/length/5000", ["Accept-Encoding: gzip"])
      #expect(coded["Content-Encoding"] == "gzip")
      #expect(coded["Vary"] == "Accept-Encoding")
      #expect(coded["ETag"] == "W/\"v1\"")
      #expect(coded["Content-Length"] == nil)
      #expect(coded["Accept-Ranges"] == nil)
      let plain = try gateway.get("/length/5000")
      #expect(plain["Content-Encoding"] == nil)
      #expect(plain["Vary"] == "Accept-Encoding")
      #expect(plain["ETag"] == "\"v1\"")
      #expect(plain["Content-Length"] == "5000")
    }
    origin.stop()
  }
}
