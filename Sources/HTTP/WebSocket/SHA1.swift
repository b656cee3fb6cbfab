import Kernel

/// SHA-1 (RFC 3174), for uses that have no secret in them: proving that a WebSocket handshake was read, and naming the
/// scripts of a store.
public enum SHA1 {
  /// The hash of a text, as 40 digits.
  public static func hexadecimal(of text: String) -> String {
    var hash = ByteBuffer(capacity: 20)
    append(of: text.utf8Span.span, to: &hash)
    var digits = ""
    for index in hash.span.indices {
      let byte = hash.span[index]
      digits += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    return digits
  }

  /// Appends the 20 bytes of the hash.
  static func append(of message: Span<UInt8>, to out: inout ByteBuffer) {
    var padded = ByteBuffer(capacity: message.count + 72)
    padded.append(message)
    padded.append(0x80)
    while padded.count % 64 != 56 { padded.append(0) }
    let bits = UInt64(message.count) * 8
    for shift in stride(from: 56, through: 0, by: -8) {
      padded.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    var state: InlineArray<5, UInt32> = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    for block in stride(from: 0, to: padded.count, by: 64) {
      mix(padded.span.extracting(block..<block + 64), into: &state)
    }
    for index in state.indices {
      for shift in stride(from: 24, through: 0, by: -8) {
        out.append(UInt8(truncatingIfNeeded: state[index] >> UInt32(shift)))
      }
    }
  }

  private static func mix(_ block: Span<UInt8>, into state: inout InlineArray<5, UInt32>) {
    var words = InlineArray<80, UInt32>(repeating: 0)
    for index in 0..<16 {
      let at = index * 4
      words[index] =
        UInt32(block[at]) << 24 | UInt32(block[at + 1]) << 16 | UInt32(block[at + 2]) << 8 | UInt32(block[at + 3])
    }
    for index in 16..<80 {
      words[index] = rotate(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], by: 1)
    }
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    for index in 0..<80 {
      let (choice, constant): (UInt32, UInt32) =
        switch index {
        case 0..<20: (b & c | ~b & d, 0x5a82_7999)
        case 20..<40: (b ^ c ^ d, 0x6ed9_eba1)
        case 40..<60: (b & c | b & d | c & d, 0x8f1b_bcdc)
        default: (b ^ c ^ d, 0xca62_c1d6)
        }
      let next = rotate(a, by: 5) &+ choice &+ e &+ constant &+ words[index]
      (a, b, c, d, e) = (next, a, rotate(b, by: 30), c, d)
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
  }

  private static func rotate(_ word: UInt32, by count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
