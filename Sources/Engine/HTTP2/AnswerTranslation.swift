import Foreign
import HTTP
import Kernel

/// An answer's head of HTTP/2 as the equivalent head of HTTP/1.1 (RFC 9113 §8.3.2).
///
/// The library has refused what HTTP/2 forbids; the decoder that reads the head judges the rest.
enum AnswerTranslation {
  /// What of a head must be known later.
  struct Meaning {
    var framing = BodyFraming.none
    var isInformational = false
  }

  /// An answer that agrees to a WebSocket as the switch that it is in HTTP/1.1 (RFC 8441 §5).
  ///
  /// - Parameter key: of the request.
  static func encodeSwitch(
    _ fields: borrowing HTTP2Fields, _ lines: Range<Int>, key: inout ByteBuffer, into out: inout ByteBuffer
  ) -> Bool {
    appendStatusLine(101, to: &out)
    for index in lines.dropFirst() where !FieldTranslation.appendLine(fields.name(index), fields.value(index), to: &out)
    {
      return false
    }
    WebSocketHandshake.appendAnswer(to: key.span, to: &out)
    out.append("\r\n")
    return true
  }

  /// Whether the request that is answered was granted.
  static func isSuccess(_ fields: borrowing HTTP2Fields, _ lines: Range<Int>) -> Bool {
    guard let first = lines.first, equals(fields.name(first), ":status"), let status = number(fields.value(first))
    else { return false }
    return 200..<300 ~= status
  }

  /// - Parameter isEnd: no content follows.
  /// - Returns: nil when the answer cannot be said in HTTP/1.1.
  static func encode(
    _ fields: borrowing HTTP2Fields, _ lines: Range<Int>, answering method: Method, isEnd: Bool,
    into out: inout ByteBuffer
  ) -> Meaning? {
    guard let first = lines.first, equals(fields.name(first), ":status"), let status = number(fields.value(first))
    else { return nil }
    var meaning = Meaning(isInformational: status < 200)
    appendStatusLine(status, to: &out)
    var hasLength = false
    var hasTrailers = false
    for index in lines.dropFirst() {
      let name = fields.name(index)
      if equals(name, "content-length") { hasLength = true }
      if FieldTranslation.tellsTrailers(name, fields.value(index)) { hasTrailers = true }
    }
    let mayHaveContent = !meaning.isInformational && status != 204 && status != 304 && method != .head
    // Content of a known length has no place for trailers.
    let isChunked = mayHaveContent && !isEnd && (!hasLength || hasTrailers)
    for index in lines.dropFirst() {
      let name = fields.name(index)
      if name.isEmpty || name[0] == UInt8(ascii: ":") { return nil }
      if isChunked, equals(name, "content-length") { continue }
      if !FieldTranslation.appendLine(name, fields.value(index), to: &out) { return nil }
    }
    if isChunked {
      meaning.framing = .chunked
      out.append("transfer-encoding: chunked\r\n")
    } else if mayHaveContent, isEnd, !hasLength {
      out.append("content-length: 0\r\n")
    }
    out.append("\r\n")
    return meaning
  }

  private static func appendStatusLine(_ status: Int, to out: inout ByteBuffer) {
    out.append("HTTP/1.1 ")
    out.append(decimal: status)
    out.append(" ")
    out.append(Status.reason(status))
    out.append("\r\n")
  }

  /// The status; nil for 101, which HTTP/2 does not know (RFC 9113 §8.6), and for what is none.
  private static func number(_ text: Span<UInt8>) -> Int? {
    guard text.count == 3 else { return nil }
    var number = 0
    for index in text.indices {
      let digit = text[index] &- 0x30
      if digit > 9 { return nil }
      number = number * 10 + Int(digit)
    }
    return 100...599 ~= number && number != 101 ? number : nil
  }

  @inline(__always)
  private static func equals(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
    bytes.count == text.utf8CodeUnitCount && ByteScan.equal(bytes, ByteScan.bytes(of: text))
  }
}
