import Kernel

/// Base64 with the URL-safe alphabet and without padding (RFC 4648 §5, RFC 7515 §2).
public enum Base64URL {
  /// The bytes that the text stands for; nil when it is not the one text that stands for them.
  ///
  /// Padding, spaces and bits that do not count are refused: two texts of one token would be two entries of a cache.
  public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    if text.count & 3 == 1 { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var word: UInt32 = 0
    var count = 0
    for index in text.indices {
      guard let value = value(of: text[index]) else { return nil }
      word = word << 6 | UInt32(value)
      count &+= 6
      if count >= 8 {
        count &-= 8
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(count)))
      }
    }
    return word & (1 << UInt32(count) - 1) == 0 ? bytes : nil
  }

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
