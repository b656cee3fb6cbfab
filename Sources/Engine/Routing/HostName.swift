/// Host names as routes compare them: in lower case, without port and without the root's trailing dot.
enum HostName {
  /// Longer names match no route's host (RFC 1035 §2.3.4).
  static let maximumLength = 255

  /// Where the name stands in a `Host` value: without port, brackets of an IPv6 address kept.
  static func range(in host: Span<UInt8>) -> Range<Int> {
    var end = host.count
    if end > 0, host[0] == UInt8(ascii: "[") {
      for index in host.indices where host[index] == UInt8(ascii: "]") { return 0..<(index + 1) }
      return 0..<end
    }
    for index in host.indices where host[index] == UInt8(ascii: ":") {
      end = index
      break
    }
    if end > 1, host[end - 1] == UInt8(ascii: ".") { end -= 1 }
    return 0..<end
  }

  static func hasUpperCase(_ name: Span<UInt8>) -> Bool {
    for index in name.indices where isUpper(name[index]) { return true }
    return false
  }

  static func lowered(_ byte: UInt8) -> UInt8 { isUpper(byte) ? byte | 0x20 : byte }

  /// A host pattern's name in the form that is compared and whether it is a wildcard; nil when it is no host name.
  static func pattern(_ text: String) -> (name: [UInt8], isWildcard: Bool)? {
    var name = text.utf8.map(lowered)
    if name.count > 1, name.last == UInt8(ascii: ".") { name.removeLast() }
    let isWildcard = name.starts(with: "*.".utf8)
    if isWildcard { name.removeFirst(2) }
    guard !name.isEmpty, name.count <= maximumLength, name.first != UInt8(ascii: ".") else { return nil }
    let isAddress = name.first == UInt8(ascii: "[") && name.last == UInt8(ascii: "]") && !isWildcard
    let allowed = name.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
      case UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"): isAddress
      default: false
      }
    }
    return allowed ? (name, isWildcard) : nil
  }

  private static func isUpper(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }
}
