import HTTP
import Kernel
import Testing

@Suite struct HTTP1EncoderTests {
  private func written(_ body: (inout ByteBuffer) -> Void) -> String {
    var out = ByteBuffer(capacity: 16)
    body(&out)
    return Wire.text(out.span)
  }

  @Test(arguments: [
    (200, "HTTP/1.1 200 OK\r\n"), (204, "HTTP/1.1 204 No Content\r\n"), (404, "HTTP/1.1 404 Not Found\r\n"),
    (304, "HTTP/1.1 304 Not Modified\r\n"), (502, "HTTP/1.1 502 Bad Gateway\r\n"), (299, "HTTP/1.1 299 \r\n"),
  ])
  func `a status line has the standard reason`(_ status: Int, _ line: String) {
    #expect(written { HTTP1Encoder.statusLine(status, into: &$0) } == line)
  }

  @Test(arguments: 100...599)
  func `every status line that is written can be decoded`(_ status: Int) {
    if status == 101 { return }
    let text = written { HTTP1Encoder.statusLine(status, into: &$0) } + "\r\n"
    #expect(Wire.response(Array(text.utf8)).hasPrefix("response|\(status)|"))
  }

  @Test(arguments: [
    ("GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b HTTP/1.1\r\n"),
    ("\r\nGET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\n"),
    ("GET http://h/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b HTTP/1.1\r\n"),
    ("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n"),
    ("GET http://h? HTTP/1.1\r\nHost: h\r\n\r\n", "GET /? HTTP/1.1\r\n"),
    ("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\n"),
    ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\n"),
    ("FOO /a HTTP/1.1\r\nHost: h\r\n\r\n", "FOO /a HTTP/1.1\r\n"),
  ])
  func `a request line is forwarded in origin form`(_ text: String, _ line: String) throws {
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    var out = ByteBuffer()
    _ = try decoder.decode(text.utf8Span.span, into: &head)
    HTTP1Encoder.requestLine(head, from: text.utf8Span.span, into: &out)
    #expect(Wire.text(out.span) == line)
  }

  @Test func `a chunk header is as wide as asked for`() {
    #expect(written { HTTP1Encoder.chunkHeader(1, into: &$0) } == "1\r\n")
    #expect(written { HTTP1Encoder.chunkHeader(0xabcdef, into: &$0) } == "abcdef\r\n")
    #expect(written { HTTP1Encoder.chunkHeader(0x10, digits: 6, into: &$0) } == "000010\r\n")
  }

  @Test func `lengths and fields are written as lines`() {
    #expect(written { HTTP1Encoder.contentLength(0, into: &$0) } == "Content-Length: 0\r\n")
    #expect(written { HTTP1Encoder.contentLength(1 << 40, into: &$0) } == "Content-Length: 1099511627776\r\n")
    #expect(written { HTTP1Encoder.field(.retryAfter, "3".utf8Span.span, into: &$0) } == "Retry-After: 3\r\n")
  }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
    (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
  ])
  func `a date is written as IMF-fixdate`(_ seconds: Int, _ text: String) {
    var date = HTTPDate()
    var out = ByteBuffer()
    date.append(seconds, into: &out)
    #expect(Wire.text(out.span) == text)
  }

  @Test func `a date is right again when the second changes`() {
    var date = HTTPDate()
    var out = ByteBuffer()
    for second in [5, 5, 6] { date.append(second, into: &out) }
    let expected = ["05", "05", "06"].map { "Thu, 01 Jan 1970 00:00:\($0) GMT" }.joined()
    #expect(Wire.text(out.span) == expected)
  }

  @Test(arguments: Sample.requests)
  func `a request head written at once is its request line and its fields`(_ sample: Sample) throws {
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    _ = try decoder.decode(sample.bytes.span, into: &head)
    for _ in 0..<2 {
      for drops in [false, true] {
        var atOnce = ByteBuffer()
        HTTP1Encoder.head(head, from: sample.bytes.span, into: &atOnce, droppingContentLength: drops)
        var inTurn = ByteBuffer()
        HTTP1Encoder.requestLine(head, from: sample.bytes.span, into: &inTurn)
        head.headers.write(from: sample.bytes.span, into: &inTurn, droppingContentLength: drops)
        #expect(Wire.text(atOnce.span) == Wire.text(inTurn.span))
      }
      head.headers.remove(.host)
      head.headers.add("X", "y")
    }
  }

  @Test(arguments: Sample.responses)
  func `a response head written at once is its status line and its fields`(_ sample: Sample) throws {
    var decoder = ResponseDecoder(limits: HTTPLimits())
    var head = ResponseHead()
    _ = try decoder.decode(sample.bytes.span, into: &head, answering: .get)
    var atOnce = ByteBuffer()
    HTTP1Encoder.head(head, from: sample.bytes.span, into: &atOnce)
    var inTurn = ByteBuffer()
    HTTP1Encoder.statusLine(head.status, reason: head.reasonRange.bytes(in: sample.bytes.span), into: &inTurn)
    head.headers.write(from: sample.bytes.span, into: &inTurn)
    #expect(Wire.text(atOnce.span) == Wire.text(inTurn.span))
  }
}
