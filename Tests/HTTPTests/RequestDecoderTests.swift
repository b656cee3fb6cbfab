import HTTP
import Kernel
import Testing

@Suite struct RequestDecoderTests {
  @Test(arguments: Sample.requests + Sample.incompleteRequests)
  func `a valid request means what it says`(_ sample: Sample) {
    #expect(Wire.request(sample.bytes) == sample.result)
  }

  @Test(arguments: Sample.refusedRequests)
  func `an ambiguous or malformed request is refused`(_ sample: Sample) {
    #expect(Wire.request(sample.bytes) == sample.result)
  }

  @Test(arguments: Sample.requests + Sample.incompleteRequests + Sample.refusedRequests)
  func `lines that are recognised as common are judged no differently`(_ sample: Sample) {
    #expect(Wire.request(sample.bytes, isPiecewise: true) == sample.result)
  }

  @Test(arguments: Sample.requests + Sample.incompleteRequests + Sample.refusedRequests)
  func `a request cut anywhere is decoded as if it came whole`(_ sample: Sample) {
    // Long samples are cut at their ends only: the middle is one repeated byte.
    let count = sample.bytes.count
    let cuts = count <= 1000 ? Wire.cuts(count) : (0...200).map { [$0, count] } + [Array(0...count)]
    let expected = Wire.request(sample.bytes)
    for cut in cuts {
      let result = Wire.request(sample.bytes, prefixes: cut)
      #expect(result == expected, "cut at \(cut.first ?? 0)")
      if result != expected { return }
    }
  }

  @Test func `the parts of a target can be told apart`() throws {
    let cases: [(String, TargetForm, String, String?, String)] = [
      ("GET /p/q?r=s HTTP/1.1\r\nHost: h:1\r\n\r\n", .origin, "/p/q", "r=s", "h:1"),
      ("GET /? HTTP/1.1\r\nHost: h\r\n\r\n", .origin, "/", "", "h"),
      ("GET http://h?r HTTP/1.1\r\nHost: h\r\n\r\n", .absolute, "", "r", "h"),
      ("GET http://H:8/p HTTP/1.0\r\nHost: h:8\r\n\r\n", .absolute, "/p", nil, "H:8"),
      ("GET http://h:80/p HTTP/1.1\r\nHost: H\r\n\r\n", .absolute, "/p", nil, "h:80"),
      ("GET HTTPS://h/ HTTP/1.1\r\nHost: h:443\r\n\r\n", .absolute, "/", nil, "h"),
      ("GET /p HTTP/1.0\r\n\r\n", .origin, "/p", nil, ""),
      ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", .asterisk, "", nil, "h"),
      ("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", .authority, "", nil, "h:1"),
    ]
    for (text, form, path, query, host) in cases {
      var decoder = RequestDecoder(limits: HTTPLimits())
      var head = RequestHead()
      let source = text.utf8Span.span
      let done = try decoder.decode(source, into: &head)
      #expect(done)
      let decodedForm = head.form
      #expect(decodedForm == form)
      let decodedPath = Wire.text(head.pathRange.bytes(in: source))
      #expect(decodedPath == path)
      let decodedQuery = head.hasQuery ? Wire.text(head.queryRange.bytes(in: source)) : nil
      #expect(decodedQuery == query)
      let decodedHost = Wire.text(head.hostRange.bytes(in: source))
      #expect(decodedHost == host)
    }
  }

  @Test(arguments: [
    ("/", true), ("/a/b.html", true), ("/a..b", true), ("/a.", true), ("/.a", false), ("/a/../b", false),
    ("/%41", false), ("/a;b=c", true), ("/a?/../%41", true),
  ])
  func `a path that needs normalising is noticed`(_ target: String, _ isNormal: Bool) throws {
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    let text = "GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n"
    _ = try decoder.decode(text.utf8Span.span, into: &head)
    let decoded = head.pathIsNormal
    #expect(decoded == isNormal)
  }

  @Test(arguments: [
    ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n", true),
    ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", false),
    ("POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", false),
  ])
  func `an expectation counts only with content and in HTTP 1 1`(_ text: String, _ expects: Bool) throws {
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    _ = try decoder.decode(text.utf8Span.span, into: &head)
    let decoded = head.expectsContinue
    #expect(decoded == expects)
  }

  @Test func `a decoder and a head serve one request after another`() throws {
    let first = "POST /a?b HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n"
    let second = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    _ = try decoder.decode(first.utf8Span.span, into: &head)
    head.headers.set("x-y", "z", in: first.utf8Span.span)
    _ = try decoder.decode(second.utf8Span.span, into: &head)
    var out = ByteBuffer()
    MessageSummary.append(head, second.utf8Span.span, to: &out)
    #expect(Wire.text(out.span) == "request|GET|/|1.1|host=h|none|keep-alive")
    out.removeAll()
    head.headers.write(from: second.utf8Span.span, into: &out)
    #expect(Wire.text(out.span) == "Host: h\r\n")
    let hasQuery = head.hasQuery
    #expect(!hasQuery)
  }

  @Test func `a head as long as the limit passes and one byte more is refused`() {
    let text = Array("GET / HTTP/1.1\r\nHost: h\r\nX: yyyy\r\n\r\n".utf8)
    let fits = HTTPLimits(head: text.count)
    let exceeds = HTTPLimits(head: text.count - 1)
    #expect(Wire.request(text + [0x47], limits: fits).hasPrefix("request|"))
    #expect(Wire.request(text, limits: exceeds) == "error|head_too_large")
  }

  @Test(arguments: HTTPError.allCases)
  func `every mistake has a status and a word of its own`(_ error: HTTPError) {
    #expect([400, 413, 414, 417, 431, 501, 505].contains(error.status))
    let words = HTTPError.allCases.map { "\($0.reason)" }
    #expect(words.filter { $0 == "\(error.reason)" }.count == 1)
    #expect("\(error.reason)".allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" })
  }

  @Test(arguments: [Method.get, .head, .post, .put, .delete, .options, .patch, .trace, .connect])
  func `every method is known by its name, in that case and only whole`(_ method: Method) {
    let text = "\(method.text)"
    #expect(Method(text.utf8Span.span) == method)
    #expect(Method(text.lowercased().utf8Span.span) == .other)
    #expect(Method((text + "X").utf8Span.span) == .other)
    #expect(Method(String(text.dropLast()).utf8Span.span) == .other)
  }

  @Test func `more fields than a first guess are kept in order`() throws {
    let names = (0..<99).map { "X-\($0)" }
    let text = "GET / HTTP/1.1\r\nHost: h\r\n" + names.map { "\($0): \($0)\r\n" }.joined() + "\r\n"
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    _ = try decoder.decode(text.utf8Span.span, into: &head)
    var seen: [String] = []
    head.headers.forEach(in: text.utf8Span.span) { name, value in
      if Wire.text(name) == Wire.text(value) { seen.append(Wire.text(name)) }
    }
    #expect(seen == names)
  }
}
