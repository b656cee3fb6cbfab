import Kernel

extension HeaderBlock {
  /// Decodes whole field lines (RFC 9112 §5) from `position` on, and moves it behind each.
  ///
  /// The scan takes the common lines; what it stops at is judged here, by the definition. An incomplete line is left
  /// where it is and looked at again with more bytes.
  /// - Returns: true once the empty line is behind `position`.
  mutating func decodeLines(
    _ bytes: Span<UInt8>, at position: inout Int, limit: Int, isPiecewise: Bool = false
  ) throws(HTTPError) -> Bool {
    while true {
      if !isPiecewise {
        position = fields.scan(
          bytes, from: position, names: FieldName.table, limit: limit, flagged: FieldName.hopByHop.mask,
          flag: Field.Flags.hopByHop.rawValue, flaggedCount: &unforwarded)
      }
      let start = position
      if start &+ 1 < bytes.count, bytes[start] == Self.cr, bytes[start &+ 1] == Self.lf {
        end = UInt32(truncatingIfNeeded: start)
        position = start &+ 2
        return true
      }
      guard let lineEnd = try decodeLine(bytes, at: start, limit: limit) else { return false }
      position = lineEnd
    }
  }

  /// Decodes one field line that is not a common one: incomplete, odd or wrong; nil when more bytes are needed.
  private mutating func decodeLine(_ bytes: Span<UInt8>, at start: Int, limit: Int) throws(HTTPError) -> Int? {
    guard let nameEnd = try Self.endOfName(bytes, from: start) else { return nil }
    var valueStart = nameEnd &+ 1
    while valueStart < bytes.count, Self.isSpace(bytes[valueStart]) { valueStart &+= 1 }
    let lineEnd = ByteScan.endOfFieldValue(in: bytes, from: valueStart)
    if lineEnd >= bytes.count { return nil }
    if bytes[lineEnd] != Self.cr { throw Self.valueMistake(bytes[lineEnd]) }
    if lineEnd &+ 1 >= bytes.count { return nil }
    if bytes[lineEnd &+ 1] != Self.lf { throw .bareCarriageReturn }
    var valueEnd = lineEnd
    while valueEnd > valueStart, Self.isSpace(bytes[valueEnd &- 1]) { valueEnd &-= 1 }

    if fields.count >= limit { throw .tooManyFields }
    let name = bytes.extracting(start..<nameEnd)
    let known = FieldName.known(name)
    if known == .other, Self.looksLikeAnother(name) { throw .lookAlikeFieldName }
    if known.isHopByHop { unforwarded += 1 }
    fields.append(
      Field(
        nameStart: UInt32(start), nameLength: UInt16(name.count), number: known.rawValue,
        flags: known.isHopByHop ? Field.Flags.hopByHop.rawValue : 0, valueStart: UInt32(valueStart),
        valueLength: UInt32(valueEnd - valueStart)))
    return lineEnd &+ 2
  }

  /// Where the colon stands behind a name; nil when more bytes are needed.
  private static func endOfName(_ bytes: Span<UInt8>, from start: Int) throws(HTTPError) -> Int? {
    let end = ByteScan.endOfToken(in: bytes, from: start)
    if end &- start > HTTPLimits.fieldName { throw .fieldNameTooLong }
    if end >= bytes.count { return nil }
    if end > start, bytes[end] == UInt8(ascii: ":") { return end }
    if end == start, bytes[start] == cr {
      if start &+ 1 >= bytes.count { return nil }
      throw .bareCarriageReturn
    }
    throw mistake(in: bytes, at: end, isFirst: end == start)
  }

  static let cr = UInt8(ascii: "\r")
  static let lf = UInt8(ascii: "\n")

  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// `tchar` (RFC 9110 §5.6.2), a bit for each ASCII byte.
  static func isTokenByte(_ byte: UInt8) -> Bool {
    if byte < 64 { return 0x03ff_6cfa_0000_0000 as UInt64 >> UInt64(byte) & 1 != 0 }
    return byte < 128 && 0x57ff_ffff_c7ff_fffe as UInt64 >> UInt64(byte - 64) & 1 != 0
  }

  /// What is wrong with a name that ends at something other than its colon.
  private static func mistake(in bytes: Span<UInt8>, at index: Int, isFirst: Bool) -> HTTPError {
    switch bytes[index] {
    case UInt8(ascii: ":"): .emptyFieldName
    case 0x20, 0x09: isFirst ? .obsoleteFold : .spaceBeforeColon
    case cr: .missingColon
    case lf: .bareLineFeed
    case 0: .nulByte
    default: .invalidFieldName
    }
  }

  static func valueMistake(_ byte: UInt8) -> HTTPError {
    switch byte {
    case lf: .bareLineFeed
    case 0: .nulByte
    default: .invalidFieldValue
    }
  }

  /// Names of which no look-alike may pass: origins that fold punctuation (as CGI does) would read it as the field.
  private static let imitated: [FieldName] = [
    .contentLength, .transferEncoding, .keepAlive, .proxyConnection, .proxyAuthorization, .xForwardedFor,
    .xForwardedProto, .xForwardedHost, .xForwardedPort, .xRealIP, .xRequestID, .xFault, .maxForwards,
  ]

  /// Whether other punctuation stands where a known name has `-`, as in `transfer_encoding`.
  private static func looksLikeAnother(_ name: Span<UInt8>) -> Bool {
    for candidate in imitated {
      let text = ByteScan.bytes(of: candidate.text)
      if text.count == name.count, text.indices.allSatisfy({ folds(name[$0], to: text[$0]) }) { return true }
    }
    return false
  }

  private static func folds(_ byte: UInt8, to expected: UInt8) -> Bool {
    let lower = byte | 0x20
    let isAlphanumeric = (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39)
    return isAlphanumeric ? lower == expected | 0x20 : expected == UInt8(ascii: "-")
  }
}
