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
