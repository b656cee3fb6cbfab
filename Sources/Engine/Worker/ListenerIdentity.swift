import Telemetry

/// What an exchange knows of the listener that it came through.
public final class ListenerIdentity: Sendable {
  public let index: Int
  public let name: String
  /// Whether a connection may begin with the preface of HTTP/2.
  let speaksHTTP2: Bool
  /// Whether requests may come as HTTP/1.1.
  let speaksHTTP1: Bool
  let logMembers: CallLogMembers

  public init(index: Int, name: String, speaksHTTP2: Bool = false, speaksHTTP1: Bool = true) {
    self.speaksHTTP2 = speaksHTTP2
    self.speaksHTTP1 = speaksHTTP1
    self.index = index
    self.name = name
    logMembers = CallLogMembers([(.listener, name)])
  }
}
