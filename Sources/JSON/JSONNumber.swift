import Kernel

/// Numbers as JSON writes them (RFC 8259 §6).
public enum JSONNumber {
  /// Where the number that begins at `start` ends.
  public static func end(in bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
    var index = start
    if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index &+= 1 }
    let whole = index
    index = try digits(in: bytes, from: index)
    if index &- whole > 1, bytes[whole] == UInt8(ascii: "0") { throw JSONError(.invalidNumber, at: whole) }
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") { index = try digits(in: bytes, from: index &+ 1) }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      index &+= 1
      if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index &+= 1 }
      index = try digits(in: bytes, from: index)
    }
    return index
  }

  /// Where a run of digits ends, of which there must be one.
  @inline(__always)
  private static func digits(in bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
    var index = start
    while index < bytes.count, bytes[index] &- 0x30 < 10 { index &+= 1 }
    if index == start {
      throw index < bytes.count ? JSONError(.invalidNumber, at: index) : JSONError(.truncated, at: index)
    }
    return index
  }
}
