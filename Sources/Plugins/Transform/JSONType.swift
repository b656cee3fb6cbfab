import HTTP
import Kernel

/// Which content types say that a body is JSON.
enum JSONType {
  /// `application/json`, anything with the suffix `+json` (RFC 6839), or nothing said at all.
  static func isNamed(_ type: Span<UInt8>?) -> Bool {
    guard let type else { return true }
    var end = ByteScan.index(of: UInt8(ascii: ";"), in: type)
    while end > 0, type[end - 1] == 0x20 || type[end - 1] == 0x09 { end -= 1 }
    let name = type.extracting(0..<end)
    return equals(name, "application/json") || hasSuffix(name, "+json") || equals(name, "text/json")
  }

  private static func equals(_ name: Span<UInt8>, _ other: StaticString) -> Bool {
    ByteScan.equalIgnoringCase(name, ByteScan.bytes(of: other))
  }

  private static func hasSuffix(_ name: Span<UInt8>, _ suffix: StaticString) -> Bool {
    let count = suffix.utf8CodeUnitCount
    return name.count > count && equals(name.extracting(name.count - count..<name.count), suffix)
  }
}
