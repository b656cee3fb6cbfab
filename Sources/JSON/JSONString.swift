public import Kernel

/// What stands between the quotes of a JSON string (RFC 8259 §7).
public enum JSONString {
  /// Where the escape that begins at `start` ends.
  static func endOfEscape(in bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    guard start + 1 < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start + 2
    case UInt8(ascii: "u"):
      for index in start + 2..<start + 6 {
        guard index < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
        if digit(bytes[index]) == nil { throw JSONError(.invalidEscape, at: start) }
      }
      return start + 6
    default: throw JSONError(.invalidEscape, at: start)
    }
  }

  /// Appends the text that the content of a string means; half a surrogate pair, which means none, as U+FFFD.
  ///
  /// - Parameter content: what stands between the quotes of a string that was parsed.
  public static func append(decoding content: Span<UInt8>, to out: inout ByteBuffer) {
    var index = 0
    while index < content.count {
      let end = ByteScan.index(of: UInt8(ascii: "\\"), in: content, from: index)
      if end > index { out.append(content.extracting(index..<end)) }
      guard end + 1 < content.count else { return }
      index = append(escapeAt: end, of: content, to: &out)
    }
  }

  private static func append(escapeAt start: Int, of content: Span<UInt8>, to out: inout ByteBuffer) -> Int {
    switch content[start + 1] {
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"): return append(unitsAt: start, of: content, to: &out)
    case let byte: out.append(byte)
    }
    return start + 2
  }

  private static func append(unitsAt start: Int, of content: Span<UInt8>, to out: inout ByteBuffer) -> Int {
    guard let unit = unit(at: start, of: content) else { return content.count }
    if unit & 0xFC00 == 0xD800, let second = Self.unit(at: start + 6, of: content), second & 0xFC00 == 0xDC00 {
      append(scalar: 0x10000 + (unit & 0x3FF) << 10 + second & 0x3FF, to: &out)
      return start + 12
    }
    append(scalar: unit & 0xF800 == 0xD800 ? 0xFFFD : unit, to: &out)
    return start + 6
  }

  /// The number of `\uXXXX` at `start`; nil when there is none.
  private static func unit(at start: Int, of content: Span<UInt8>) -> UInt32? {
    guard start + 6 <= content.count, content[start] == UInt8(ascii: "\\"), content[start + 1] == UInt8(ascii: "u")
    else { return nil }
    var value: UInt32 = 0
    for index in start + 2..<start + 6 {
      guard let digit = digit(content[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  static func append(scalar: UInt32, to out: inout ByteBuffer) {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: scalar >> shift) & 0x3F | 0x80 }
    switch scalar {
    case 0..<0x80: out.append(UInt8(truncatingIfNeeded: scalar))
    case 0x80..<0x800:
      out.append(UInt8(truncatingIfNeeded: scalar >> 6) | 0xC0)
      out.append(tail(0))
    case 0x800..<0x10000:
      out.append(UInt8(truncatingIfNeeded: scalar >> 12) | 0xE0)
      out.append(tail(6))
      out.append(tail(0))
    default:
      out.append(UInt8(truncatingIfNeeded: scalar >> 18) | 0xF0)
      out.append(tail(12))
      out.append(tail(6))
      out.append(tail(0))
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- 0x30
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- 0x57
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- 0x37
    default: nil
    }
  }
}
