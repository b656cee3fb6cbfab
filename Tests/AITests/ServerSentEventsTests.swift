import AI
import Kernel
import Testing

struct ServerSentEventsTests {
  private static let stream = """
    : a comment

    event: first
    data: {"a":1}

    data: one
    data:two
    id: 7
    retry: 10

    data

    event: cut
    data: never complete

    """

  /// The events with data, from the octets in these pieces.
  private func events(_ pieces: [[UInt8]], limit: Int = 1000) throws -> [String] {
    var parser = ServerSentEvents(limit: limit)
    var found: [String] = []
    for piece in pieces {
      var position = 0
      while try parser.next(piece.span, at: &position) {
        if !parser.eventData.isEmpty {
          found.append("\(parser.eventName)=\(String(decoding: parser.eventData, as: UTF8.self))")
        }
      }
    }
    return found
  }

  private static let expected = ["first={\"a\":1}", "=one\ntwo"]

  @Test(arguments: ["\n", "\r\n", "\r"])
  func `a stream means the same however its lines end and it is cut`(_ end: String) throws {
    let bytes = Array(String(Self.stream.dropLast()).withLineEnds(end).utf8)
    #expect(try events([bytes]) == Self.expected)
    for cut in 0...bytes.count {
      #expect(try events([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.expected)
    }
    #expect(try events(bytes.map { [$0] }) == Self.expected)
  }

  @Test func `what came is told again octet for octet`() throws {
    let bytes = Array(Self.stream.withLineEnds("\r\n").utf8)
    for cut in 0...bytes.count {
      var parser = ServerSentEvents()
      var out = ByteBuffer()
      for piece in [Array(bytes[..<cut]), Array(bytes[cut...])] {
        var position = 0
        while try parser.next(piece.span, at: &position) { parser.appendRaw(to: &out) }
      }
      let told = Wire.text(out)
      #expect(bytes.starts(with: told.utf8))
      #expect(told.utf8.count > 80)
    }
  }

  @Test func `a mark of the byte order is no part of the first line`() throws {
    #expect(try events([[0xEF, 0xBB, 0xBF] + Array("data: x\n\n".utf8)]) == ["=x"])
  }

  @Test func `an event without end is too long some day`() {
    #expect(throws: ServerSentEvents.TooLong()) {
      try events(Array(repeating: Array("data: aaaaaaaaaaaaaaaaa\n".utf8), count: 100))
    }
  }
}
