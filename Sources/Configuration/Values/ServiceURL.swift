/// Where a service is that the gateway itself calls, such as a key set: `https://HOST[:PORT]/PATH?QUERY`.
public struct ServiceURL: Sendable, Equatable {
  public let isSecure: Bool
  /// A name or an address, without brackets.
  public let host: String
  public let port: Int
  /// Path and query, at least `/`.
  public let target: String
  /// As it was written.
  public let text: String

  /// Host and port.
  public var authority: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }
  /// As `Host` has it: the scheme's own port is not said.
  public var hostField: String {
    port != (isSecure ? 443 : 80) ? authority : host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
  }

  public var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }

  public static func parse(_ text: String) throws(ScalarMistake) -> ServiceURL {
    guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      let separator = text.firstRange(of: "://")
    else { throw .malformed }
    let scheme = text[..<separator.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { throw .malformed }
    let rest = text[separator.upperBound...]
    if rest.utf8.contains(UInt8(ascii: "#")) {
      throw .other("a fragment is for browsers", expected: "a URL without `#`")
    }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    if rest[..<end].utf8.contains(UInt8(ascii: "@")) {
      throw .other("a URL cannot hold a user or a password", expected: "a keyword of its own with ${NAME}")
    }
    guard let (host, port) = HostPort.split(String(rest[..<end])), port != 0, HostPort.isHost(host) else {
      throw .malformed
    }
    let path = rest[end...]
    return ServiceURL(
      isSecure: scheme == "https", host: host.lowercased(), port: port ?? (scheme == "https" ? 443 : 80),
      target: path.hasPrefix("/") ? String(path) : "/\(path)", text: text)
  }
}

extension ValueType where Value == ServiceURL {
  public static var serviceURL: ValueType {
    scalar(
      ScalarShape("URL", expectation: "https://HOST[:PORT]/PATH"), text: { $0.text }
    ) { text throws(ScalarMistake) in try ServiceURL.parse(text) }
  }
}
