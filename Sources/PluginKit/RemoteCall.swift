/// A call of a method of a server of the Model Context Protocol.
public struct RemoteCall: Sendable {
  /// As the configuration calls it.
  public let server: String
  /// The method of JSON-RPC: `tools/call`.
  public let method: String
  /// The tool, prompt or resource that is meant.
  public let name: String?
  /// As it was written; nil for a notification.
  public let id: String?
  /// Whether it is the first of several.
  public let isBatch: Bool

  public init(server: String, method: String, name: String?, id: String?, isBatch: Bool = false) {
    self.server = server
    self.method = method
    self.name = name
    self.id = id
    self.isBatch = isBatch
  }
}
