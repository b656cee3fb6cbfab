import Foreign
import HTTP
import Kernel
import Testing

@testable import Engine

/// Heads of HTTP/2 answers put down as HTTP/1.1.
@Suite struct AnswerTranslationTests {
  private typealias Lines = [(String, String)]

  private func fields(_ lines: Lines) -> HTTP2Fields {
    var fields = HTTP2Fields()
    for (name, value) in lines { fields.append(name.utf8Span.span, value.utf8Span.span) }
    return fields
  }

  private func text(_ buffer: borrowing ByteBuffer) -> String {
    String(decoding: buffer.span.indices.map { buffer.span[$0] }, as: UTF8.self)
  }

  /// The head of HTTP/1.1; nil when it cannot be said.
  private func said(_ lines: Lines, to method: Method = .get, isEnd: Bool = false) -> (
    text: String, meaning: AnswerTranslation.Meaning
  )? {
    var out = ByteBuffer()
    let fields = fields(lines)
    guard
      let meaning = AnswerTranslation.encode(fields, 0..<fields.count, answering: method, isEnd: isEnd, into: &out)
    else { return nil }
    return (text(out), meaning)
  }

  @Test func `content whose length is told keeps it`() throws {
    let head = try #require(said([(":status", "200"), ("content-length", "5"), ("x-a", "b")]))
    #expect(head.text == "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\n\r\n")
    #expect(head.meaning.framing == .none)
  }

  @Test func `content whose length is not told, or that trailers follow, comes in chunks`() throws {
    for lines: Lines in [[], [("content-length", "5"), ("trailer", "x-sum")]] {
      let head = try #require(said([(":status", "200")] + lines))
      #expect(head.text.hasSuffix("transfer-encoding: chunked\r\n\r\n"))
      #expect(!head.text.contains("content-length"))
      #expect(head.meaning.framing == .chunked)
    }
  }

  @Test func `an answer that ends with its head has the length of nothing`() throws {
    let head = try #require(said([(":status", "404")], isEnd: true))
    #expect(head.text == "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
  }

  @Test(arguments: [("204", Method.get), ("304", .get), ("200", .head)])
  func `an answer that can have no content says nothing of its framing`(status: String, method: Method) throws {
    for isEnd in [false, true] {
      let head = try #require(said([(":status", status), ("x-a", "b")], to: method, isEnd: isEnd))
      #expect(head.text.hasSuffix("\r\nx-a: b\r\n\r\n"))
      #expect(head.meaning.framing == .none)
    }
    let told = try #require(said([(":status", status), ("content-length", "9")], to: method))
    #expect(told.text.hasSuffix("\r\ncontent-length: 9\r\n\r\n"))
  }

  @Test func `an interim answer is one`() throws {
    let head = try #require(said([(":status", "103"), ("link", "</a.css>; rel=preload")]))
    #expect(head.text == "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n")
    #expect(head.meaning.isInformational)
  }

  @Test(arguments: ["", "20", "2000", "20x", "099", "600", "101", "-20", " 20"])
  func `what is no status is no answer`(status: String) { #expect(said([(":status", status)]) == nil) }

  @Test func `lines that HTTP/1.1 would read differently are no answer`() {
    let bad: [Lines] = [
      [], [("x-a", "b")], [("x-a", "b"), (":status", "200")], [(":status", "200"), (":status", "200")],
      [(":status", "200"), (":path", "/")], [(":status", "200"), ("", "b")], [(":status", "200"), ("x a", "b")],
      [(":status", "200"), ("x:a", "b")], [(":status", "200"), ("x-a", "b\r\nx-c: d")],
      [(":status", "200"), ("x-a", "b\nc")], [(":status", "200"), ("x-a", "b\0c")],
    ]
    for lines in bad { #expect(said(lines) == nil, "\(lines)") }
  }

  @Test func `only a success grants a conversation, and it becomes a switch`() throws {
    for (status, grants) in [("200", true), ("299", true), ("199", false), ("300", false), ("404", false), ("", false)]
    {
      let fields = fields([(":status", status)])
      #expect(AnswerTranslation.isSuccess(fields, 0..<1) == grants)
    }
    var key = ByteBuffer()
    key.append("dGhlIHNhbXBsZSBub25jZQ==")
    var out = ByteBuffer()
    let fields = fields([(":status", "200"), ("sec-websocket-protocol", "chat")])
    #expect(AnswerTranslation.encodeSwitch(fields, 0..<2, key: &key, into: &out))
    let head = text(out)
    #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-protocol: chat\r\n"))
    // The example of RFC 6455 §1.3.
    #expect(head.lowercased().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"))
    #expect(head.hasSuffix("\r\n\r\n"))
  }

  // MARK: As it comes

  /// The frames of a whole answer.
  private func frames(of answer: Lines, trailers: Lines, to request: [UInt8]) throws -> [UInt8] {
    let server = try HTTP2Session(.server, HTTP2Options())
    #expect(try server.feed(request.span) == request.count)
    while server.nextEvent() != nil {}
    var output = IOBuffer()
    output.lease(from: BufferPool(blockSize: 64 << 10, keep: 1))
    server.submitInformational(fields([(":status", "103"), ("x-hint", "1")]), to: 0)
    server.submitResponse(fields(answer), to: 0, isEnd: false)
    #expect(try server.offer("hello".utf8Span.span, end: .content, of: 0, into: &output) == (5, true))
    server.submitTrailers(fields(trailers), to: 0)
    _ = try server.produce(into: &output)
    return octets(output)
  }

  private func octets(_ buffer: borrowing IOBuffer) -> [UInt8] {
    buffer.readable.indices.map { buffer.readable[$0] }
  }

  /// A session that has asked, and what it said.
  private func client() throws -> (HTTP2Session, [UInt8]) {
    let client = try HTTP2Session(.client, HTTP2Options())
    let request: Lines = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
    #expect(client.submitRequest(fields(request), isEnd: true) == 0)
    var output = IOBuffer()
    output.lease(from: BufferPool(blockSize: 64 << 10, keep: 1))
    _ = try client.produce(into: &output)
    return (client, octets(output))
  }

  @Test func `an answer is the same at every split of its frames`() throws {
    let answer = try frames(
      of: [(":status", "200"), ("x-a", "b"), ("trailer", "x-sum")], trailers: [("x-sum", "5")], to: client().1)
    for split in 0...answer.count {
      let (session, _) = try client()
      var out = ByteBuffer()
      var isFinal = false
      for piece in [answer[..<split], answer[split...]] {
        let piece = Array(piece)
        var fed = 0
        while fed < piece.count {
          let taken = try session.feed(piece.span.extracting(fed..<piece.count))
          while let event = session.nextEvent() {
            switch event {
            case .head(_, let lines, _, _, let isEnd) where isFinal:
              #expect(isEnd)
              #expect(FieldTranslation.appendTrailers(session.received, lines, to: &out))
            case .head(_, let lines, _, _, let isEnd):
              let meaning = try #require(
                AnswerTranslation.encode(session.received, lines, answering: .get, isEnd: isEnd, into: &out))
              isFinal = !meaning.isInformational
            case .data(_, let range): out.append(piece.span.extracting(range.lowerBound + fed..<range.upperBound + fed))
            default: break
            }
          }
          fed += taken
        }
      }
      #expect(
        text(out) == """
          HTTP/1.1 103 Early Hints\r\nx-hint: 1\r\n\r\nHTTP/1.1 200 OK\r\nx-a: b\r\ntrailer: x-sum\r\n\
          transfer-encoding: chunked\r\n\r\nhellox-sum: 5\r\n
          """, "split at \(split)")
    }
  }
}
