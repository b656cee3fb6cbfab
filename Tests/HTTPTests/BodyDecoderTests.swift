import HTTP
import Kernel
import Testing

extension Sample {
  static let chunkedBodies: [Sample] = [
    Sample("0\r\n\r\n", "|done|0 left"),
    Sample("5\r\nhello\r\n0\r\n\r\n", "hello|done|0 left"),
    Sample("5\r\nhello\r\n0\r\n\r\nGET /", "hello|done|5 left"),
    Sample("5\r\nhello\r\n1\r\n,\r\n0005\r\nworld\r\n000\r\n\r\n", "hello,world|done|0 left"),
    Sample("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789|done|0 left"),
    Sample("1;a\r\nx\r\n1;a=b;c=\"d e\"\r\ny\r\n0;e\r\n\r\n", "xy|done|0 left"),
    Sample("1; a = b ; c\r\nx\r\n0\r\n\r\n", "x|done|0 left"),
    Sample("1;a=\"\";b=\"\\\";\\\\\u{e9}\t\" \t\r\nx\r\n0;\tz\r\n\r\n", "x|done|0 left"),
    Sample("1\r\nx\r\n0\r\nX-Sum: 5\r\ny:z\r\n\r\nrest", "x|x-sum=5|y=z|done|4 left"),
    Sample("2\r\n\r\n\r\n0\r\n\r\n", "%0d%0a|done|0 left"),
    Sample("5\r\nhel", "hel|open"),
    Sample("5\r\nhello\r\n0\r\nA: b\r\n", "hello|open"),
  ]

  static let refusedBodies: [Sample] = [
    Sample("\r\n", .invalidChunkSize),
    Sample("\n", .bareLineFeed),
    Sample("g\r\n", .invalidChunkSize),
    Sample("0x5\r\n", .invalidChunkSize),
    Sample("+5\r\n", .invalidChunkSize),
    Sample("-5\r\n", .invalidChunkSize),
    Sample(" 5\r\n", .invalidChunkSize),
    Sample("5 \r\n", .invalidChunkSize),
    Sample("5 ;a\r\n", .invalidChunkSize),
    Sample("5_0\r\n", .invalidChunkSize),
    Sample("5\n", .bareLineFeed),
    Sample("5\rx", .bareCarriageReturn),
    Sample("5\0\r\n", .invalidChunkSize),
    Sample("1000000000000000\r\n", .invalidChunkSize),
    Sample("0000000000000005\r\n", .invalidChunkSize),
    Sample("ffffffffffffffff1\r\n", .invalidChunkSize),
    Sample("1;\r\n", .invalidChunkExtension),
    Sample("1;a;\r\n", .invalidChunkExtension),
    Sample("1;;a\r\n", .invalidChunkExtension),
    Sample("1;=b\r\n", .invalidChunkExtension),
    Sample("1;a=\r\n", .invalidChunkExtension),
    Sample("1;a=b=c\r\n", .invalidChunkExtension),
    Sample("1;a b\r\n", .invalidChunkExtension),
    Sample("1;a=b c\r\n", .invalidChunkExtension),
    Sample("1;a=/b\r\n", .invalidChunkExtension),
    Sample("1;a=\"b\r\n", .invalidChunkExtension),
    Sample("1;a=\"b\"c\r\n", .invalidChunkExtension),
    Sample("1;a=\"\\\r\n", .invalidChunkExtension),
    Sample("1;a=\"b\\\u{7f}\"\r\n", .invalidChunkExtension),
    Sample("1;\"a\"\r\n", .invalidChunkExtension),
    Sample("1;a\n", .bareLineFeed),
    Sample("1;a\0\r\n", .invalidChunkExtension),
    Sample("1;a\rb", .bareCarriageReturn),
    Sample("1;" + String(repeating: "a", count: 300) + "\r\nx\r\n", .chunkExtensionTooLong),
    Sample(
      String(repeating: "1;" + String(repeating: "a", count: 200) + "\r\nx\r\n", count: 90), .chunkExtensionTooLong),
    Sample("1\r\nxy\r\n", .invalidChunkEnd),
    Sample("1\r\nx\n0\r\n\r\n", .invalidChunkEnd),
    Sample("1\r\nx\r0\r\n\r\n", .invalidChunkEnd),
    Sample("1\r\nx0\r\n\r\n", .invalidChunkEnd),
    Sample("0\r\n\rx", .bareCarriageReturn),
    Sample("0\r\n\n", .bareLineFeed),
    Sample("0\r\nA : b\r\n", .spaceBeforeColon),
    Sample("0\r\nA: b\r\n c\r\n\r\n", .obsoleteFold),
    Sample("0\r\nA: b\nB: c\r\n\r\n", .bareLineFeed),
    Sample("0\r\nA: b\0\r\n\r\n", .nulByte),
    Sample("0\r\nno colon\r\n\r\n", .spaceBeforeColon),
    Sample("0\r\n" + String(repeating: "X: y\r\n", count: 101) + "\r\n", .tooManyFields),
    Sample("0\r\nX: " + String(repeating: "y", count: 9000) + "\r\n\r\n", .trailersTooLarge),
    Sample("0\r\ntransfer_encoding: chunked\r\n\r\n", .lookAlikeFieldName),
  ]
}

@Suite struct BodyDecoderTests {
  @Test(arguments: Sample.chunkedBodies + Sample.refusedBodies)
  func `chunked content is taken out of its framing`(_ sample: Sample) {
    #expect(Wire.body([sample.bytes], .chunked) == sample.result)
  }

  @Test(arguments: Sample.chunkedBodies + Sample.refusedBodies)
  func `chunked content cut anywhere gives the same`(_ sample: Sample) {
    let count = sample.bytes.count
    let cuts = count <= 1000 ? Wire.cuts(count) : (0...300).map { [$0, count] } + [Array(0...count)]
    for cut in cuts {
      let result = Wire.body(Wire.pieces(sample.bytes, cut), .chunked)
      #expect(result == sample.result, "cut at \(cut.first ?? 0)")
      if result != sample.result { return }
    }
  }

  @Test(arguments: [
    "Content-Length", "transfer-encoding", "Host", "Connection", "TE", "Trailer", "Upgrade", "Keep-Alive", "Expect",
    "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "WWW-Authenticate", "X-Forwarded-For", "Forwarded",
    "Via", "Content-Type", "Content-Encoding", "Content-Range", "Range", "If-Match", "Max-Forwards", "Cache-Control",
    "Location", "Date",
  ])
  func `a trailer that frames, routes or authenticates is refused`(_ name: String) {
    let text = "1\r\nx\r\n0\r\n\(name): 1\r\n\r\n"
    #expect(Wire.body([Array(text.utf8)], .chunked) == "error|forbidden_trailer")
  }

  @Test(arguments: [0, 1, 3, 5])
  func `content with a length ends where it says`(_ cut: Int) {
    let bytes = Array("helloGET".utf8)
    #expect(Wire.body(Wire.pieces(bytes, [cut, 8]), .length(5)) == "hello|done|3 left")
    #expect(Wire.body(Wire.pieces(bytes, [cut, 5]), .length(6)) == "hello|open")
  }

  @Test func `content without framing goes on until the connection ends`() throws {
    #expect(Wire.body([Array("ab".utf8), Array("c".utf8)], .untilClose) == "abc|open")
    var decoder = BodyDecoder(.untilClose, limits: HTTPLimits())
    try decoder.end()
    let isDone = decoder.isDone
    #expect(isDone)
  }

  @Test(arguments: [BodyFraming.length(1), .chunked])
  func `a connection that ends inside a body is an error`(_ framing: BodyFraming) {
    #expect(throws: HTTPError.truncatedMessage) {
      var decoder = BodyDecoder(framing, limits: HTTPLimits())
      try decoder.end()
    }
  }

  @Test(arguments: [BodyFraming.none, .length(0)])
  func `a message without content consumes nothing`(_ framing: BodyFraming) {
    #expect(Wire.body([Array("GET".utf8)], framing) == "|done|3 left")
  }

  @Test func `extensions that data pays for may go on`() {
    let chunk =
      "400;chunk-signature=" + String(repeating: "a", count: 64) + "\r\n" + String(repeating: "x", count: 1024)
    let text = String(repeating: chunk + "\r\n", count: 500) + "0\r\n\r\n"
    #expect(Wire.body([Array(text.utf8)], .chunked).hasSuffix("x|done|0 left"))
  }

  @Test func `one chunk decoded in place is not moved and several are joined`() throws {
    var bytes = Array("5\r\nhello\r\n2\r\n!!\r\n".utf8)
    var decoder = BodyDecoder(.chunked, limits: HTTPLimits())
    var span = bytes.mutableSpan
    let step = try decoder.decodeInPlace(&span)
    #expect(step.consumed == 17 && step.start == 3 && step.produced == 7 && !step.done)
    #expect(Wire.text(bytes.span.extracting(3..<10)) == "hello!!")
  }

  @Test func `a decoder serves one body after another`() throws {
    var decoder = BodyDecoder(.chunked, limits: HTTPLimits())
    for round in 0..<3 {
      decoder.begin(.chunked)
      var bytes = Array("3;e\r\nabc\r\n0\r\nA: \(round)\r\n\r\n".utf8)
      var span = bytes.mutableSpan
      let step = try decoder.decode(&span)
      #expect(step.done && step.produced == 3)
      var trailers = ""
      decoder.withTrailers { headers, source in
        headers.forEach(in: source) { name, value in trailers += "\(Wire.text(name))=\(Wire.text(value))" }
      }
      #expect(trailers == "A=\(round)")
      decoder.begin(.length(1))
      let hasTrailers = decoder.hasTrailers
      #expect(!hasTrailers)
    }
  }
}
