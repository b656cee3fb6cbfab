/// A metric of a plugin, declared beside it.
///
/// Its labels are names of the configuration and small fixed sets, never anything that a client chose.
public struct PluginMetric: Sendable {
  public enum Kind: Sendable {
    /// Only grows; its samples are called `NAME_total`.
    case counter
    /// Goes up and down; the workers' numbers are added up.
    case gauge
  }

  public let name: String
  public let kind: Kind
  public let labels: [StaticString]
  public let help: String

  public init(_ name: String, _ kind: Kind, labels: [StaticString] = [], _ help: String) {
    (self.name, self.kind, self.labels, self.help) = (name, kind, labels, help)
  }
}

/// One series of a plugin's metric on one worker: a plain number, which the worker gathers when it is asked.
///
/// Ask `WorkerServices.counter` for it when the instance is made, not for each request.
public final class PluginCounter {
  public private(set) var value = 0

  public init() {}

  @inline(__always)
  public func add(_ amount: Int = 1) { value &+= amount }
}
