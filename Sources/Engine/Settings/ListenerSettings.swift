public import Configuration

/// A door that clients come through.
public struct ListenerSettings: Sendable, Equatable {
  public var name: String
  public var address: ListenAddress
  /// Nil: in the clear.
  public var tls: ListenerTLSSettings?
  /// What is spoken, the preferred first.
  public var protocols: [ListenerProtocol]
  public var position: Position

  public init(
    name: String, address: ListenAddress, tls: ListenerTLSSettings? = nil, protocols: [ListenerProtocol] = [.http1],
    position: Position = .none
  ) {
    self.name = name
    self.address = address
    self.tls = tls
    self.protocols = protocols
    self.position = position
  }
}

/// What a socket is bound to.
public enum ListenAddress: Sendable, Equatable, Hashable {
  /// `host` is an address in text, without brackets; port 0 lets the kernel choose.
  case ip(host: String, port: Int)
  /// A socket in the file system; the path is absolute or relative to the working directory.
  case unix(path: String)
}

/// The port for operators: metrics, health, the admin API.
public struct AdminSettings: Sendable, Equatable {
  public var address: ListenAddress
  /// What a write must show. Nil: writes only through the Unix socket or not at all.
  public var token: Secret?
  public var position: Position

  public init(address: ListenAddress, token: Secret? = nil, position: Position = .none) {
    self.address = address
    self.token = token
    self.position = position
  }
}
