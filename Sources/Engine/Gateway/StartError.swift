public import Kernel

/// Why the gateway cannot start.
public struct StartError: Error, Sendable, CustomStringConvertible {
  public let listener: String
  public let address: ListenAddress
  public let why: String

  public var description: String {
    listener.isEmpty ? why : "listener `\(listener)` cannot listen on \(address): \(why)"
  }

  public static let taken = "another process listens there: stop it, or choose another address"

  public init(listener: String, address: ListenAddress, why: String) {
    self.listener = listener
    self.address = address
    self.why = why
  }

  /// What no listener is to blame for.
  init(why: String) { self.init(listener: "", address: .unix(path: ""), why: why) }

  init(listener: String, address: ListenAddress, _ error: SocketError) {
    let why =
      switch Errno(error.code) {
      case .inUse: Self.taken
      case .notPermitted: "this user may not: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one"
      case .noAddress: "this machine has no such address: `ip addr` lists those it has"
      default: "\(error)"
      }
    self.init(listener: listener, address: address, why: why)
  }
}

extension ListenAddress: CustomStringConvertible {
  /// The kernel's form; nil for a host that is no address.
  public var socketAddress: SocketAddress? {
    switch self {
    case .ip(let host, let port): IPAddress(host).map { .ip($0, port: UInt16(port)) }
    case .unix(let path): .unix(path: path)
    }
  }

  public var description: String {
    switch self {
    case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
