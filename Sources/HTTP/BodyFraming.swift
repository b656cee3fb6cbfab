import Kernel

/// How a message's content is delimited (RFC 9112 §6.3).
public enum BodyFraming: Sendable, Equatable {
  /// There is no content.
  case none
  /// So many bytes; never zero.
  case length(Int)
  case chunked
  /// Up to the end of the connection: responses only.
  case untilClose
}

extension HeaderBlock {
  /// What Content-Length and Transfer-Encoding say together.
  enum Delimiting {
    case absent
    case length(Int)
    case chunked
  }

  /// Reads the framing fields, and refuses every combination that two parsers could read differently.
  func delimiting(_ bytes: Span<UInt8>, minorVersion: UInt8) throws(HTTPError) -> Delimiting {
    if !present.intersects(Self.framing) { return .absent }
    if present.contains(.transferEncoding) {
      if present.contains(.contentLength) { throw .lengthAndTransferEncoding }
      if minorVersion == 0 { throw .transferEncodingInHTTP10 }
      if repeated.contains(.transferEncoding) { throw .invalidTransferEncoding }
      if let field = fields.first(.transferEncoding) {
        if Self.hasTab(around: field, bytes) { throw .invalidTransferEncoding }
        try Self.requireChunked(field.value(in: bytes))
      }
      return .chunked
    }
    if repeated.contains(.contentLength) { throw .repeatedContentLength }
    guard let field = fields.first(.contentLength) else { return .absent }
    if Self.hasTab(around: field, bytes) { throw .invalidContentLength }
    return .length(try Self.length(field.value(in: bytes)))
  }

  /// Whether a tab stands between the value and its colon or CRLF. It is white space by the grammar (RFC 9110 §5.6.3),
  /// but some parsers make it part of the value, and then see other framing.
  private static func hasTab(around field: Field, _ bytes: Span<UInt8>) -> Bool {
    for index in Int(field.nameStart) &+ Int(field.nameLength)..<Int(field.valueStart) where bytes[index] == 0x09 {
      return true
    }
    let behind = Int(field.valueStart) &+ Int(field.valueLength)
    return bytes[behind] == 0x09
      || (bytes[behind] == 0x20
        && ByteScan.index(of: 0x09, in: bytes, from: behind) < ByteScan.index(of: cr, in: bytes, from: behind))
  }

  private static let framing = FieldNames(.contentLength, .transferEncoding)

  /// A list such as `5, 5` is refused, though RFC 9110 §8.6 would allow to repair it.
  private static func length(_ value: Span<UInt8>) throws(HTTPError) -> Int {
    if value.isEmpty { throw .invalidContentLength }
    var length = 0
    var overflows = false
    for index in value.indices {
      let digit = value[index] &- 0x30
      if digit > 9 { throw .invalidContentLength }
      if length > (Int.max - 9) / 10 { overflows = true }
      length = length &* 10 &+ Int(digit)
    }
    if overflows { throw .contentLengthOverflow }
    return length
  }

  /// The only coding that Sluice forwards is `chunked` alone. Another coding is unknown (RFC 9112 §6.1: 501);
  /// `chunked` twice or before another coding, parameters and empty elements are malformed.
  private static func requireChunked(_ value: Span<UInt8>) throws(HTTPError) {
    if ByteScan.equalIgnoringCase(value, ByteScan.bytes(of: "chunked")) { return }
    var start = 0
    var sawChunked = false
    var sawOther = false
    while let element = nextElement(of: value, from: &start) {
      let coding = element.bytes(in: value)
      if coding.isEmpty || ByteScan.endOfToken(in: coding, from: 0) < coding.count || sawChunked {
        throw .invalidTransferEncoding
      }
      if ByteScan.equalIgnoringCase(coding, ByteScan.bytes(of: "chunked")) {
        sawChunked = true
      } else {
        sawOther = true
      }
    }
    throw sawOther ? .unknownTransferCoding : .invalidTransferEncoding
  }

  /// The next element of a comma-separated list, without the white space around it, possibly empty.
  static func nextElement(of value: Span<UInt8>, from start: inout Int) -> ByteRange? {
    if start > value.count { return nil }
    let comma = ByteScan.index(of: UInt8(ascii: ","), in: value, from: start)
    var first = start
    var end = comma
    while first < end, isSpace(value[first]) { first += 1 }
    while end > first, isSpace(value[end - 1]) { end -= 1 }
    start = comma + 1
    return ByteRange(first..<end)
  }
}
