import Telemetry

/// What an exchange knows of the listener that it came through.
public final class ListenerIdentity: Sendable {
  public let index: Int
  public let name: String
  let logMembers: CallLogMembers

  public init(index: Int, name: String) {
    self.index = index
    self.name = name
    logMembers = CallLogMembers([(.listener, name)])
  }
}
