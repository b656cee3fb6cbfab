import HTTP
import Kernel
import PluginKit

/// Reads who the client is from what trusted proxies wrote.
enum ForwardedFor {
  /// The rightmost address that is no trusted proxy: what stands left of it anybody may have written.
  ///
  /// An entry that is no address (`unknown`, `_hidden`, a Unix socket) ends the search: whoever was behind it cannot be
  /// known, and the last proxy that could be named stands for it. `Forwarded` (RFC 7239) is read where there is no
  /// `X-Forwarded-For`: proxies write one of them, and a client's own must not win over the proxy's.
  static func findClient(_ exchange: inout Exchange, trusted: TrustedProxies) {
    for entry in entries(exchange).reversed() {
      guard let address = entry else { return }
      exchange.client = address
      if !trusted.contains(address) { return }
    }
  }

  /// From left to right; nil where an entry is no address.
  private static func entries(_ exchange: borrowing Exchange) -> [IPAddress?] {
    var found: [IPAddress?] = []
    exchange.request.head.headers.forEachValue(of: .xForwardedFor, in: exchange.request.source) { value in
      forEachPart(of: value, separator: UInt8(ascii: ",")) { found.append(address($0)) }
    }
    if !found.isEmpty { return found }
    exchange.request.head.headers.forEachValue(of: .forwarded, in: exchange.request.source) { value in
      forEachPart(of: value, separator: UInt8(ascii: ",")) { element in found.append(node(of: element)) }
    }
    return found
  }

  /// The address of `for=` in an element of `Forwarded`; nil when there is none.
  private static func node(of element: Span<UInt8>) -> IPAddress? {
    var found: IPAddress?
    forEachPart(of: element, separator: UInt8(ascii: ";")) { pair in
      let equals = ByteScan.index(of: UInt8(ascii: "="), in: pair)
      guard equals < pair.count else { return }
      let name = trimmed(pair.extracting(0..<equals))
      guard ByteScan.equalIgnoringCase(name, "for".utf8Span.span) else { return }
      var value = trimmed(pair.extracting(equals + 1..<pair.count))
      let quote = UInt8(ascii: "\"")
      if value.count >= 2, value[0] == quote, value[value.count - 1] == quote {
        value = value.extracting(1..<value.count - 1)
      }
      found = address(value)
    }
    return found
  }

  /// Parts between separators that stand in no quotes.
  private static func forEachPart(of value: Span<UInt8>, separator: UInt8, _ body: (Span<UInt8>) -> Void) {
    var start = 0
    var isQuoted = false
    for index in value.indices {
      if value[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
      if value[index] == separator, !isQuoted {
        body(value.extracting(start..<index))
        start = index + 1
      }
    }
    body(value.extracting(start..<value.count))
  }

  @_lifetime(copy bytes)
  private static func trimmed(_ bytes: Span<UInt8>) -> Span<UInt8> {
    var start = 0
    var end = bytes.count
    while start < end, isSpace(bytes[start]) { start += 1 }
    while end > start, isSpace(bytes[end - 1]) { end -= 1 }
    return bytes.extracting(start..<end)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// An address, with or without brackets and a port.
  private static func address(_ bytes: Span<UInt8>) -> IPAddress? {
    guard bytes.count <= 64 else { return nil }
    var text = ""
    for index in bytes.indices where !isSpace(bytes[index]) {
      guard bytes[index] < 0x80 else { return nil }
      text.unicodeScalars.append(Unicode.Scalar(bytes[index]))
    }
    if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
      return IPAddress(String(text[text.index(after: text.startIndex)..<close]))
    }
    if let address = IPAddress(text) { return address }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    return IPAddress(String(text[..<colon]))
  }
}
