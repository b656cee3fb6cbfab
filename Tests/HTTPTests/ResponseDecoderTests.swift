import HTTP
import Kernel
import Testing

extension Sample {
  private static func with(_ lines: String, _ error: HTTPError) -> Sample {
    Sample("HTTP/1.1 200 OK\r\n\(lines)\r\n\r\n", error)
  }

  private static func line(_ line: String, _ error: HTTPError) -> Sample {
    Sample("\(line)\r\nContent-Length: 0\r\n\r\n", error)
  }

  static let responses: [Sample] = [
    Sample("HTTP/1.1 200 OK\r\n\r\n", "response|200|OK|1.1|until-close|close|19"),
    Sample(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "response|200|OK|1.1|content-length=5|length 5|keep-alive|38"),
    Sample(
      "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "response|200|OK|1.0|content-length=5|length 5|close|38"),
    Sample(
      "HTTP/1.0 404 \r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
      "response|404||1.0|connection=keep-alive|content-length=0|none|keep-alive|60"),
    Sample(
      "HTTP/1.1 599 A \u{e9}\tb\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
      "response|599|A%20%c3%a9%09b|1.1|transfer-encoding=chunked|connection=close|chunked|close|70"),
    Sample("HTTP/1.1 100 Continue\r\n\r\n", "response|100|Continue|1.1|none|keep-alive|25"),
    Sample(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "response|103|Early%20Hints|1.1|link=</a>|none|keep-alive|40"),
    Sample("HTTP/1.1 204 No Content\r\n\r\n", "response|204|No%20Content|1.1|none|keep-alive|27"),
    Sample(
      "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
      "response|204|No%20Content|1.1|content-length=0|none|keep-alive|46"),
    Sample(
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
      "response|304|Not%20Modified|1.1|content-length=7|none|keep-alive|48"),
  ]

  static let incompleteResponses: [Sample] = [
    Sample("", "incomplete"), Sample("HTTP/1", "incomplete"), Sample("HTTP/1.1", "incomplete"),
    Sample("HTTP/1.1 20", "incomplete"), Sample("HTTP/1.1 200", "incomplete"),
    Sample("HTTP/1.1 200 OK\r\nA: b\r\n", "incomplete"),
  ]

  static let refusedResponses: [Sample] = [
    line("HTTP/1.1 200", .invalidStatusLine),
    line("HTTP/1.1  200 OK", .invalidStatusLine),
    line("HTTP/1.1\t200 OK", .invalidStatusLine),
    line("HTTP/1.1 20 OK", .invalidStatusLine),
    line("HTTP/1.1 2000 OK", .invalidStatusLine),
    line("HTTP/1.1 +20 OK", .invalidStatusLine),
    line("HTTP/1.1 099 OK", .invalidStatus),
    line("HTTP/1.1 600 OK", .invalidStatus),
    line("HTTP/1.1 200 O\u{1}K", .invalidStatusLine),
    line("HTTP/1.1 200 O\0K", .nulByte),
    line("HTTP/1.1 200 O\rK", .bareCarriageReturn),
    line(" HTTP/1.1 200 OK", .invalidVersion),
    line("\r\nHTTP/1.1 200 OK", .invalidVersion),
    line("http/1.1 200 OK", .invalidVersion),
    line("HTTP/2.0 200 OK", .unsupportedVersion),
    line("ICY 200 OK", .invalidVersion),
    Sample("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", .bareLineFeed),
    Sample("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", .unexpectedUpgrade),
    Sample("HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n", .contentNotAllowed),
    Sample("HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\n", .contentNotAllowed),
    Sample("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", .contentNotAllowed),
    Sample("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
    with("Content-Length: 1\r\nContent-Length: 1", .repeatedContentLength),
    with("Content-Length: 1, 1", .invalidContentLength),
    with("Content-Length: 1\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
    with("Transfer-Encoding: gzip", .unknownTransferCoding),
    with("Transfer-Encoding: chunked, gzip", .invalidTransferEncoding),
    with("Transfer_Encoding: chunked", .lookAlikeFieldName),
    with("Connection: content-length", .invalidConnectionOption),
    with("A: b\r\n c", .obsoleteFold),
    with("A : b", .spaceBeforeColon),
    with("A: b\0", .nulByte),
    with("A: " + String(repeating: "a", count: 17_000), .headTooLarge),
  ]
}

@Suite struct ResponseDecoderTests {
  @Test(arguments: Sample.responses + Sample.incompleteResponses)
  func `a valid response means what it says`(_ sample: Sample) {
    #expect(Wire.response(sample.bytes) == sample.result)
  }

  @Test(arguments: Sample.refusedResponses)
  func `an ambiguous or malformed response is refused`(_ sample: Sample) {
    #expect(Wire.response(sample.bytes) == sample.result)
  }

  @Test(arguments: Sample.responses + Sample.incompleteResponses + Sample.refusedResponses)
  func `lines that are recognised as common are judged no differently`(_ sample: Sample) {
    #expect(Wire.response(sample.bytes, isPiecewise: true) == sample.result)
  }

  @Test(arguments: Sample.responses + Sample.incompleteResponses + Sample.refusedResponses)
  func `a response cut anywhere is decoded as if it came whole`(_ sample: Sample) {
    let count = sample.bytes.count
    let cuts = count <= 1000 ? Wire.cuts(count) : (0...200).map { [$0, count] } + [Array(0...count)]
    let expected = Wire.response(sample.bytes)
    for cut in cuts {
      let result = Wire.response(sample.bytes, prefixes: cut)
      #expect(result == expected, "cut at \(cut.first ?? 0)")
      if result != expected { return }
    }
  }

  @Test(arguments: ["Content-Length: 5", "Transfer-Encoding: chunked", "A: b"])
  func `an answer to HEAD has no content whatever it says`(_ line: String) {
    let text = "HTTP/1.1 200 OK\r\n\(line)\r\n\r\n"
    #expect(Wire.response(Array(text.utf8), answering: .head).contains("|none|keep-alive|"))
  }

  @Test func `an answer to HEAD is still checked`() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(Wire.response(Array(text.utf8), answering: .head) == "error|length_and_transfer_encoding")
  }

  @Test func `the empty length of a 204 is not forwarded`() throws {
    let text = "HTTP/1.1 204 No Content\r\nA: b\r\nContent-Length: 0\r\nC: d\r\n\r\n"
    var decoder = ResponseDecoder(limits: HTTPLimits())
    var head = ResponseHead()
    _ = try decoder.decode(text.utf8Span.span, into: &head, answering: .get)
    var out = ByteBuffer()
    head.headers.write(from: text.utf8Span.span, into: &out)
    #expect(Wire.text(out.span) == "A: b\r\nC: d\r\n")
  }
}
