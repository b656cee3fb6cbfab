import Configuration
import Engine
import Kernel
import Logging
import Telemetry

/// Turns what happens in the gateway into lines of the process's own log; from any thread.
final class EventLog: Sendable {
  private let logger: Logger
  /// When a refused accept was last told of, and how many came since.
  private let accepts = Lock(Accepts())

  private struct Accepts {
    var told = Int.min / 2
    var untold = 0
  }

  /// Without descriptors every accept fails, many times a second: one line in so many nanoseconds is enough.
  private static let interval = 1_000_000_000

  init(_ logger: Logger) { self.logger = logger }

  func report(_ event: GatewayEvent) {
    switch event {
    case .acceptFailed(let why): acceptFailed(why, now: Clock.monotonic)
    case .workerDrained(let index): logger.debug("worker drained", metadata: ["worker": .stringConvertible(index)])
    case .targetOut(let upstream, let target, let why):
      logger.warning("target is out", metadata: ["upstream": "\(upstream)", "target": "\(target)", "why": "\(why)"])
    case .targetBack(let upstream, let target):
      logger.info("target is back", metadata: ["upstream": "\(upstream)", "target": "\(target)"])
    case .nameFailed(let name, let why):
      logger.warning("a target's name cannot be resolved", metadata: ["name": "\(name)", "why": "\(why)"])
    case .nameChanged(let name, let addresses):
      logger.info(
        "a target's name has other addresses",
        metadata: ["name": "\(name)", "addresses": .array(addresses.prefix(16).map { "\($0)" })])
    case .storeAway(let store, let why):
      logger.warning("a shared store is away", metadata: ["store": "\(store)", "why": "\(why)"])
    case .breaker(let upstream, let target, let state):
      logger.log(
        level: state == "open" ? .warning : .info, "circuit breaker",
        metadata: ["upstream": "\(upstream)", "target": "\(target)", "state": "\(state)"])
    case .callLogUnread(let lines):
      logger.error(
        "the end of the call log is lost: nobody takes its lines", metadata: ["lines": .stringConvertible(lines)])
    }
  }

  private func acceptFailed(_ why: String, now: Int) {
    let count: Int? = accepts.withLock { accepts in
      accepts.untold += 1
      if now - accepts.told < Self.interval { return nil }
      defer { accepts = Accepts(told: now) }
      return accepts.untold
    }
    guard let count else { return }
    logger.error("connections cannot be accepted", metadata: ["why": "\(why)", "times": .stringConvertible(count)])
  }

  func report(_ event: CallLogEvent) {
    switch event {
    case .failing(let operation, let reason):
      logger.error("the call log drops lines", metadata: ["operation": "\(operation)", "why": "\(reason)"])
    case .recovered: logger.info("the call log is written again")
    case .cutTornTail(let bytes):
      logger.warning("a torn line was cut from the call log", metadata: ["bytes": .stringConvertible(bytes)])
    case .rotated(let segment): logger.debug("call log rotated", metadata: ["segment": "\(segment)"])
    case .compressed(let segment, let from, let to):
      logger.debug(
        "call log compressed",
        metadata: [
          "segment": "\(segment)", "from": .stringConvertible(from), "to": .stringConvertible(to),
        ])
    case .removed(let segment): logger.info("call log segment removed", metadata: ["segment": "\(segment)"])
    case .housekeepingFailed(let segment, let reason):
      logger.error("a call log segment stays as it is", metadata: ["segment": "\(segment)", "why": "\(reason)"])
    }
  }
}

extension Logger {
  /// At most so many of one file's mistakes or changes become lines.
  private static let toldLines = 50

  /// Tells how a reload or rollback ended.
  func tell(_ outcome: ReloadOutcome) {
    let generation = Metadata.Value.stringConvertible(outcome.generation)
    if let failure = outcome.failure {
      error(
        "\(outcome.kind.rawValue) failed: \(failure); the configuration before keeps running",
        metadata: ["file": "\(outcome.file)", "generation": generation])
    } else {
      info(
        "\(outcome.kind.rawValue) done",
        metadata: [
          "file": "\(outcome.file)", "generation": generation,
          "changes": .stringConvertible(outcome.changes?.changes.count ?? 0),
        ])
    }
    tell(outcome.diagnostics)
    for note in outcome.needsRestart { warning("\(note)") }
  }

  /// Tells how an upgrade ended.
  func tell(_ outcome: UpgradeOutcome) {
    let program = Metadata.Value(stringLiteral: outcome.program)
    if let failure = outcome.failure {
      error("upgrade failed: \(failure); this process goes on", metadata: ["program": program])
    } else {
      info(
        "upgrade done: draining in favour of the new process",
        metadata: ["program": program, "process": .stringConvertible(outcome.process ?? 0)])
    }
  }

  /// Tells what is to be said of a file, a line each.
  func tell(_ diagnostics: Diagnostics) {
    for diagnostic in diagnostics.sorted.prefix(Self.toldLines) {
      let place = diagnostic.position
      var metadata: Metadata = ["file": "\(place.file)"]
      if place.line > 0 {
        metadata["line"] = .stringConvertible(place.line)
        metadata["column"] = .stringConvertible(place.column)
      }
      if let expected = diagnostic.expected { metadata["expected"] = "\(expected)" }
      log(
        level: diagnostic.severity == .error ? .error : diagnostic.severity == .note ? .info : .warning,
        "\(diagnostic.message)", metadata: metadata)
    }
  }
}

extension Logger.Level {
  init(_ level: LogSettings.Level) {
    self =
      switch level {
      case .trace: .trace
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
  }
}

extension ProcessLog.Format {
  /// Nil: text on a terminal, JSON elsewhere.
  init?(_ format: LogSettings.Format) {
    switch format {
    case .auto: return nil
    case .text: self = .text
    case .json: self = .json
    }
  }
}
