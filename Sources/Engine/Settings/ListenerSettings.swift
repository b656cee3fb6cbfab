package import Configuration

/// A door that clients come through.
package struct ListenerSettings: Sendable, Equatable {
  package var name: String
  package var address: ListenAddress
  package var position: Position

  package init(name: String, address: ListenAddress, position: Position = .none) {
    self.name = name
    self.address = address
    self.position = position
  }
}

/// What a socket is bound to.
package enum ListenAddress: Sendable, Equatable, Hashable {
  /// `host` is an address in text, without brackets; port 0 lets the kernel choose.
  case ip(host: String, port: Int)
  /// A socket in the file system; the path is absolute or relative to the working directory.
  case unix(path: String)
}

/// The port for operators: metrics, health, the admin API.
package struct AdminSettings: Sendable, Equatable {
  package var address: ListenAddress
  /// What a write must show. Nil: writes only through the Unix socket or not at all.
  package var token: Secret?
  package var position: Position

  package init(address: ListenAddress, token: Secret? = nil, position: Position = .none) {
    self.address = address
    self.token = token
    self.position = position
  }
}
