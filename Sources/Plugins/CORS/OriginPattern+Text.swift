import Configuration

extension OriginPattern {
  /// Reads an origin as browsers write it, with `*.` before the host for all below it, or `*` for every origin.
  init(_ text: String) throws(ScalarMistake) {
    if text == "*" {
      self = .any
      return
    }
    if text == "null" {
      throw .other(
        "`null` is the origin of every sandboxed page and local file", expected: "the origins that are meant, or `*`")
    }
    guard let colon = text.firstRange(of: "://") else { throw .malformed }
    let scheme = text[..<colon.lowerBound]
    let authority = text[colon.upperBound...]
    guard let first = scheme.utf8.first, Self.isLetter(first), scheme.utf8.allSatisfy(Self.isSchemeByte) else {
      throw .malformed
    }
    if text != text.lowercased() { throw .other("`\(text)` is not in lower case, as browsers send origins") }
    if authority.contains("/") { throw .other("`\(text)` has a path, which no origin has") }
    let isWildcard = authority.hasPrefix("*.")
    let rest = isWildcard ? authority.dropFirst(2) : authority
    if rest.contains("*") {
      throw .other("`*` in `\(text)` does not stand for whole labels", expected: "`https://*.example.com`")
    }
    try Self.checkHost(rest, scheme: scheme)
    self =
      isWildcard
      ? .below(scheme: Array("\(scheme)://".utf8), suffix: Array(".\(rest)".utf8)) : .exact(Array(text.utf8))
  }

  /// As the configuration writes it.
  var text: String {
    switch self {
    case .any: "*"
    case .exact(let bytes): String(decoding: bytes, as: UTF8.self)
    case .below(let scheme, let suffix):
      String(decoding: scheme, as: UTF8.self) + "*" + String(decoding: suffix, as: UTF8.self)
    }
  }

  /// Checks `host[:port]`.
  private static func checkHost(_ text: Substring, scheme: Substring) throws(ScalarMistake) {
    let isLiteral = text.hasPrefix("[")
    let end = isLiteral ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":") ?? text.endIndex
    guard let end else { throw .malformed }
    let host = text[..<end]
    let isHost =
      isLiteral ? host.dropFirst().dropLast().utf8.allSatisfy(isAddressByte) : host.utf8.allSatisfy(isHostByte)
    guard !host.isEmpty, isHost else {
      throw .other(
        "`\(host)` is no host as browsers send it", expected: "a name or an address; names beyond ASCII as `xn--…`")
    }
    guard end < text.endIndex else { return }
    let port = text[text.index(after: end)...]
    guard text[end] == ":", let number = UInt16(port), number > 0, port == "\(number)" else { throw .malformed }
    if (scheme == "https" && number == 443) || (scheme == "http" && number == 80) {
      throw .other("browsers leave the usual port out of an origin", expected: "`\(scheme)://\(host)`")
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }

  /// RFC 3986 §3.1, and letters in upper case, of which more is said later.
  private static func isSchemeByte(_ byte: UInt8) -> Bool {
    isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: ".")
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    (byte >= 0x30 && byte <= 0x3a) || (byte >= 0x61 && byte <= 0x66) || byte == UInt8(ascii: ".")
  }
}
