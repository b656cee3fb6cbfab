/// Base64 with padding (RFC 4648 §4).
public enum Base64 {
  /// Appends the text of `bytes`.
  public static func append(_ bytes: Span<UInt8>, to out: inout ByteBuffer) {
    out.reserve((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let rest = bytes.count - index
      let second = rest > 1 ? bytes[index + 1] : 0
      let third = rest > 2 ? bytes[index + 2] : 0
      let word = UInt32(bytes[index]) << 16 | UInt32(second) << 8 | UInt32(third)
      out.append(digit(word >> 18))
      out.append(digit(word >> 12))
      out.append(rest > 1 ? digit(word >> 6) : UInt8(ascii: "="))
      out.append(rest > 2 ? digit(word) : UInt8(ascii: "="))
      index += 3
    }
  }

  public static func encode(_ bytes: [UInt8]) -> String {
    var out = ByteBuffer(capacity: (bytes.count + 2) / 3 * 4)
    append(bytes.span, to: &out)
    return String(decoding: Array(copying: out.span), as: UTF8.self)
  }

  /// What a text stands for; nil when it is no Base64. Padding may be missing.
  public static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 4 * 3)
    var (word, bits, padding) = (UInt32(0), 0, 0)
    for digit in text.utf8 {
      if digit == UInt8(ascii: "=") {
        padding += 1
        continue
      }
      guard padding == 0, let value = value(of: digit) else { return nil }
      word = word << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
      }
    }
    // A lone digit is no octet, and what is left of the last one says nothing.
    return bits < 6 && padding <= 2 && word & (1 << UInt32(bits) - 1) == 0 ? bytes : nil
  }

  /// The six bits that a digit stands for; nil when it is none.
  public static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }

  private static func digit(_ word: UInt32) -> UInt8 {
    ByteScan.bytes(of: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")[Int(word & 63)]
  }
}
