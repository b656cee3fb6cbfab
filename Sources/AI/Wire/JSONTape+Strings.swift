import JSON
import Kernel

extension JSONTape {
  /// Where the quote stands that ends a string, and whether there are escapes before it.
  ///
  /// - Parameter start: behind the quote that begins it.
  static func endOfString(
    _ text: Span<UInt8>, from start: Int
  ) throws(MalformedJSON) -> (position: Int, isEscaped: Bool) {
    var position = start
    var isEscaped = false
    while true {
      position = ByteScan.endOfPlainJSON(in: text, from: position)
      guard position < text.count else { throw MalformedJSON(problem: .truncated, offset: position) }
      switch text[position] {
      case UInt8(ascii: "\""): return (position, isEscaped)
      case UInt8(ascii: "\\"):
        isEscaped = true
        try passEscape(text, &position)
      case 0x7F: position += 1
      case 0x80...:
        let sequence = UTF8Sequence(at: position, of: text)
        if !sequence.isValid { throw MalformedJSON(problem: .invalidText, offset: position) }
        position += sequence.length
      default: throw MalformedJSON(problem: .unexpected, offset: position)
      }
    }
  }

  /// Passes over an escape; of a surrogate both halves must be there (RFC 8259 §8.2).
  private static func passEscape(_ text: Span<UInt8>, _ position: inout Int) throws(MalformedJSON) {
    guard position + 1 < text.count else { throw MalformedJSON(problem: .truncated, offset: position) }
    switch text[position + 1] {
    case UInt8(ascii: "u"):
      let unit = try passCodeUnit(text, &position)
      if 0xDC00...0xDFFF ~= unit { throw MalformedJSON(problem: .invalidText, offset: position) }
      guard 0xD800...0xDBFF ~= unit else { return }
      guard position + 1 < text.count else { throw MalformedJSON(problem: .truncated, offset: position) }
      guard text[position] == UInt8(ascii: "\\"), text[position + 1] == UInt8(ascii: "u"),
        0xDC00...0xDFFF ~= (try passCodeUnit(text, &position))
      else { throw MalformedJSON(problem: .invalidText, offset: position) }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    default: throw MalformedJSON(problem: .unexpected, offset: position)
    }
  }

  private static func passCodeUnit(_ text: Span<UInt8>, _ position: inout Int) throws(MalformedJSON) -> UInt16 {
    guard position + 6 <= text.count else { throw MalformedJSON(problem: .truncated, offset: position) }
    guard let unit = codeUnit(text, at: position + 2) else {
      throw MalformedJSON(problem: .unexpected, offset: position)
    }
    position += 6
    return unit
  }

  /// Four hexadecimal digits.
  static func codeUnit(_ text: Span<UInt8>, at start: Int) -> UInt16? {
    var unit: UInt16 = 0
    for index in start..<start + 4 {
      let digit: UInt8
      switch text[index] {
      case 0x30...0x39: digit = text[index] - 0x30
      case 0x41...0x46: digit = text[index] - 0x41 + 10
      case 0x61...0x66: digit = text[index] - 0x61 + 10
      default: return nil
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}
