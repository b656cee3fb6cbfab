import Kernel
import Synchronization

/// The thread that takes chunks and puts them where they belong.
///
/// It alone touches the current segment, so nothing here is locked but the exchange; older segments belong to
/// `Housekeeper`. A failure drops the chunk's lines and counts them; the next chunk tries afresh.
struct CallLogWriter: ~Copyable {
  let exchange: CallLogExchange
  let totals: CallLogTotals
  let report: @Sendable (CallLogEvent) -> Void
  let clock: @Sendable () -> Int
  private var sink: CallLogSink
  private var isFailing = false

  init(
    exchange: CallLogExchange, totals: CallLogTotals, sink: consuming CallLogSink,
    clock: @Sendable @escaping () -> Int, report: @Sendable @escaping (CallLogEvent) -> Void
  ) {
    self.exchange = exchange
    self.totals = totals
    self.report = report
    self.clock = clock
    self.sink = sink
  }

  /// Works until `stop` is asked for and everything handed in before is written.
  mutating func run() {
    var chunk: CallLogChunk?
    while true {
      let requests = next(&chunk, timeout: sink.timeUntilRotation(now: clock()))
      if requests.contains(.reopen) {
        settle(
          sink.withSegments {
            $0.reopen()
            return nil
          })
      }
      if !requests.isDisjoint(with: [.setAside, .resume]) { move(requests) }
      if requests.contains(.rotate) { settle(sink.withSegments { $0.rotate(now: clock(), report: report) }) }
      if chunk != nil {
        write(&chunk!)
      } else if requests.contains(.stop) {
        settle(sink.withSegments { $0.finish(now: clock(), report: report) })
        return
      } else {
        settle(sink.withSegments { $0.rotateIfOld(now: clock(), report: report) })
      }
    }
  }

  private mutating func move(_ requests: CallLogExchange.Requests) {
    settle(
      sink.withSegments {
        if requests.contains(.resume) { return $0.resume(now: clock(), report: report) }
        $0.setAside()
        return nil
      })
    totals.moved.withLock { $0 = true }
    totals.moved.signal()
  }

  /// Gives the last chunk back and waits for the next one, a request, or the segment's age.
  private func next(_ chunk: inout CallLogChunk?, timeout: Int?) -> CallLogExchange.Requests {
    exchange.monitor.wait(timeout: timeout) { state -> CallLogExchange.Requests? in
      if let done = chunk.take() { state.giveBack(done) }
      chunk = state.full.pop()
      if chunk == nil, !state.isRung { return nil }
      let requests = state.requests
      // Stop stands until everything is written.
      state.requests.formIntersection(.stop)
      state.isRung = chunk != nil && requests.contains(.stop)
      if chunk == nil, requests.contains(.stop) { state.isClosed = true }
      return requests
    } ?? []
  }

  private mutating func write(_ chunk: inout CallLogChunk) {
    let outcome = sink.append(chunk.buffer.span, count: chunk.lines, now: clock(), report: report)
    totals.written.add(outcome.lines, ordering: .relaxed)
    totals.dropped.add(chunk.lines - outcome.lines, ordering: .relaxed)
    totals.bytes.add(outcome.bytes, ordering: .relaxed)
    if outcome.failure != nil { totals.errors.add(1, ordering: .relaxed) }
    settle(outcome.failure, wrote: outcome.bytes > 0)
    chunk.removeAll()
  }

  /// Tells the first failure of a row, and its end.
  private mutating func settle(_ failure: CallLogFailure?, wrote: Bool = false) {
    if let failure {
      if !isFailing { report(.failing(operation: failure.operation, reason: failure.errno.description)) }
      isFailing = true
    } else if isFailing, wrote {
      isFailing = false
      report(.recovered)
    }
  }
}

/// Counters of everything that is not one worker's own.
final class CallLogTotals: Sendable {
  let written = Atomic(0), dropped = Atomic(0), bytes = Atomic(0), errors = Atomic(0)
  /// Whether the writer did what it was asked for: set its segment aside, or take it back.
  let moved = Monitor(false)
  let rotated = Atomic(0), compressed = Atomic(0), removed = Atomic(0)

  func count(_ event: CallLogEvent) {
    switch event {
    case .rotated: rotated.add(1, ordering: .relaxed)
    case .compressed: compressed.add(1, ordering: .relaxed)
    case .removed: removed.add(1, ordering: .relaxed)
    default: break
    }
  }
}
