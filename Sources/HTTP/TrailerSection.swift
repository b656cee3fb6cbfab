import Kernel

/// The fields behind a chunked body (RFC 9112 §7.1.2), kept apart from the head's.
struct TrailerSection: ~Copyable {
  var headers = HeaderBlock()
  private var bytes = ByteBuffer(capacity: 256)
  private var position = 0
  private(set) var isDone = false

  mutating func reset() {
    headers.reset()
    bytes.removeAll()
    position = 0
    isDone = false
  }

  mutating func show(_ body: (inout HeaderBlock, Span<UInt8>) -> Void) {
    Self.show(&headers, bytes, body)
  }

  private static func show(
    _ headers: inout HeaderBlock, _ bytes: borrowing ByteBuffer, _ body: (inout HeaderBlock, Span<UInt8>) -> Void
  ) {
    body(&headers, bytes.span)
  }

  /// Takes lines up to the empty one; returns how many bytes it consumed.
  mutating func decode(_ source: Span<UInt8>, limits: HTTPLimits) throws(HTTPError) -> Int {
    var consumed = 0
    while consumed < source.count, !isDone {
      let lineFeed = ByteScan.index(of: HeaderBlock.lf, in: source, from: consumed)
      let end = min(lineFeed + 1, source.count)
      if bytes.count + end - consumed > limits.trailers { throw .trailersTooLarge }
      bytes.append(source.extracting(consumed..<end))
      consumed = end
      if lineFeed == source.count { return consumed }
      isDone = try Self.decodeLines(bytes, at: &position, into: &headers, limit: limits.headers)
    }
    if isDone {
      for index in headers.fields.indices where headers.fields[index].name.isForbiddenInTrailer {
        throw .forbiddenTrailer
      }
    }
    return consumed
  }

  private static func decodeLines(
    _ bytes: borrowing ByteBuffer, at position: inout Int, into headers: inout HeaderBlock, limit: Int
  ) throws(HTTPError) -> Bool {
    try headers.decodeLines(bytes.span, at: &position, limit: limit)
  }
}
