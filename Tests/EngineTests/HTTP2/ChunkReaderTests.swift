import Kernel
import Testing

@testable import Engine

/// Finding content in the chunks that the engine sends, at every split.
@Suite struct ChunkReaderTests {
  /// What the reader finds when the octets come in these pieces and all content is taken.
  private func read(_ pieces: [[UInt8]]) -> (content: String, trailers: String, ended: Bool, rest: Int)? {
    var reader = ChunkReader()
    var content: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
      var position = 0
      while position < piece.count {
        switch reader.next(piece.span, at: &position) {
        case .more: break
        case .malformed: return nil
        case .content(let range, _):
          content += piece[range]
          reader.take(range.count, at: &position)
        case .end:
          let rest = pieces[(index + 1)...].reduce(piece.count - position - 1) { $0 + $1.count }
          return (String(decoding: content, as: UTF8.self), text(reader.trailers), true, rest)
        }
      }
    }
    return (String(decoding: content, as: UTF8.self), text(reader.trailers), false, 0)
  }

  private func text(_ buffer: borrowing ByteBuffer) -> String {
    String(decoding: buffer.span.indices.map { buffer.span[$0] }, as: UTF8.self)
  }

  @Test func `content and trailers are found at every split`() throws {
    let octets = Array("5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n".utf8)
    for split in 0...octets.count {
      let found = try #require(read([Array(octets[..<split]), Array(octets[split...])]))
      #expect(found.content == "hello0123456789abcdef")
      #expect(found.trailers == "x-a: 1\r\nx-b: 2\r\n")
      #expect(found.ended)
      #expect(found.rest == 0)
    }
  }

  @Test func `content that only partly was taken is shown again`() {
    let octets = Array("5\r\nhello\r\n0\r\n\r\n".utf8)
    var reader = ChunkReader()
    var position = 0
    guard case .content(let first, true) = reader.next(octets.span, at: &position) else {
      Issue.record("no content")
      return
    }
    #expect(first == 3..<8)
    reader.take(2, at: &position)
    guard case .content(let second, true) = reader.next(octets.span, at: &position) else {
      Issue.record("no content")
      return
    }
    #expect(second == 5..<8)
  }

  @Test(arguments: [
    "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\nx: y\r\n\r\n", "5\r\nhello\r\n3\r\nabc\r\n",
  ])
  func `the end is announced only when it is there and has no trailers`(text: String) {
    let octets = Array(text.utf8)
    var reader = ChunkReader()
    var position = 0
    guard case .content(_, let endsMessage) = reader.next(octets.span, at: &position) else {
      Issue.record("no content")
      return
    }
    #expect(!endsMessage)
  }

  @Test(arguments: ["x\r\n", "5;a=b\r\n", "ffffffffffffffffff\r\n", "0\r\n\rX"])
  func `what is no chunk is malformed`(text: String) { #expect(read([Array(text.utf8)]) == nil) }
}
