import Foreign
import Kernel
import Runtime

/// A client's connection that speaks HTTP/2: each of its streams is served by a `ServerConnection` of its own.
///
/// Those that are through with an exchange rest and take a later stream, so that a request allocates nothing; one that
/// rests too long goes, as a connection of HTTP/1.1 does.
final class HTTP2Connection: HTTP2Channel, ClientConnection {
  let worker: Worker
  let listener: ListenerIdentity
  let peer: IPAddress
  var index = 0
  /// Served over this connection, in an exchange or resting.
  private var carried: [ServerConnection] = []
  /// Streams whose connections rest.
  private var resting: [HTTP2ServerStream] = []
  private let security: ConnectionSecurity?
  private var conduct: HTTP2Conduct
  private var isDraining = false
  /// The drain waits no longer, but for tunnels that say goodbye.
  private var isCut = false
  /// When the last streams of a drained connection were taken.
  private var drainsAt = Int.max
  private var idleSince: Int
  /// The head that has begun and not ended, and since when; one at a time (RFC 9113 §4.3).
  private var head: (number: Int, since: Int)?

  /// Frames that may wait for a client that does not read, beside those of as many streams as it may have.
  private static let mostQueued = 4000
  private static let drainTime = 500_000_000

  init(
    _ transport: Transport, peer: IPAddress, listener: ListenerIdentity, worker: Worker, security: ConnectionSecurity?
  ) throws(HTTP2Failure) {
    self.worker = worker
    self.security = security
    self.listener = listener
    self.peer = peer
    let limits = worker.limits
    idleSince = worker.loop.now
    conduct = HTTP2Conduct(resets: limits.http2Resets, now: worker.loop.now)
    let options = HTTP2Options(streams: limits.http2Streams, headSize: limits.requestHead)
    super.init(transport, try HTTP2Session(.server, options, memory: worker.http2.memory), on: worker.http2)
  }

  // MARK: Streams

  override func open(_ slot: Int, _ lines: Range<Int>, isTruncated: Bool, isEnd: Bool) {
    guard let stream = takeStream() else { return session.reset(slot, code: .refusedStream) }
    attach(stream, to: slot)
    guard stream.takeHead(lines, of: session, isTruncated: isTruncated, isEnd: isEnd) else {
      session.reset(slot, code: .protocolError)
      detach(stream)
      return refuseHead(of: stream)
    }
    if isEnd { stream.takeEnd() }
    touch(stream)
  }

  override func headRefused() { if let stream = takeStream() { refuseHead(of: stream) } }

  /// The client is told by a reset; the engine records the request as it does every other.
  private func refuseHead(of stream: HTTP2ServerStream) {
    worker.metrics.http2Refused(listener, "malformed")
    stream.refuse()
    touch(stream)
  }

  /// Nil: there are as many as may be. Of an exchange that was cancelled the connection may still be about it, so
  /// these are bounded too.
  private func takeStream() -> HTTP2ServerStream? {
    guard carried.count - resting.count < 2 * worker.limits.http2Streams else { return nil }
    return takeResting() ?? makeStream()
  }

  /// The one that rests most lately; it is the last one unless its exchange has not come to its end yet.
  private func takeResting() -> HTTP2ServerStream? {
    if let last = resting.popLast() {
      if last.isResting { return last }
      resting.append(last)
    }
    guard let index = resting.lastIndex(where: { $0.isResting }) else { return nil }
    return resting.remove(at: index)
  }

  private func makeStream() -> HTTP2ServerStream {
    let stream = HTTP2ServerStream(self)
    let connection = ServerConnection(
      stream, peer: peer, listener: listener, worker: worker, security: security, carrier: self)
    stream.connection = connection
    connection.index = carried.count
    carried.append(connection)
    connection.park()
    return stream
  }

  override func takeHead(_ stream: HTTP2Stream, _ lines: Range<Int>, isTruncated: Bool, isEnd: Bool) {
    var trailers = ByteBuffer(capacity: 256)
    guard isEnd, !isTruncated, FieldTranslation.appendTrailers(session.received, lines, to: &trailers) else {
      session.reset(stream.slot, code: .protocolError)
      return
    }
    stream.takeEnd(trailers: trailers.span)
  }

  override func finished(_ stream: HTTP2Stream) {
    if let stream = stream as? HTTP2ServerStream, stream.isOpen, stream.isRead { resting.append(stream) }
    idle()
  }

  override func streamClosed(_ stream: HTTP2Stream) {
    resting.removeAll { $0 === stream }
    idle()
  }

  private func idle() {
    if openStreams == 0 { idleSince = worker.loop.now }
  }

  /// A stream's connection has closed.
  func closed(_ connection: ServerConnection) {
    let last = carried.removeLast()
    if last !== connection {
      carried[connection.index] = last
      last.index = connection.index
    }
    if isCut { worker.loop.start(self) { $0.closeOnceCut() } }
  }

  // MARK: Conduct

  override func judge() {
    guard !isEnding else { return }
    watchHead()
    let offence = conduct.judge(session.tally, now: worker.loop.now)?.word
    // What it has us answer without reading the answers.
    guard let word = offence ?? (session.queuedFrames > Self.mostQueued ? "unread" : nil) else { return }
    worker.metrics.http2Refused(listener, word)
    terminate(code: .enhanceYourCalm)
  }

  private func watchHead() {
    guard let number = session.unfinishedHead else { return head = nil }
    if head?.number != number { head = (number, worker.loop.now) }
  }

  override func stalled() { worker.metrics.http2Refused(listener, "unread") }

  override func unanswered() { worker.metrics.http2Refused(listener, "unanswered") }

  override func sessionFailed() { worker.metrics.http2Refused(listener, "protocol") }

  // MARK: The end

  /// The worker drains: no further stream is taken soon, and those under way end (RFC 9113 §6.8).
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    drainsAt = worker.loop.now + Self.drainTime
    session.announceShutdown()
    for connection in Array(carried) { connection.drain() }
    markDirty()
  }

  func cut() {
    isCut = true
    for connection in Array(carried) { connection.cut() }
    closeOnceCut()
  }

  /// Closes with what was said to those that go; tunnels have a moment in which both sides may leave.
  private func closeOnceCut() {
    guard !isClosed, !carried.contains(where: { $0.tunnel != nil }) else { return markDirty() }
    flush()
    close()
  }

  override func connectionClosed() {
    for connection in Array(carried) where connection.waker.isParked && connection.awaited == nil {
      if let tunnel = connection.tunnel { tunnel.clientIsGone() } else { connection.close() }
    }
    resting.removeAll()
    worker.closed(self)
  }

  override var deadline: Int { min(headDeadline, drainsAt < .max ? drainsAt : idleDeadline) }
  private var idleDeadline: Int { openStreams == 0 ? idleSince + worker.limits.idleTimeout : .max }
  private var headDeadline: Int { head.map { $0.since + worker.limits.headTimeout } ?? .max }

  override func deadlinePassed() {
    // Nothing else may come before the rest of that head: the whole connection waits for it.
    if worker.loop.now >= headDeadline {
      head = nil
      worker.metrics.http2Refused(listener, "head_timeout")
      return terminate(code: .enhanceYourCalm)
    }
    drainsAt = .max
    if isDraining || openStreams == 0 { session.refuseFurtherStreams() }
    if !isDraining { isDraining = true }
  }
}
