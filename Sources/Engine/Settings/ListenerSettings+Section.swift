public import Configuration
import Kernel

extension ListenerSettings {
  public static let section = Section(
    "listener", ListenerSettings(name: "", address: .ip(host: "", port: 0)), "An address that clients connect to.",
    shorthand: "address",
    [
      Keyword("address", \.address, .listenAddress, required: true, "Where to listen."),
      Keyword(
        "tls", \.tls, .section(ListenerTLSSettings.section),
        "How the listener speaks TLS; without it, everything is in the clear."),
      Keyword(
        "protocols", \.protocols, .list(of: .choice, minimum: 1, maximum: ListenerProtocol.allCases.count),
        "What is spoken, the preferred first; with TLS, ALPN offers it. h2c is HTTP/2 in the clear, known beforehand. Without "
          + "http/1.1, who speaks it gets 505."),
    ]
  ) { listener, node, reading in
    guard listener.tls == nil, listener.protocols.contains(.h2) else { return }
    reading.error(
      "`h2` is spoken over TLS only", at: (node.value(for: "protocols") ?? node).position,
      expected: "`tls: { certificates: … }`, or `protocols: [http/1.1]`")
  }
}

extension AdminSettings {
  public static let section = Section(
    "admin", AdminSettings(address: .ip(host: "", port: 0)),
    "The port for operators: /metrics, /healthz, /readyz and the API under /api/v1.", shorthand: "address",
    [
      Keyword(
        "address", \.address, .listenAddress, required: true, "Where to listen; not on loopback only with a token."),
      Keyword("token", \.token, .secret, "What requests that change something must show."),
    ]
  ) { admin, node, reading in
    admin.position = node.position
    guard admin.token == nil, !admin.address.isPrivate else { return }
    reading.error(
      "the admin API would be open to other machines", at: (node.value(for: "address") ?? node).position,
      expected:
        "a loopback address such as 127.0.0.1:9900, a Unix socket, or a token: `admin: { address: …, token: … }`")
  }
}

extension ListenAddress {
  /// Whether only this machine can reach it.
  var isPrivate: Bool {
    switch self {
    case .ip(let host, _): IPAddress(host)?.isLoopback ?? false
    case .unix: true
    }
  }

  /// As the configuration writes it.
  public var text: String {
    switch self {
    case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

extension ValueType where Value == ListenAddress {
  /// `ADDRESS:PORT`, `[ADDRESS]:PORT` or `unix:PATH`.
  public static var listenAddress: ValueType {
    let shape = ScalarShape(
      "address to listen on", expectation: "ADDRESS:PORT such as 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080, or unix:PATH"
    )
    return ValueType(
      shape: .scalar(shape),
      read: { node, reading in
        guard let text = reading.scalar(node, shape) else { return nil }
        if text.hasPrefix("unix:") {
          return UnixPath.resolve(text, node, shape, &reading).map { .unix(path: $0) }
        }
        guard let (host, port) = HostPort.split(text), let port,
          let address = IPAddress(host == "localhost" ? "127.0.0.1" : host)
        else {
          reading.report(.malformed, text, at: node.position, shape)
          return nil
        }
        return .ip(host: address.description, port: port)
      },
      describe: { .text($0.text) })
  }
}

/// `unix:PATH` as text.
enum UnixPath {
  /// The path as the file that names it means it; nil after reporting one that no socket can have.
  static func resolve(_ text: String, _ node: Node, _ shape: ScalarShape, _ reading: inout Reading) -> String? {
    let path = FilePath.resolve(String(text.dropFirst(5)), in: node.document.directory)
    let isText = path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    guard text.utf8.count > 5, isText, path.utf8.count <= SocketAddress.longestUnixPath else {
      reading.report(
        .other(
          "this is no path for a socket",
          expected: "unix:PATH, the path at most \(SocketAddress.longestUnixPath) bytes long"),
        text, at: node.position, shape)
      return nil
    }
    return path
  }
}

extension ValueType where Value == String {
  /// The address of a name server, with or without a port.
  static var nameServer: ValueType {
    scalar(
      ScalarShape("address of a name server", expectation: "an address such as 127.0.0.1, 127.0.0.1:5353 or [::1]:53"),
      text: { $0 }
    ) { text throws(ScalarMistake) in
      if IPAddress(text) != nil { return text }
      guard let (host, port) = HostPort.split(text), port != 0, IPAddress(host) != nil else { throw .malformed }
      return text
    }
  }
}
