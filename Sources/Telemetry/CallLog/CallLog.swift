public import Kernel
import Synchronization

/// The call log: one line of JSON for every request, written by a thread of its own.
///
/// Workers encode lines into chunks of memory and hand them over (`CallLogQueue`); the writer appends each chunk
/// with one write. When the disk is slow, full or gone, workers run out of chunks, drop lines and count them; they
/// never wait.
public final class CallLog: Sendable {
  private let exchange: CallLogExchange
  private let totals = CallLogTotals()
  private let limits: Lock<SegmentLimits>
  private let housekeeper: Housekeeper?
  private let thread: Thread
  /// Whether the writer has written everything and left.
  private let isDone: Monitor<Bool>

  /// Opens the log and starts its threads.
  ///
  /// - Parameters:
  ///   - clock: wall clock, nanoseconds since 1970.
  ///   - events: told what happens to the files; called on the log's threads.
  /// - Throws: when the current segment cannot be opened now; what fails later is counted and tried again.
  public init(
    _ options: CallLogOptions, clock: @Sendable @escaping () -> Int = { Clock.wall },
    events: @Sendable @escaping (CallLogEvent) -> Void = { _ in }
  ) throws(CallLogFailure) {
    let exchange = CallLogExchange(chunkSize: options.chunkSize, chunksPerQueue: options.chunksPerQueue)
    let limits = Lock(options.limits)
    let (totals, isDone) = (totals, Monitor(false))
    let report: @Sendable (CallLogEvent) -> Void = { event in
      totals.count(event)
      events(event)
    }
    let housekeeper: Housekeeper?
    let sink: Lock<CallLogSink?>
    switch options.destination {
    case .standardOutput:
      housekeeper = nil
      sink = Lock(.stream(StreamOutput(.standardOutput)))
    case .directory(let directory):
      let keeper = Housekeeper()
      var segments = SegmentWriter(directory: directory, limits: limits) { keeper.ring() }
      try segments.prepare(now: clock(), report: report)
      housekeeper = keeper
      sink = Lock(.segments(segments))
      try CallLog.orThrow("start a thread") { () throws(Errno) in
        try keeper.start(SegmentStore(directory: directory), limits: limits, clock: clock, report: report)
      }
    }
    thread = try CallLog.orThrow("start a thread") { () throws(Errno) in
      try Thread.start(name: "call-log") {
        guard let sink = sink.withLock({ $0.take() }) else { return }
        Thread.waitForTurns()
        var writer = CallLogWriter(exchange: exchange, totals: totals, sink: sink, clock: clock, report: report)
        writer.run()
        isDone.withLock { $0 = true }
        isDone.signal()
      }
    }
    self.exchange = exchange
    self.limits = limits
    self.housekeeper = housekeeper
    self.isDone = isDone
  }

  /// A worker's end; make one for each worker, on its thread.
  public func makeQueue() -> CallLogQueue { CallLogQueue(exchange) }

  /// Uses other limits from now on, as after a reload.
  public func apply(_ new: SegmentLimits) {
    limits.withLock { $0 = new }
    exchange.ask(for: [])
    housekeeper?.ring()
  }

  /// Closes the current segment now, whatever its size; an empty one stays.
  public func rotate() { exchange.ask(for: .rotate) }

  /// Opens the current segment again by its name, for tools that move it away.
  public func reopen() { exchange.ask(for: .reopen) }

  /// Leaves `current.ndjson` and the older segments to a successor: this process goes on in a segment of its own, which
  /// gets its place among the others when the log is stopped.
  ///
  /// - Returns: false when the disk did not move in `timeout` nanoseconds; then all is as before.
  public func setAside(timeout: Int = 5_000_000_000) -> Bool {
    if let housekeeper, !housekeeper.pause(timeout: timeout) {
      housekeeper.resume()
      return false
    }
    totals.moved.withLock { $0 = false }
    exchange.ask(for: .setAside)
    if totals.moved.wait(timeout: timeout, for: { $0 ? true : nil }) ?? false { return true }
    resume()
    return false
  }

  /// Takes back what was left to a successor that did not come.
  public func resume() {
    exchange.ask(for: .resume)
    housekeeper?.resume()
  }

  /// Writes what has been handed over and ends the threads. Queues are closed before.
  ///
  /// - Parameter timeout: nanoseconds to wait for a disk or pipe that does not move; what is left then is dropped.
  /// - Returns: whether the writer has left.
  @discardableResult
  public func stop(timeout: Int = 5_000_000_000) -> Bool {
    exchange.ask(for: .stop)
    let left = isDone.wait(timeout: timeout) { $0 ? true : nil } ?? false
    if left {
      thread.join()
    } else {
      totals.dropped.add(exchange.abandon(), ordering: .relaxed)
    }
    housekeeper?.stop()
    return left
  }

  public var counters: CallLogCounters {
    let (produced, dropped) = exchange.tally()
    return CallLogCounters(
      produced: produced, written: totals.written.load(ordering: .relaxed),
      dropped: dropped + totals.dropped.load(ordering: .relaxed), bytes: totals.bytes.load(ordering: .relaxed),
      errors: totals.errors.load(ordering: .relaxed), rotated: totals.rotated.load(ordering: .relaxed),
      compressed: totals.compressed.load(ordering: .relaxed), removed: totals.removed.load(ordering: .relaxed))
  }

  private static func orThrow<Result>(
    _ operation: String, _ body: () throws(Errno) -> Result
  ) throws(CallLogFailure) -> Result {
    do { return try body() } catch { throw CallLogFailure(operation: operation, errno: error) }
  }
}
