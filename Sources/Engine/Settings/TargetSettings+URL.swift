public import Configuration
import Kernel

extension ValueType where Value == TargetURL {
  /// `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`.
  public static var targetURL: ValueType {
    let shape = ScalarShape("target", expectation: "http://HOST:PORT, https://HOST:PORT or unix:PATH")
    return ValueType(
      shape: .scalar(shape),
      read: { node, reading in
        guard let text = reading.scalar(node, shape) else { return nil }
        if text.hasPrefix("unix:") {
          return UnixPath.resolve(text, node, shape, &reading).map {
            TargetURL(address: .unix(path: $0), isSecure: false)
          }
        }
        do throws(ScalarMistake) {
          return try TargetURL.parse(text)
        } catch {
          reading.report(error, text, at: node.position, shape)
          return nil
        }
      },
      describe: { .text($0.text) })
  }
}

/// The URL of an origin: scheme, host and port, nothing more.
public struct TargetURL: Sendable {
  public var address: TargetSettings.Address
  public var isSecure: Bool

  /// As the configuration writes it.
  var text: String {
    guard case .host = address else { return address.name }
    return "\(isSecure ? "https" : "http")://\(address.name)"
  }

  /// Whether the text means a target rather than the name of an upstream.
  static func isTarget(_ text: String) -> Bool {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
    return text[colon...].hasPrefix("://") || text.hasPrefix("unix:")
  }

  static func parse(_ text: String) throws(ScalarMistake) -> TargetURL {
    guard let separator = text.firstRange(of: "://") else { throw .malformed }
    let scheme = text[..<separator.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else {
      throw .other("targets with `\(scheme.utf8.count > 16 ? "…" : scheme)` are not supported")
    }
    var authority = text[separator.upperBound...]
    if authority.utf8.contains(UInt8(ascii: "@")) {
      throw .other("a target's URL cannot hold a user or a password")
    }
    if authority.utf8.last == UInt8(ascii: "/") { authority = authority.dropLast() }
    if authority.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") })
    {
      throw .other(
        "a target has no path of its own", expected: "http://HOST:PORT; `rewrite: { prefix: … }` adds to the path")
    }
    guard let (host, port) = HostPort.split(String(authority)), port != 0, HostPort.isHost(host) else {
      throw .malformed
    }
    let isSecure = scheme == "https"
    return TargetURL(address: .host(host.lowercased(), port: port ?? (isSecure ? 443 : 80)), isSecure: isSecure)
  }
}
