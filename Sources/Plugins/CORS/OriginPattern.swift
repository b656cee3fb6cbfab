import Kernel

/// Which origins are meant: one, or all below a domain.
///
/// Browsers send an origin as `scheme://host[:port]`, in lower case and without the scheme's usual port (RFC 6454
/// §6.2), so comparing bytes is exact.
public enum OriginPattern: Sendable, Equatable {
  case any
  case exact([UInt8])
  /// `https://*.example.com`: every host below `example.com`, at any depth, but not that host itself.
  case below(scheme: [UInt8], suffix: [UInt8])

  func matches(_ origin: Span<UInt8>) -> Bool {
    switch self {
    case .any: return true
    case .exact(let text): return ByteScan.equal(text.span, origin)
    case .below(let scheme, let suffix):
      let labels = origin.count - scheme.count - suffix.count
      guard labels > 0, ByteScan.equal(origin.extracting(first: scheme.count), scheme.span),
        ByteScan.equal(origin.extracting(last: suffix.count), suffix.span)
      else { return false }
      // Without this, `https://evil.example/.example.com` would pass.
      return Self.isHost(origin.extracting(scheme.count..<scheme.count + labels))
    }
  }

  private static func isHost(_ bytes: Span<UInt8>) -> Bool {
    for index in bytes.indices where !isHostByte(bytes[index]) { return false }
    return true
  }

  static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
      UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
