import Logging

/// What the gateway says once it serves.
public struct StartBanner: Sendable {
  public var version: String
  /// The file that the configuration came from.
  public var configuration: String
  public var workers: Int
  /// Names and addresses, such as `public` and `http://127.0.0.1:8080`.
  public var listeners: [(name: String, address: String)]
  public var admin: String?

  public init(
    version: String, configuration: String, workers: Int, listeners: [(name: String, address: String)], admin: String?
  ) {
    self.version = version
    self.configuration = configuration
    self.workers = workers
    self.listeners = listeners
    self.admin = admin
  }

  /// A few lines for people, one for each listener among them.
  public var text: String {
    var rows = [("config", configuration), ("workers", String(workers))]
    rows += listeners.map { ($0.name, $0.address) }
    if let admin { rows.append(("admin", admin)) }
    let width = rows.map { $0.0.count }.max() ?? 0
    return rows.reduce("Sluice \(version)\n") { text, row in
      text + "  " + row.0 + String(repeating: " ", count: width - row.0.count + 2) + row.1 + "\n"
    }
  }

  /// Shows the lines on a terminal; where machines read it is one entry and one for each listener.
  public func write(to log: ProcessLog) {
    if log.format == .text { return log.append(text.utf8Span.span) }
    let logger = log.logger("sluice")
    var metadata: Logger.Metadata = [
      "version": "\(version)", "config": "\(configuration)", "workers": .stringConvertible(workers),
    ]
    if let admin { metadata["admin"] = "\(admin)" }
    logger.info("started", metadata: metadata)
    for listener in listeners {
      logger.info("listening", metadata: ["listener": "\(listener.name)", "address": "\(listener.address)"])
    }
  }
}
