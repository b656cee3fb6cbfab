import Kernel
import Synchronization

/// Whole lines on their way from a worker to the writer.
struct CallLogChunk: ~Copyable, Sendable {
  var buffer: ByteBuffer
  var lines = 0

  init(capacity: Int) { buffer = ByteBuffer(capacity: capacity) }

  mutating func removeAll() {
    buffer.removeAll()
    lines = 0
  }
}

/// What one queue has counted; its worker alone writes, anyone reads.
final class CallLogTally: Sendable {
  let produced = Atomic(0)
  let dropped = Atomic(0)

  func add(to counter: borrowing Atomic<Int>) {
    counter.store(counter.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }
}

/// Where workers hand full chunks in and get empty ones back.
///
/// The number of chunks is fixed by the number of queues, so a writer that waits for its disk costs bounded memory,
/// and a worker that finds no empty chunk drops lines instead of waiting.
final class CallLogExchange: Sendable {
  struct State: ~Copyable {
    var full = Ring<CallLogChunk>(capacity: 1)
    var free = Ring<CallLogChunk>(capacity: 1)
    /// Chunks that may still be made.
    var unmade = 0
    var tallies: [CallLogTally] = []
    var requests: Requests = []
    /// Something was asked for since the writer last looked.
    var isRung = false
    /// The writer has left: nothing will be taken out of `full` again.
    var isClosed = false
  }

  /// What the writer is asked for beside writing.
  struct Requests: OptionSet, Sendable {
    let rawValue: UInt8
    static let reopen = Requests(rawValue: 1)
    static let rotate = Requests(rawValue: 2)
    static let stop = Requests(rawValue: 4)
    static let setAside = Requests(rawValue: 8)
    static let resume = Requests(rawValue: 16)
  }

  let chunkSize: Int
  private let chunksPerQueue: Int
  let monitor: Monitor<State>

  init(chunkSize: Int, chunksPerQueue: Int) {
    self.chunkSize = chunkSize
    self.chunksPerQueue = max(2, chunksPerQueue)
    monitor = Monitor(State())
  }

  /// Takes a queue in: its first chunk is its own, the others are everybody's.
  func register(_ tally: CallLogTally) {
    monitor.withLock { state in
      state.tallies.append(tally)
      state.unmade += chunksPerQueue - 1
      state.full.grow(by: chunksPerQueue)
      state.free.grow(by: chunksPerQueue)
    }
  }

  /// Hands `chunk` in and puts an empty one in its place.
  ///
  /// - Returns: false, and changes nothing, when there is no empty one.
  func exchange(_ chunk: inout CallLogChunk) -> Bool {
    let done = monitor.withLock { state in
      if state.isClosed { return false }
      guard var other = state.takeFree(chunkSize) else { return false }
      swap(&chunk, &other)
      state.full.push(other)
      return true
    }
    if done { monitor.signal() }
    return done
  }

  /// Hands the last chunk of a queue in; its worker ends.
  func close(_ chunk: inout CallLogChunk, of tally: CallLogTally) {
    var other = CallLogChunk(capacity: 0)
    swap(&chunk, &other)
    var last: CallLogChunk? = other
    monitor.withLock { state in
      guard let last = last.take(), last.lines > 0 else { return }
      if state.isClosed || state.full.isFull {
        tally.dropped.add(last.lines, ordering: .relaxed)
      } else {
        state.full.push(last)
      }
    }
    monitor.signal()
  }

  /// Asks the writer for something; an empty set only makes it look at its limits again.
  func ask(for requests: Requests) {
    monitor.withLock {
      $0.requests.formUnion(requests)
      $0.isRung = true
    }
    monitor.signal()
  }

  /// Gives up what the writer has not taken.
  ///
  /// - Returns: how many lines that was.
  func abandon() -> Int {
    monitor.withLock { state in
      state.isClosed = true
      var lines = 0
      while let chunk = state.full.pop() { lines += chunk.lines }
      return lines
    }
  }

  /// What all queues have produced, and dropped themselves.
  func tally() -> (produced: Int, dropped: Int) {
    let tallies = monitor.withLock { $0.tallies }
    return tallies.reduce(into: (0, 0)) { sum, tally in
      sum.0 += tally.produced.load(ordering: .relaxed)
      sum.1 += tally.dropped.load(ordering: .relaxed)
    }
  }
}

extension CallLogExchange.State {
  mutating func takeFree(_ size: Int) -> CallLogChunk? {
    // The one that came back last: its memory is warm.
    if let chunk = free.popLast() { return chunk }
    if unmade == 0 { return nil }
    unmade -= 1
    return CallLogChunk(capacity: size)
  }

  /// Takes an empty chunk back; beyond two for each queue its memory goes, as after a disk has caught up.
  mutating func giveBack(_ chunk: consuming CallLogChunk) {
    if free.count < 2 * tallies.count { free.push(chunk) } else { unmade += 1 }
  }
}
