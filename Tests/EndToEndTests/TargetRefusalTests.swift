import GatewayTesting
import Testing

/// Answers that are not well-formed: 502, and their connection carries nothing more.
struct TargetRefusalTests {
  struct Case: Sendable {
    let name: String
    let bytes: [UInt8]

    init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }

    init(_ name: String, _ bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }
  }

  private static func ok(_ lines: String, _ body: String = "hello") -> String {
    "HTTP/1.1 200 OK\r\n\(lines)\r\n\r\n\(body)"
  }

  static let cases: [Case] = [
    Case("both lengths", ok("Content-Length: 5\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")),
    Case("two lengths", ok("Content-Length: 5\r\nContent-Length: 4")),
    Case("two equal lengths", ok("Content-Length: 5\r\nContent-Length: 5")),
    Case("a list of lengths", ok("Content-Length: 5, 5")),
    Case("a signed length", ok("Content-Length: +5")),
    Case("a negative length", ok("Content-Length: -1")),
    Case("an empty length", ok("Content-Length:")),
    Case("a length beyond all", ok("Content-Length: 99999999999999999999")),
    Case("an unknown coding", ok("Transfer-Encoding: gzip")),
    Case("a coding before chunked", ok("Transfer-Encoding: gzip, chunked")),
    Case("chunked not last", ok("Transfer-Encoding: chunked, gzip")),
    Case("chunked twice", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
    Case("a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case("an underscore for a hyphen", ok("Transfer_Encoding: chunked")),
    Case("a space before the colon", ok("Content-Length : 5")),
    Case("a line without a colon", ok("Content-Length 5")),
    Case("a line without a name", ok(": 5")),
    Case("a bare line feed", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
    Case("a bare carriage return", ok("X: a\rContent-Length: 5")),
    Case("a zero byte", ok("X: a\0b")),
    Case("a continued line", ok("X: a\r\n b\r\nContent-Length: 5")),
    Case("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    Case("a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    Case("a status of 99", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
    Case("a status of 600", "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n"),
    Case("no status", "HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"),
    Case("version 2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Case("a lower-case version", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Case("another protocol", "SSH-2.0-OpenSSH_9.2\r\n"),
    Case("a page without a head", "<html>hello</html>\r\n\r\n"),
    Case("TLS", [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]),
    Case("noise", [0xFF, 0x00, 0xFE]),
    Case("empty lines", "\r\n\r\n"),
    Case("another protocol that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    Case("content where there is none", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
    Case("chunks where there are none", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case("content with an interim answer", "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello"),
    Case("a head beyond all", ok("X: \(String(repeating: "a", count: 70_000))")),
    Case("fields beyond all", ok((1...2000).map { "X-\($0): y" }.joined(separator: "\r\n"))),
    Case("a chunk size that is no number", ok("Transfer-Encoding: chunked", "zz\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk size beyond all", ok("Transfer-Encoding: chunked", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk that is longer than its size", ok("Transfer-Encoding: chunked", "4\r\nhello\r\n0\r\n\r\n")),
  ]

  @Test(arguments: [true, false])
  func `a malformed answer is 502 and its connection is closed`(isReused: Bool) throws {
    // The path says which answer is meant.
    let origin = try Origin { connection in
      while let request = try connection.request() {
        guard let index = Int(request.target.dropFirst()) else {
          try connection.answer(body: "good")
          continue
        }
        try connection.send(Self.cases[index].bytes)
        return connection.awaitEnd()
      }
    }
    let text = """
      upstreams: { u: { targets: [{ url: ORIGIN }], retries: { maximum: 0 } } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      for (index, refused) in Self.cases.enumerated() {
        if isReused { #expect(try client.get("/good").text == "good", "before \(refused.name)") }
        let response = try client.get("/\(index)")
        #expect(response.status == 502, "\(refused.name)")
        #expect(["upstream", "gateway"].contains(response["X-Fault"]), "\(refused.name)")
        #expect(!response.text.contains("127.0.0.1"), "\(refused.name)")
        #expect(origin.awaitNoConnection(), "\(refused.name)")
      }
      #expect(try client.get("/good").text == "good")
      #expect(origin.accepted == Self.cases.count + 1)
      try gateway.stop()
      let bad = try gateway.records().filter { $0["path"]?.string != "/good" }
      #expect(bad.count == Self.cases.count)
      for (record, refused) in zip(bad, Self.cases) {
        #expect(record["status"]?.integer == 502, "\(refused.name)")
        #expect(["upstream", "gateway"].contains(record["fault"]?.string), "\(refused.name)")
        #expect(record["reason"]?.string?.isEmpty == false, "\(refused.name)")
        #expect(record["attempts"]?.integer == 1, "\(refused.name)")
      }
    }
  }
}
