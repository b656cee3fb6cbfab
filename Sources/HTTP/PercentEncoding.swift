public import Kernel

/// Percent-encoding (RFC 3986 §2.1).
public enum PercentEncoding {
  /// Appends text so that it can stand as one segment of a path or one name or value of a query.
  public static func append(encoding text: Span<UInt8>, to out: inout ByteBuffer) {
    for index in text.indices {
      let byte = text[index]
      if isUnreserved(byte) {
        out.append(byte)
      } else {
        out.append(UInt8(ascii: "%"))
        out.append(digits[Int(byte >> 4)])
        out.append(digits[Int(byte & 15)])
      }
    }
  }

  /// Appends what encoded text stands for; a `%` without two digits stands for itself.
  ///
  /// - Parameter form: whether `+` is a space, as in a query.
  public static func append(decoding text: Span<UInt8>, form: Bool, to out: inout ByteBuffer) {
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "%"), index + 2 < text.count, let high = Authority.hexadecimal(text[index + 1]),
        let low = Authority.hexadecimal(text[index + 2])
      {
        out.append(UInt8(high << 4 | low))
        index += 3
        continue
      }
      out.append(form && byte == UInt8(ascii: "+") ? 0x20 : byte)
      index += 1
    }
  }

  private static let digits = Array("0123456789ABCDEF".utf8)

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
