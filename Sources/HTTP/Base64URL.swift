import Kernel

/// Base64 with the URL-safe alphabet and without padding (RFC 4648 §5, RFC 7515 §2).
public enum Base64URL {
  /// The bytes that the text stands for; nil when it is not the one text that stands for them.
  ///
  /// Padding, spaces and bits that do not count are refused: two texts of one token would be two entries of a cache.
  public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    if text.count & 3 == 1 { return nil }
    var bytes = [UInt8](repeating: 0, count: text.count * 3 / 4)
    var out = bytes.mutableSpan
    let values = values.span
    var next = 0
    var seen: UInt8 = 0
    var index = 0
    while index &+ 4 <= text.count {
      let (a, b) = (values[Int(text[index])], values[Int(text[index &+ 1])])
      let (c, d) = (values[Int(text[index &+ 2])], values[Int(text[index &+ 3])])
      seen |= a | b | c | d
      let word = UInt32(a & 63) << 18 | UInt32(b & 63) << 12 | UInt32(c & 63) << 6 | UInt32(d & 63)
      out[next] = UInt8(truncatingIfNeeded: word >> 16)
      out[next &+ 1] = UInt8(truncatingIfNeeded: word >> 8)
      out[next &+ 2] = UInt8(truncatingIfNeeded: word)
      index &+= 4
      next &+= 3
    }
    var word: UInt32 = 0
    var count = 0
    for index in index..<text.count {
      let value = values[Int(text[index])]
      seen |= value
      word = word << 6 | UInt32(value & 63)
      count &+= 6
      if count >= 8 {
        count &-= 8
        out[next] = UInt8(truncatingIfNeeded: word >> UInt32(count))
        next &+= 1
      }
    }
    return seen < 64 && word & (1 << UInt32(count) - 1) == 0 ? bytes : nil
  }

  /// What each digit stands for; 255 for what is none. A token has hundreds of them.
  private static let values: [UInt8] = (0...255).map { value(of: UInt8($0)) ?? 255 }

  /// The text of bytes.
  public static func text(_ bytes: [UInt8]) -> String {
    var out = ByteBuffer(capacity: bytes.count * 2)
    Base64.append(bytes.span, to: &out)
    var text: [UInt8] = []
    for index in out.span.indices {
      switch out.span[index] {
      case UInt8(ascii: "="): break
      case UInt8(ascii: "+"): text.append(UInt8(ascii: "-"))
      case UInt8(ascii: "/"): text.append(UInt8(ascii: "_"))
      case let digit: text.append(digit)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    case UInt8(ascii: "+"), UInt8(ascii: "/"): nil
    default: Base64.value(of: digit)
    }
  }
}
