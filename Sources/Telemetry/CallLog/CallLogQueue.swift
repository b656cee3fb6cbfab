/// A worker's end of the call log: lines are encoded where they will be written from, and the worker never waits.
///
/// One for each worker, used on its thread alone. A line is `begin`, any number of `append`s, `end`; when the writer
/// is behind and no memory is left, the whole line is dropped and counted.
public final class CallLogQueue {
  private let exchange: CallLogExchange
  private let tally = CallLogTally()
  private var encoder: CallLineEncoder
  private var state = State.between

  private enum State { case between, writing, dropping, closed }

  init(_ exchange: CallLogExchange) {
    self.exchange = exchange
    encoder = CallLineEncoder(chunkSize: exchange.chunkSize)
    exchange.register(tally)
  }

  deinit { close() }

  /// Whether whole lines wait here that `flush` would hand over.
  public var needsFlush: Bool { encoder.chunk.lines > 0 && state == .between }

  /// Starts a line.
  ///
  /// - Parameter time: when the request began, wall clock, nanoseconds since 1970.
  public func begin(time: Int) {
    if state == .closed { return }
    precondition(state == .between, "a call log line begins before the last one has ended")
    if encoder.isNearlyFull, !exchange.exchange(&encoder.chunk) {
      state = .dropping
      return
    }
    state = .writing
    encoder.begin(time: time)
  }

  /// - Parameter bytes: anything that a client may send; escaped, repaired where it is not UTF-8, cut when too long.
  public func append(_ field: CallField, _ bytes: Span<UInt8>) {
    if state == .writing { encoder.append(field, bytes) }
  }

  public func append(_ members: CallLogMembers) {
    if state == .writing { encoder.append(members) }
  }

  public func append(_ field: CallField, text: String) {
    if state == .writing { encoder.append(field, text.utf8Span.span) }
  }

  /// - Parameter word: one of ours: plain ASCII without anything to escape.
  public func append(_ field: CallField, text word: StaticString) {
    if state == .writing { encoder.append(field, word: word) }
  }

  public func append(_ field: CallField, integer: Int) {
    if state == .writing { encoder.append(field, integer: integer) }
  }

  /// - Parameter nanoseconds: written as whole microseconds, rounded down; below zero as zero.
  public func append(_ field: CallField, microseconds nanoseconds: Int) {
    if state == .writing { encoder.append(field, integer: max(0, nanoseconds) / 1_000) }
  }

  /// Sixteen hexadecimal digits for each number.
  public func append(_ field: CallField, digits low: UInt64, after high: UInt64? = nil) {
    if state == .writing { encoder.append(field, digits: low, after: high) }
  }

  /// Opens `request_headers` or `response_headers`; call it only when there is one to write.
  public func beginHeaders(_ field: CallField) {
    if state == .writing { encoder.beginHeaders(field) }
  }

  public func header(_ key: CallLogHeaderKey, value: Span<UInt8>) {
    if state == .writing { encoder.header(key, value: value) }
  }

  /// - Parameter name: as it shall stand in the log: in lower case.
  public func header(name: Span<UInt8>, value: Span<UInt8>) {
    if state == .writing { encoder.header(name: name, value: value) }
  }

  public func endHeaders() {
    if state == .writing { encoder.endHeaders() }
  }

  /// Opens `decisions`; absent where none follows.
  public func beginDecisions() {
    if state == .writing { encoder.beginDecisions() }
  }

  /// - Parameter nanoseconds: written as whole microseconds, rounded down.
  public func decision(plugin: String, verdict: StaticString, microseconds nanoseconds: Int) {
    if state == .writing {
      encoder.decision(plugin.utf8Span.span, verdict, microseconds: max(0, nanoseconds) / 1_000)
    }
  }

  public func endDecisions() {
    if state == .writing { encoder.endDecisions() }
  }

  /// Finishes the line; it is counted as produced, and as dropped when there was no room.
  public func end() {
    tally.add(to: tally.produced)
    if state == .writing {
      encoder.end()
    } else {
      tally.add(to: tally.dropped)
    }
    if state != .closed { state = .between }
  }

  /// Hands over what is there, so that a line is on disk soon also when few come.
  ///
  /// Call it every 100 ms or when the worker is idle; with nothing to hand over it costs one compare.
  public func flush() {
    if needsFlush { _ = exchange.exchange(&encoder.chunk) }
  }

  /// Hands over the last lines; those that come later are dropped and counted.
  public func close() {
    if state == .closed { return }
    if state == .writing { encoder.abandonLine() }
    state = .closed
    exchange.close(&encoder.chunk, of: tally)
  }
}
