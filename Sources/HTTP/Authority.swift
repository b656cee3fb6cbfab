import Kernel

/// The grammar of `Host` and of a target's authority, narrower than RFC 3986's: a name of unreserved characters or a
/// bracketed IPv6 address, and a port.
///
/// Percent-encoding, sub-delimiters and user information are refused: no real host has them, and servers disagree
/// about what they mean.
enum Authority {
  /// Where a host name or address that begins at `start` ends; nil when there is none.
  @inline(__always)
  private static func endOfHost(in bytes: Span<UInt8>, from start: Int) -> Int? {
    if start < bytes.count, bytes[start] == UInt8(ascii: "[") {
      let close = ByteScan.index(of: UInt8(ascii: "]"), in: bytes, from: start)
      return close < bytes.count && isIPv6(bytes.extracting(start + 1..<close)) ? close + 1 : nil
    }
    let end = ByteScan.endOfHostName(in: bytes, from: start)
    return end > start ? end : nil
  }

  /// Whether `range` of `bytes` is `host [":" port]`; the bytes behind the range are not looked at.
  static func isValid(_ range: ByteRange, in bytes: Span<UInt8>, requiringPort: Bool = false) -> Bool {
    let limit = range.end
    guard let end = endOfHost(in: bytes, from: Int(range.start)), end <= limit, end - Int(range.start) <= 255 else {
      return false
    }
    if end == limit { return !requiringPort }
    return bytes[end] == UInt8(ascii: ":") && isPort(bytes.extracting(end + 1..<limit))
  }

  /// The authority without this port, `:80` with its colon, if it has it.
  @_lifetime(copy authority)
  static func removing(port: StaticString, from authority: Span<UInt8>) -> Span<UInt8> {
    let port = ByteScan.bytes(of: port)
    guard authority.count > port.count else { return authority }
    let end = authority.count - port.count
    guard ByteScan.equal(authority.extracting(end..<authority.count), port) else { return authority }
    return authority.extracting(0..<end)
  }

  /// A number from 1 to 65535.
  private static func isPort(_ digits: Span<UInt8>) -> Bool {
    if digits.isEmpty || digits.count > 5 { return false }
    var port = 0
    for index in digits.indices {
      let digit = digits[index] &- 0x30
      if digit > 9 { return false }
      port = port * 10 + Int(digit)
    }
    return port >= 1 && port <= 65535
  }

  /// RFC 3986 §3.2.2: eight groups, or fewer around one `::`; the last two may be an IPv4 address.
  private static func isIPv6(_ text: Span<UInt8>) -> Bool {
    var groups = 0
    var index = 0
    var compressed = false
    if text.count < 2 || text.count > 45 { return false }
    if text[0] == UInt8(ascii: ":"), text[1] != UInt8(ascii: ":") { return false }
    while index < text.count {
      if text[index] == UInt8(ascii: ":") {
        // Here a colon is the first of a pair: single ones are eaten behind their group.
        if compressed || (index > 0 && text[index - 1] != UInt8(ascii: ":")) { return false }
        compressed = true
        index += index == 0 ? 2 : 1
        continue
      }
      let start = index
      while index < text.count, hexadecimal(text[index]) != nil { index += 1 }
      if index < text.count, text[index] == UInt8(ascii: ".") {
        return isIPv4(text.extracting(start..<text.count)) && (compressed ? groups + 2 < 8 : groups + 2 == 8)
      }
      if index == start || index - start > 4 { return false }
      groups += 1
      if index < text.count {
        if text[index] != UInt8(ascii: ":") || index + 1 == text.count { return false }
        index += 1
      }
    }
    return compressed ? groups < 8 : groups == 8
  }

  private static func isIPv4(_ text: Span<UInt8>) -> Bool {
    var parts = 0
    var index = 0
    while true {
      let start = index
      var value = 0
      while index < text.count, index - start < 3, text[index] &- 0x30 <= 9 {
        value = value * 10 + Int(text[index] &- 0x30)
        index += 1
      }
      if index == start || value > 255 || (index - start > 1 && text[start] == 0x30) { return false }
      parts += 1
      if index == text.count { return parts == 4 }
      if text[index] != UInt8(ascii: ".") || parts == 4 { return false }
      index += 1
    }
  }

  /// The value of a hexadecimal digit.
  @inline(__always)
  static func hexadecimal(_ byte: UInt8) -> UInt8? {
    let digit = byte &- 0x30
    if digit <= 9 { return digit }
    let letter = (byte | 0x20) &- 0x61
    return letter <= 5 ? letter &+ 10 : nil
  }
}
