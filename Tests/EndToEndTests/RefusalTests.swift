import GatewayTesting
import Testing

/// Requests that two parsers could read differently: refused, never repaired, and nothing of them is forwarded.
struct RefusalTests {
  struct Case: Sendable {
    let name: String
    let bytes: [UInt8]
    var status = 400

    init(_ name: String, _ text: String, status: Int = 400) {
      self.init(name, Array(text.utf8), status: status)
    }

    init(_ name: String, _ bytes: [UInt8], status: Int = 400) {
      self.name = name
      self.bytes = bytes
      self.status = status
    }
  }

  /// A POST with these lines behind the Host, and content.
  private static func post(_ lines: String, _ body: String = "5\r\nhello\r\n0\r\n\r\n") -> String {
    "POST / HTTP/1.1\r\nHost: a.example\r\n\(lines)\r\n\r\n\(body)"
  }

  static let framing: [Case] = [
    Case("both lengths", post("Content-Length: 5\r\nTransfer-Encoding: chunked")),
    Case("both lengths the other way", post("Transfer-Encoding: chunked\r\nContent-Length: 5")),
    Case("two equal lengths", post("Content-Length: 5\r\nContent-Length: 5", "hello")),
    Case("two lengths", post("Content-Length: 5\r\nContent-Length: 6", "hello!")),
    Case("a list of lengths", post("Content-Length: 5, 5", "hello")),
    Case("a signed length", post("Content-Length: +5", "hello")),
    Case("a negative length", post("Content-Length: -5", "hello")),
    Case("a hexadecimal length", post("Content-Length: 0x5", "hello")),
    Case("an empty length", post("Content-Length:", "hello")),
    Case("a length with a space", post("Content-Length: 1 0", "hello")),
    Case("a length with an underscore", post("Content-Length: 1_0", "hello")),
    Case("a length beyond all", post("Content-Length: 99999999999999999999", "hello"), status: 413),
    Case("two codings in two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
    Case("identity and chunked in two fields", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked")),
    Case("chunked twice", post("Transfer-Encoding: chunked, chunked")),
    Case("chunked not last", post("Transfer-Encoding: chunked, gzip")),
    Case("a coding before chunked", post("Transfer-Encoding: gzip, chunked"), status: 501),
    Case("an unknown coding", post("Transfer-Encoding: gzip"), status: 501),
    Case("a misspelt coding", post("Transfer-Encoding: xchunked"), status: 501),
    Case("a coding with a tab", post("Transfer-Encoding:\tchunked")),
    Case("a coding with a parameter", post("Transfer-Encoding: chunked;a=b")),
    Case("a quoted coding", post("Transfer-Encoding: \"chunked\"")),
    Case("an empty coding", post("Transfer-Encoding:")),
    Case("an empty element", post("Transfer-Encoding: ,chunked")),
    Case("a coding with a control character", post("Transfer-Encoding: \u{b}chunked")),
    Case("a coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case("content with TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"),
    Case("a nominated length", post("Content-Length: 5\r\nConnection: content-length", "hello")),
    Case("a nominated host", post("Connection: close, Host", "")),
  ]

  static let fields: [Case] = [
    Case("an underscore for a hyphen", post("Transfer_Encoding: chunked")),
    Case("an underscore in a length", post("Content_Length: 5", "hello")),
    Case("a space before the colon", post("Transfer-Encoding : chunked")),
    Case("a tab before the colon", post("Content-Length\t: 5", "hello")),
    Case("a bare line feed", "POST / HTTP/1.1\r\nHost: a\nContent-Length: 5\r\n\r\nhello"),
    Case("a bare line feed at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    Case("a bare carriage return", post("X: a\rTransfer-Encoding: chunked")),
    Case("a zero byte", post("X: a\0b", "")),
    Case("a zero byte in a name", post("X\0: a", "")),
    Case("a continued line", post("X: a\r\n Transfer-Encoding: chunked")),
    Case("a continued first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    Case("a line without a colon", post("Transfer-Encoding chunked")),
    Case("a line without a name", post(": chunked")),
    Case("a name with a bracket", post("X[a]: 1", "")),
    Case("a name with a space", post("X a: 1", "")),
    Case("a name beyond ASCII", post("X\u{e9}: 1", "")),
    Case("a control character in a value", post("X: a\u{1}b", "")),
    Case("a delete character in a value", post("X: a\u{7f}b", "")),
    Case("an expectation", post("Expect: 200-ok\r\nContent-Length: 5", "hello"), status: 417),
    Case("no host", "GET / HTTP/1.1\r\n\r\n"),
    Case("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    Case("an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    Case("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    Case("a host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    Case("a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    Case("a host with a bad port", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n"),
    Case("another host than the target's", "GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
  ]

  static let lines: [Case] = [
    Case("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("a tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("no version", "GET /\r\n\r\n"),
    Case("a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    Case("a lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"),
    Case("version 2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", status: 505),
    Case("version 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", status: 505),
    Case("version 0.9", "GET / HTTP/0.9\r\n\r\n", status: 505),
    Case("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505),
    Case("TLS", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03]),
    Case("noise", [0xFF, 0xFE, 0x00, 0x01]),
    Case("a relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("a target with a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("a target beyond ASCII", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("a backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("a broken escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("an escaped zero", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Case("a method of 60 letters", "\(String(repeating: "A", count: 60)) / HTTP/1.1\r\nHost: a\r\n\r\n", status: 501),
    Case("a method with a parenthesis", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
  ]

  private static let chunked = "Transfer-Encoding: chunked"

  static let chunks: [Case] = [
    Case("a chunk size with a prefix", post(chunked, "0x5\r\nhello\r\n0\r\n\r\n")),
    Case("a signed chunk size", post(chunked, "+5\r\nhello\r\n0\r\n\r\n")),
    Case("a negative chunk size", post(chunked, "-5\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk size with a space", post(chunked, "5 \r\nhello\r\n0\r\n\r\n")),
    Case("a space before a chunk size", post(chunked, " 5\r\nhello\r\n0\r\n\r\n")),
    Case("an empty chunk size", post(chunked, "\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk size beyond all", post(chunked, "fffffffffffffffff\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk size that wraps round", post(chunked, "10000000000000005\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk that is longer than its size", post(chunked, "4\r\nhello\r\n0\r\n\r\n")),
    Case("a chunk that is shorter than its size", post(chunked, "6\r\nhello\r\n0\r\n\r\n")),
    Case("a bare line feed behind a size", post(chunked, "5\nhello\r\n0\r\n\r\n")),
    Case("a bare line feed behind a chunk", post(chunked, "5\r\nhello\n0\r\n\r\n")),
    Case("a bare carriage return behind a size", post(chunked, "5\rhello\r\n0\r\n\r\n")),
    Case("a long extension", post(chunked, "5;\(String(repeating: "a", count: 5000))\r\nhello\r\n0\r\n\r\n")),
    Case("an extension with a line feed", post(chunked, "5;a\nb\r\nhello\r\n0\r\n\r\n")),
    Case("an extension with a zero byte", post(chunked, "5;a\0b\r\nhello\r\n0\r\n\r\n")),
    Case("a length in the trailers", post(chunked, "0\r\nContent-Length: 5\r\n\r\n")),
    Case("a coding in the trailers", post(chunked, "0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    Case("a host in the trailers", post(chunked, "0\r\nHost: b\r\n\r\n")),
    Case("a broken trailer", post(chunked, "0\r\nX : 1\r\n\r\n")),
    Case("a bare line feed in the trailers", post(chunked, "0\r\nX: 1\n\r\n")),
    Case("many trailers", post(chunked, "0\r\nX: \(String(repeating: "a", count: 9000))\r\n\r\n"), status: 431),
  ]

  @Test(arguments: [framing, fields, lines, chunks], [true, false])
  func `what is ambiguous is refused and nothing of it forwarded`(cases: [Case], isWhole: Bool) throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      for refused in cases {
        let client = try gateway.connect()
        // A gateway that has read enough may close before the rest is sent.
        let ends = isWhole ? [] : Array(1..<min(refused.bytes.count, 300))
        try? client.send(refused.bytes, splitAt: ends, pause: 0)
        let answer = try? client.response()
        let response = try #require(answer, "\(refused.name): no answer")
        #expect(response.status == refused.status, "\(refused.name)")
        #expect(response["X-Fault"] == "client", "\(refused.name)")
        #expect(response["X-Request-Id"]?.utf8.count == 32, "\(refused.name)")
        #expect(response["Connection"] == "close", "\(refused.name)")
        #expect(client.isClosedByPeer(), "\(refused.name)")
      }
      #expect(origin.requests.isEmpty)
      try gateway.stop()
      let records = try gateway.records()
      #expect(records.map { $0["status"]?.integer } == cases.map(\.status))
      for (record, refused) in zip(records, cases) {
        #expect(record["fault"]?.string == "client", "\(refused.name)")
        #expect(record["reason"]?.string?.isEmpty == false, "\(refused.name)")
        #expect(record["client"]?.string == "127.0.0.1", "\(refused.name)")
      }
    }
  }

  @Test func `a mistake in a body that is half forwarded cuts it, so that the target sees no whole request`() throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let late = Self.chunks.filter { !$0.name.contains("trailer") }
      for (index, refused) in late.enumerated() {
        let client = try gateway.connect()
        try client.send(Self.post(Self.chunked, "3\r\nabc\r\n"))
        #expect(Deadline.usual.poll { origin.accepted == index + 1 }, "\(refused.name)")
        Pause.milliseconds(2)
        let head = Self.post(Self.chunked, "").utf8.count
        try? client.send(Array(refused.bytes[head...]))
        let answer = try? client.response()
        #expect(answer?.status == refused.status, "\(refused.name)")
        #expect(client.isClosedByPeer(), "\(refused.name)")
      }
      #expect(origin.awaitNoConnection())
      #expect(origin.requests.isEmpty)
      try gateway.stop()
      #expect(try gateway.records().map { $0["fault"]?.string } == late.map { _ in "client" })
    }
  }
}
