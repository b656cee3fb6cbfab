// long: reading, events, writing and the end of a connection share buffers and flags that nothing else may touch.

import Foreign
import Kernel
import Runtime

/// A connection that carries HTTP/2: reads, feeds the session, and writes what it has to say.
///
/// Frames of all streams gather in one buffer, which is written once a turn of the loop or when it is full. Streams are
/// rung when all that came with one read has been put down, so that a small request is seen whole. Subclasses know
/// whose streams they are.
class HTTP2Channel: WakerOwner {
  let transport: Transport
  let session: HTTP2Session
  let context: HTTP2Context
  let waker: Waker
  /// For the lines of one message at a time.
  var fields = HTTP2Fields()
  private var input = IOBuffer()
  /// Where in `input` lies what the session was fed last.
  private var fedFrom = 0
  private var output = IOBuffer()
  /// By slot.
  private var streams: [HTTP2Stream?] = []
  private var touched: [HTTP2Stream] = []
  /// Streams that the session has open.
  private(set) var openStreams = 0
  private(set) var isClosed = false
  /// No frame is taken in any more; the peer is given a moment to read what was sent.
  private(set) var isEnding = false
  private var isShut = false
  private var isDirty = false
  private var failed = false
  /// Monotonic nanoseconds when something was last heard of the peer, and when something was last written.
  private(set) var lastHeard: Int
  private(set) var lastWritten: Int
  /// When a PING was sent that has no answer yet; 0 for none.
  private var pinged = 0
  private var endsAt = Int.max

  /// Reads in one turn, so that no connection holds up the others.
  private static let readsPerTurn = 8
  private static let lingerTime = 1_000_000_000

  init(_ transport: Transport, _ session: HTTP2Session, on context: HTTP2Context) {
    self.transport = transport
    self.session = session
    self.context = context
    waker = Waker(context.loop)
    lastHeard = context.loop.now
    lastWritten = context.loop.now
    transport.waker = waker
    waker.isParked = true
    waker.parkedOwner = self
    markDirty()
  }

  // MARK: For subclasses

  /// Whether the transport can carry frames by now; called for whatever happens to it until it can.
  func isConnected() -> Bool { true }
  /// What the peer holds this side to has changed.
  func settingsChanged() {}
  /// A head opens a stream of the peer's.
  func open(_ slot: Int, _ lines: Range<Int>, isTruncated: Bool, isEnd: Bool) {}
  /// A head that was to open a stream of the peer's was none.
  func headRefused() {}
  /// A further head, or trailers.
  func takeHead(_ stream: HTTP2Stream, _ lines: Range<Int>, isTruncated: Bool, isEnd: Bool) {}
  /// Both sides of a stream are through with it.
  func finished(_ stream: HTTP2Stream) {}
  /// The connection is about to close, while its transport can still be asked why.
  func closing() {}
  func goingAway(last: Int32) {}
  /// The peer did not keep to the protocol, in a way that no frame can answer.
  func sessionFailed() {}
  /// The peer has not read what was written for as long as one may.
  func stalled() {}
  /// The peer has not answered a PING.
  func unanswered() {}
  /// What came in was counted.
  func judge() {}
  func connectionClosed() {}
  /// When something is to be done that only the subclass knows of.
  var deadline: Int { .max }
  func deadlinePassed() {}

  /// Opens a stream of this side's; false when the session takes none any more.
  final func request(_ stream: HTTP2Stream, isEnd: Bool) -> Bool {
    guard !isClosed, !isEnding, let slot = session.submitRequest(fields, isEnd: isEnd) else { return false }
    openStreams += 1
    attach(stream, to: slot)
    return true
  }

  final func attach(_ stream: HTTP2Stream, to slot: Int) {
    while streams.count <= slot { streams.append(nil) }
    streams[slot] = stream
    stream.begin(slot)
  }

  /// Takes a stream's place away: what still comes of it is for nobody.
  final func detach(_ stream: HTTP2Stream) {
    streams[stream.slot] = nil
    stream.finish()
  }

  // MARK: For streams

  /// Sends content as far as windows and output have room; nil when the session cannot go on.
  final func offer(
    _ octets: Span<UInt8>, end: HTTP2BodyEnd, of stream: HTTP2Stream
  ) -> (taken: Int, ended: Bool)? {
    var taken = 0
    while true {
      output.lease(from: context.largeBuffers)
      if output.room < HTTP2Session.frameRoom { write() }
      do {
        let rest = octets.extracting(taken..<octets.count)
        let step = try session.offer(rest, end: end, of: stream.slot, into: &output)
        taken += step.taken
        if step.ended || (taken == octets.count && end == .open) { return (taken, step.ended) }
        if step.taken == 0 || !transport.isWritable { return (taken, false) }
      } catch {
        fail()
        return nil
      }
    }
  }

  final func closed(_ stream: HTTP2Stream) {
    if stream.slot >= 0 { streams[stream.slot] = nil }
    streamClosed(stream)
  }

  func streamClosed(_ stream: HTTP2Stream) {}

  /// Has this flushed at the end of the turn.
  final func markDirty() {
    guard !isDirty, !isClosed else { return }
    isDirty = true
    context.flushLater(self)
  }

  // MARK: From the loop

  final func wokenWhileParked(_ signals: Signals) {
    if isConnected() {
      if transport.isReadable { pump() }
      if !isClosed, transport.isPeerClosed, !transport.isReadable { return close() }
    }
    guard !isClosed else { return }
    if signals.contains(.deadline) { passDeadline() }
    markDirty()
  }

  /// Takes in what was read before this took over.
  final func takeOver(_ octets: Span<UInt8>) {
    input.lease(from: context.smallBuffers)
    input.removeAll()
    _ = input.append(octets)
    feed()
    if !isClosed { wokenWhileParked([]) }
  }

  private func pump() {
    takeEvents()
    var reads = 0
    while transport.isReadable, reads < Self.readsPerTurn, !isClosed, !failed {
      input.lease(from: context.smallBuffers)
      let result = transport.receive(into: &input)
      if result.wouldBlock { break }
      guard result.count > 0 else { return close() }
      reads += 1
      lastHeard = context.loop.now
      pinged = 0
      feed()
    }
    input.return(to: context.smallBuffers)
    if transport.isReadable, !isClosed, !failed { context.loop.afterOthers { [self] in wokenWhileParked([]) } }
  }

  private func feed() {
    fedFrom = 0
    while fedFrom < input.count, !isEnding, !isClosed, !failed {
      do {
        let taken = try session.feed(input.readable.extracting(fedFrom..<input.count))
        takeEvents()
        fedFrom += taken
        judge()
        if taken == 0 { break }
      } catch {
        sessionFailed()
        fail()
        break
      }
    }
    input.removeAll()
  }

  private func takeEvents() {
    while let event = session.nextEvent() {
      take(event)
      // The streams are rung between two lots of events; what they do may make further ones.
      if session.hasEvents { continue }
      ringTouched()
    }
  }

  private func take(_ event: HTTP2Event) {
    switch event {
    case .head(let slot, let lines, let isNew, let isTruncated, let isEnd):
      if isNew {
        openStreams += 1
        return open(slot, lines, isTruncated: isTruncated, isEnd: isEnd)
      }
      // Of a stream that was given up there may still come something.
      guard let stream = stream(slot) else { return }
      takeHead(stream, lines, isTruncated: isTruncated, isEnd: isEnd)
      touch(stream)
    case .refused: headRefused()
    case .data(let slot, let octets):
      guard let stream = stream(slot) else { return session.consume(octets.count, of: slot) }
      Self.pass(input, octets.lowerBound + fedFrom..<octets.upperBound + fedFrom, to: stream)
      touch(stream)
    case .end(let slot):
      guard let stream = stream(slot) else { return }
      stream.takeEnd()
      touch(stream)
    case .writable(let slot):
      guard let stream = stream(slot) else { return }
      stream.becomeWritable()
      touch(stream)
    case .closed(let slot, let code): sessionClosed(slot, code)
    case .goAway(let last, _): goingAway(last: last)
    case .pong: break
    case .settings: settingsChanged()
    }
  }

  private static func pass(_ input: borrowing IOBuffer, _ range: Range<Int>, to stream: HTTP2Stream) {
    stream.take(input.readable.extracting(range))
  }

  private func sessionClosed(_ slot: Int, _ code: UInt32) {
    openStreams -= 1
    defer { session.release(slot) }
    guard let stream = stream(slot) else { return }
    streams[slot] = nil
    if stream.isSaid {
      stream.finish()
      finished(stream)
    } else {
      stream.breakOff(code)
      touch(stream)
    }
  }

  private func stream(_ slot: Int) -> HTTP2Stream? { slot < streams.count ? streams[slot] : nil }

  final func touch(_ stream: HTTP2Stream) {
    guard !stream.isTouched else { return }
    stream.isTouched = true
    touched.append(stream)
  }

  private func ringTouched() {
    var index = 0
    while index < touched.count {
      let stream = touched[index]
      stream.isTouched = false
      stream.waker?.ring(.socket)
      index += 1
    }
    touched.removeAll(keepingCapacity: true)
  }

  // MARK: Writing

  /// Writes what there is; called at the end of a turn in which something may have been added.
  final func flush() {
    isDirty = false
    guard !isClosed else { return }
    if failed { return close() }
    do {
      var hasMore = true
      while hasMore || !output.isEmpty {
        output.lease(from: context.largeBuffers)
        hasMore = try session.produce(into: &output)
        if output.isEmpty || !write() { break }
      }
    } catch { return close() }
    takeEvents()
    guard !isClosed else { return }
    if output.isEmpty {
      output.return(to: context.largeBuffers)
      if session.isOver { shutDown() }
    }
    waker.arm(at: nextDeadline)
  }

  /// Whether all was written.
  @discardableResult
  private func write() -> Bool {
    while !output.isEmpty, transport.isWritable {
      let result = transport.send(output.readable)
      if result.wouldBlock { break }
      if result.isError {
        fail()
        break
      }
      output.consume(result.count)
      lastWritten = context.loop.now
    }
    return output.isEmpty
  }

  // MARK: The end

  private func fail() {
    failed = true
    markDirty()
  }

  /// Everything was said: closes when the peer has read it, or after a moment.
  private func shutDown() {
    guard !isShut else { return }
    // A session that was not ended here was by what the peer did.
    if session.failureCode != 0, !isEnding { sessionFailed() }
    if transport.isPeerClosed { return close() }
    isEnding = true
    isShut = true
    transport.shutdownWrite()
    endsAt = min(endsAt, context.loop.now + Self.lingerTime)
  }

  /// Ends the session because of what the peer does.
  final func terminate(code: HTTP2ErrorCode) {
    session.terminate(code: code)
    breakOffStreams()
    isEnding = true
    endsAt = context.loop.now + Self.lingerTime
    markDirty()
  }

  final func close(reset: Bool = false) {
    guard !isClosed else { return }
    isClosed = true
    waker.cancelDeadline()
    waker.isParked = false
    waker.parkedOwner = nil
    closing()
    transport.close(reset: reset)
    input.return(to: context.smallBuffers)
    output.return(to: context.largeBuffers)
    breakOffStreams()
    connectionClosed()
  }

  private func breakOffStreams() {
    for slot in streams.indices {
      guard let stream = streams[slot] else { continue }
      streams[slot] = nil
      stream.breakOff(nil)
      stream.waker?.ring(.socket)
    }
  }

  // MARK: Time

  private var nextDeadline: Int {
    var next = min(endsAt, deadline)
    if !output.isEmpty { next = min(next, lastWritten + context.stallTimeout) }
    if openStreams > 0 { next = min(next, pinged > 0 ? pongDeadline : lastHeard + context.pingAfter) }
    return next
  }

  private var pongDeadline: Int { pinged + context.pingAfter / 2 }

  private func passDeadline() {
    let now = context.loop.now
    if now >= endsAt { return close() }
    if !output.isEmpty, now >= lastWritten + context.stallTimeout {
      stalled()
      return close(reset: true)
    }
    if openStreams > 0 {
      if pinged > 0, now >= pongDeadline {
        unanswered()
        return close(reset: true)
      }
      if pinged == 0, now >= lastHeard + context.pingAfter {
        pinged = now
        session.ping()
      }
    }
    if now >= deadline { deadlinePassed() }
  }
}
