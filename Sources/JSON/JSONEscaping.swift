public import Kernel

/// Text and numbers as JSON (RFC 8259) writes them.
///
/// Text arrives as bytes that nobody has checked: paths and header values of clients. What is not UTF-8 becomes
/// U+FFFD, one for each maximal part of a broken sequence, so the result is always a valid document.
extension ByteBuffer {
  /// Appends `text` as a JSON string with its quotes.
  public mutating func append(json text: Span<UInt8>) {
    reserve(text.count + 2)
    append(UInt8(ascii: "\""))
    append(jsonEscaped: text)
    append(UInt8(ascii: "\""))
  }

  public mutating func append(json text: String) { append(json: text.utf8Span.span) }

  /// Appends a number; NaN and the infinities, which JSON does not have, as `null`.
  public mutating func append(json value: Double) {
    if value.isFinite { append(value.description) } else { append("null") }
  }

  public mutating func append(json value: Bool) {
    if value { append("true") } else { append("false") }
  }

  /// Appends `text` as it stands inside a JSON string, without the quotes.
  public mutating func append(jsonEscaped text: Span<UInt8>) {
    var done = 0
    while done < text.count {
      let end = ByteScan.endOfPlainJSON(in: text, from: done)
      if end > done { append(text.extracting(done..<end)) }
      if end == text.count { return }
      done = end
      if text[done] < 0x80 {
        append(jsonEscape: text[done])
        done += 1
      } else {
        done += append(utf8At: done, of: text)
      }
    }
  }

  private mutating func append(jsonEscape byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case UInt8(ascii: "\n"): append("\\n")
    case UInt8(ascii: "\r"): append("\\r")
    case UInt8(ascii: "\t"): append("\\t")
    default:
      append("\\u00")
      append(hexadecimal: UInt64(byte), digits: 2)
    }
  }

  /// Appends the character that begins at `index`, or U+FFFD; returns how many bytes it was.
  private mutating func append(utf8At index: Int, of text: Span<UInt8>) -> Int {
    let sequence = UTF8Sequence(at: index, of: text)
    if sequence.isValid {
      append(text.extracting(index..<index + sequence.length))
    } else {
      append("\u{FFFD}")
    }
    return sequence.length
  }
}

/// One UTF-8 sequence, or the part of one up to the byte that breaks it (Unicode 16, table 3-7).
public struct UTF8Sequence {
  public let length: Int
  public let isValid: Bool

  public init(at index: Int, of text: Span<UInt8>) {
    let lead = text[index]
    let wanted: Int
    var lowest: UInt8 = 0x80
    var highest: UInt8 = 0xBF
    switch lead {
    case 0x00...0x7F: wanted = 1
    case 0xC2...0xDF: wanted = 2
    case 0xE0...0xEF:
      wanted = 3
      if lead == 0xE0 { lowest = 0xA0 }
      if lead == 0xED { highest = 0x9F }
    case 0xF0...0xF4:
      wanted = 4
      if lead == 0xF0 { lowest = 0x90 }
      if lead == 0xF4 { highest = 0x8F }
    default: wanted = 0
    }
    var seen = 1
    while seen < wanted, index + seen < text.count, (lowest...highest).contains(text[index + seen]) {
      seen += 1
      lowest = 0x80
      highest = 0xBF
    }
    length = seen
    isValid = seen == wanted
  }
}
