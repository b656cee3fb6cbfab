public import Kernel

/// Decodes base64 (RFC 4648 §4) that comes in pieces, each of which may end anywhere.
///
/// Padding may stand in the middle, where one padded text follows another: that is how gRPC-Web sends a stream.
public struct Base64Decoder: Sendable {
  private var bits: UInt32 = 0
  private var digits = 0
  private var padding = 0

  public init() {}

  /// Whether the text may end here.
  public var isComplete: Bool { digits == 0 && padding == 0 }

  /// Appends the bytes that the text stands for; false when it is no base64.
  public mutating func decode(_ text: Span<UInt8>, into out: inout ByteBuffer) -> Bool {
    for index in text.indices {
      if text[index] == UInt8(ascii: "=") {
        guard digits >= 2 else { return false }
        padding += 1
      } else {
        guard padding == 0, let value = Base64.value(of: text[index]) else { return false }
        bits = bits << 6 | UInt32(value)
        digits += 1
      }
      if digits + padding == 4 { take(into: &out) }
    }
    return true
  }

  private mutating func take(into out: inout ByteBuffer) {
    bits <<= UInt32(6 * padding)
    for place in 0..<digits - 1 { out.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place))) }
    (bits, digits, padding) = (0, 0, 0)
  }
}
