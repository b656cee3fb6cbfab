import Kernel

/// Reads the `Cookie` field (RFC 6265 §4.2.1): `name=value` pairs between semicolons.
public enum Cookies {
  /// Where the value of the first cookie of this name stands in a field's value; nil when there is none.
  public static func first(_ name: Span<UInt8>, in field: Span<UInt8>) -> Range<Int>? {
    var start = 0
    while start < field.count {
      let end = ByteScan.index(of: UInt8(ascii: ";"), in: field, from: start)
      while start < end, field[start] == 0x20 { start += 1 }
      let equals = ByteScan.index(of: UInt8(ascii: "="), in: field, from: start)
      if equals < end, ByteScan.equal(field.extracting(start..<equals), name) { return equals + 1..<end }
      start = end + 1
    }
    return nil
  }
}
