public import Kernel
public import Logging

/// The process's own log on standard error: what happens to the gateway, not to requests.
///
/// Text for people at a terminal, one JSON object a line otherwise. Lines go through a thread of their own, so a
/// worker that says something never waits for a slow terminal or pipe; when a mebibyte is waiting, further lines are
/// dropped, and their number is told as soon as there is room.
public final class ProcessLog: Sendable {
  public enum Format: Sendable { case text, json }

  private struct State: ~Copyable {
    var pending = ByteBuffer(capacity: 4_096)
    var dropped = 0
    var isStopped = false
  }

  public let format: Format
  let clock: @Sendable () -> Int
  private let capacity: Int
  private let write: @Sendable (Span<UInt8>) -> Void
  private let leastLevel: Lock<Logger.Level>
  private let state = Monitor(State())
  private let thread = Lock<Thread?>(nil)

  /// - Parameters:
  ///   - format: nil: text when standard error is a terminal.
  ///   - clock: wall clock, nanoseconds since 1970.
  ///   - capacity: bytes that may wait.
  ///   - write: where whole lines go.
  public init(
    level: Logger.Level = .info, format: Format? = nil, clock: @Sendable @escaping () -> Int = { Clock.wall },
    capacity: Int = 1 << 20, write: (@Sendable (Span<UInt8>) -> Void)? = nil
  ) {
    leastLevel = Lock(level)
    self.format = format ?? (File.standardError.isTerminal ? .text : .json)
    self.clock = clock
    self.capacity = capacity
    // Where nobody reads there is nobody to tell.
    self.write = write ?? { try? File.standardError.writeAll($0) }
  }

  /// Least level that is written; a reload may change it.
  public var level: Logger.Level {
    get { leastLevel.withLock { $0 } }
    set { leastLevel.withLock { $0 = newValue } }
  }

  /// A logger that writes here.
  public func logger(_ label: String) -> Logger {
    Logger(label: label) { ProcessLogHandler(log: self, label: $0) }
  }

  /// Starts the thread; before that, and when there is no thread to be had, lines are written at once.
  public func start() {
    let started = try? Thread.start(name: "process-log") { [self] in drain() }
    thread.withLock { $0 = started }
  }

  /// Writes what is waiting and ends the thread; lines that come later are written at once.
  public func stop() {
    state.withLock { $0.isStopped = true }
    state.broadcast()
    thread.withLock { $0 }?.join()
  }

  /// Takes whole lines in.
  func append(_ lines: Span<UInt8>) {
    let isQueued = state.withLock { state in
      if state.isStopped || thread.withLock({ $0 == nil }) { return false }
      if state.pending.count + lines.count > capacity {
        state.dropped += 1
      } else {
        state.pending.append(lines)
      }
      return true
    }
    if isQueued { state.signal() } else { write(lines) }
  }

  private func drain() {
    var chunk = ByteBuffer(capacity: 4_096)
    while true {
      chunk.removeAll()
      let work = state.wait { state -> (dropped: Int, isLast: Bool)? in
        if state.pending.isEmpty, state.dropped == 0 { return state.isStopped ? (0, true) : nil }
        swap(&state.pending, &chunk)
        defer { state.dropped = 0 }
        return (state.dropped, false)
      }
      guard let work, !work.isLast else { return }
      write(chunk.span)
      if work.dropped > 0 { tell(dropped: work.dropped) }
    }
  }

  private func tell(dropped: Int) {
    var line = LogLine(format: format)
    line.render(
      time: clock(), level: .warning, label: "log", message: "lines of this log were dropped: it is read too slowly",
      metadata: ["lines": "\(dropped)"])
    write(line.bytes)
  }
}

/// swift-log's view of the process log.
public struct ProcessLogHandler: LogHandler {
  let log: ProcessLog
  let label: String
  private var ownLevel: Logger.Level?
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?

  init(log: ProcessLog, label: String) {
    self.log = log
    self.label = label
  }

  /// The log's own unless this logger was given another.
  public var logLevel: Logger.Level {
    get { ownLevel ?? log.level }
    set { ownLevel = newValue }
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
    if let own = event.metadata { all.merge(own) { _, new in new } }
    if let error = event.error { all["error"] = "\(error)" }
    var line = LogLine(format: log.format)
    line.render(
      time: log.clock(), level: event.level, label: label, message: event.message.description, metadata: all)
    log.append(line.bytes)
  }
}
