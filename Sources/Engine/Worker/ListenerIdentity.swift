import Telemetry

/// What an exchange knows of the listener that it came through.
public final class ListenerIdentity: Sendable {
  public let index: Int
  public let name: String
  /// Whether a connection may begin with the preface of HTTP/2.
  let speaksHTTP2: Bool
  let logMembers: CallLogMembers

  public init(index: Int, name: String, speaksHTTP2: Bool = false) {
    self.speaksHTTP2 = speaksHTTP2
    self.index = index
    self.name = name
    logMembers = CallLogMembers([(.listener, name)])
  }
}
