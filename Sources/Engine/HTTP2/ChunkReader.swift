import Kernel

/// Finds the content in a chunked message that the engine sends (RFC 9112 §7.1), without moving it.
///
/// `BodyDecoder` takes content out of its framing in place; what is sent may not be changed, as it may be sent again.
struct ChunkReader: ~Copyable {
  enum Step {
    /// The octets do not go on.
    case more
    /// Content; the reader stays before it until `take`. With `endsMessage`, `lastChunk` octets follow and end all.
    case content(Range<Int>, endsMessage: Bool)
    /// The last octet of the message is next, and is left.
    case end
    case malformed
  }

  private enum State { case size, sizeEnd, content, contentReturn, contentEnd, lineStart, line, last }

  /// Octets that end a message without trailers, from behind its content.
  static let lastChunk = 7

  private var state = State.size
  private var remaining = 0
  /// The trailer section's lines, complete at `end`.
  private(set) var trailers = ByteBuffer(capacity: 16)

  private static let longestTrailers = 64 << 10

  mutating func reset() {
    state = .size
    remaining = 0
    trailers.removeAll()
  }

  mutating func next(_ bytes: Span<UInt8>, at position: inout Int) -> Step {
    while position < bytes.count {
      if state == .content {
        let end = position + min(remaining, bytes.count - position)
        let isWhole = end - position == remaining
        return .content(position..<end, endsMessage: isWhole && Self.endsMessage(bytes, at: end))
      }
      if state == .last { return bytes[position] == UInt8(ascii: "\n") ? .end : .malformed }
      if !take(bytes[position]) { return .malformed }
      position += 1
    }
    return .more
  }

  /// Says how much of the content was taken.
  mutating func take(_ count: Int, at position: inout Int) {
    remaining -= count
    position += count
    if remaining == 0 { state = .contentReturn }
  }

  private static func endsMessage(_ bytes: Span<UInt8>, at start: Int) -> Bool {
    bytes.count - start == lastChunk
      && ByteScan.equal(bytes.extracting(start..<bytes.count), ByteScan.bytes(of: "\r\n0\r\n\r\n"))
  }

  /// Takes one octet of framing or trailers; false when it cannot stand there.
  private mutating func take(_ byte: UInt8) -> Bool {
    switch state {
    case .size:
      if byte == UInt8(ascii: "\r") {
        state = .sizeEnd
        return true
      }
      guard let digit = Self.hexadecimal(byte), remaining < 1 << 56 else { return false }
      remaining = remaining << 4 | digit
    case .sizeEnd: state = remaining == 0 ? .lineStart : .content
    case .contentReturn: state = .contentEnd
    case .contentEnd: state = .size
    case .lineStart:
      if byte == UInt8(ascii: "\r") {
        state = .last
        return true
      }
      state = .line
      trailers.append(byte)
    case .line:
      trailers.append(byte)
      if byte == UInt8(ascii: "\n") { state = .lineStart }
      return trailers.count <= Self.longestTrailers
    case .content, .last: preconditionFailure("not framing")
    }
    return true
  }

  private static func hexadecimal(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x41 + 10
    case 0x61...0x66: Int(byte) - 0x61 + 10
    default: nil
    }
  }
}
