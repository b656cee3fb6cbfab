import Configuration
import Kernel

extension ListenAddress {
  /// `ADDRESS:PORT`, `[ADDRESS]:PORT` or `unix:PATH`, as on a command line; nil when it is none.
  public init?(text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty, path.utf8.count <= SocketAddress.longestUnixPath else { return nil }
      self = .unix(path: path)
      return
    }
    guard let (host, port) = HostPort.split(text), let port,
      let address = IPAddress(host == "localhost" ? "127.0.0.1" : host)
    else { return nil }
    self = .ip(host: address.description, port: port)
  }
}
