import CLinux
import Glibc

/// An IPv4 or IPv6 address without a port, as 16 bytes; IPv4 is stored mapped (`::ffff:a.b.c.d`).
public struct IPAddress: Hashable, Sendable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// - Parameter v4: the four bytes in network order, most significant first.
  public init(v4: UInt32) {
    self.init(high: 0, low: 0x0000_ffff_0000_0000 | UInt64(v4))
  }

  public var isV4: Bool { high == 0 && low >> 32 == 0xffff }
  public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }
  public var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : high == 0 && low == 1 }

  /// Parses the usual text forms; nil when it is neither IPv4 nor IPv6. No brackets, no zone.
  public init?(_ text: String) {
    var four = in_addr()
    // SAFETY: inet_pton reads the NUL-terminated copy and writes one in_addr or in6_addr.
    if unsafe inet_pton(AF_INET, text, &four) == 1 {
      self.init(v4: UInt32(bigEndian: four.s_addr))
      return
    }
    var bytes = (UInt64(0), UInt64(0))
    if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
      self.init(high: UInt64(bigEndian: bytes.0), low: UInt64(bigEndian: bytes.1))
      return
    }
    return nil
  }

  public func append(to out: inout ByteBuffer) {
    if isV4 {
      var shift: UInt32 = 32
      repeat {
        shift -= 8
        out.append(decimal: UInt((v4 >> shift) & 255))
        if shift > 0 { out.append(UInt8(ascii: ".")) }
      } while shift > 0
    } else {
      out.append(description)
    }
  }
}

extension IPAddress: CustomStringConvertible {
  public var description: String {
    if isV4 {
      return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)"
    }
    var bytes = (high.bigEndian, low.bigEndian)
    return unsafe String(unsafeUninitializedCapacity: Int(INET6_ADDRSTRLEN)) { buffer in
      // SAFETY: 46 bytes hold any IPv6 text and its NUL; `bytes` are the 16 of the address.
      unsafe buffer.withMemoryRebound(to: CChar.self) { text in
        unsafe inet_ntop(AF_INET6, &bytes, text.baseAddress!, socklen_t(text.count)) == nil
          ? 0 : strlen(text.baseAddress!)
      }
    }
  }
}

/// Where a socket listens or connects: an IP address with a port, or a Unix socket's path.
public enum SocketAddress: Hashable, Sendable {
  case ip(IPAddress, port: UInt16)
  /// At most 107 bytes.
  case unix(path: String)

  public static let longestUnixPath = 107

  public var ip: IPAddress? {
    if case .ip(let address, _) = self { address } else { nil }
  }

  public var port: UInt16? {
    if case .ip(_, let port) = self { port } else { nil }
  }

  var family: Int32 {
    switch self {
    case .ip(let address, _): address.isV4 ? AF_INET : AF_INET6
    case .unix: AF_UNIX
    }
  }

  /// Calls `body` with the kernel's form of the address.
  func withKernelForm(_ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    switch self {
    case .ip(let address, let port) where address.isV4:
      var form = sockaddr_in()
      form.sin_family = sa_family_t(AF_INET)
      form.sin_port = port.bigEndian
      form.sin_addr.s_addr = address.v4.bigEndian
      return unsafe Self.lend(&form, size: MemoryLayout<sockaddr_in>.size, to: body)
    case .ip(let address, let port):
      var form = sockaddr_in6()
      form.sin6_family = sa_family_t(AF_INET6)
      form.sin6_port = port.bigEndian
      var bytes = (address.high.bigEndian, address.low.bigEndian)
      // SAFETY: in6_addr is these 16 bytes.
      unsafe memcpy(&form.sin6_addr, &bytes, 16)
      return unsafe Self.lend(&form, size: MemoryLayout<sockaddr_in6>.size, to: body)
    case .unix(let path):
      var form = sockaddr_un()
      form.sun_family = sa_family_t(AF_UNIX)
      let bytes = Array(path.utf8.prefix(Self.longestUnixPath))
      // SAFETY: sun_path has 108 bytes, zeroed, and at most 107 are written.
      unsafe withUnsafeMutableBytes(of: &form.sun_path) { unsafe $0.copyBytes(from: bytes) }
      return unsafe Self.lend(&form, size: MemoryLayout<sockaddr_un>.size, to: body)
    }
  }

  private static func lend<T>(
    _ form: inout T, size: Int, to body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
  ) -> CInt {
    // SAFETY: every socket address begins with the family, and the size given is its own.
    unsafe withUnsafePointer(to: &form) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(size)) }
    }
  }

  /// Reads what the kernel wrote; nil for a family that Sluice does not use.
  init?(kernelForm form: borrowing sockaddr_storage) {
    var copy = copy form
    switch Int32(copy.ss_family) {
    case AF_INET:
      // SAFETY: the family says which form the storage holds, and it is large enough for each.
      let four = unsafe withUnsafeBytes(of: &copy) { unsafe $0.loadUnaligned(as: sockaddr_in.self) }
      self = .ip(IPAddress(v4: UInt32(bigEndian: four.sin_addr.s_addr)), port: UInt16(bigEndian: four.sin_port))
    case AF_INET6:
      let (six, high, low) = unsafe withUnsafeBytes(of: &copy) { bytes in
        unsafe (
          bytes.loadUnaligned(as: sockaddr_in6.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
          bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        )
      }
      self = .ip(
        IPAddress(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low)), port: UInt16(bigEndian: six.sin6_port))
    case AF_UNIX: self = .unix(path: "")
    default: return nil
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  public var description: String {
    switch self {
    case .ip(let address, let port): address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
