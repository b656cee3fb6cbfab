import HTTP
import Kernel
import PluginKit
import Runtime

/// One call of the gateway's own, from the first lease to the last byte of the response.
final class ClientCall {
  private let message: ClientMessage
  private let pool: UpstreamPool
  private let worker: Worker
  private let waker: Waker
  private let deadline: Int
  /// The last response of an upstream that failed, should no other come.
  private var failed: ClientResponse?

  init(_ message: consuming ClientMessage, to pool: UpstreamPool, on worker: Worker) {
    deadline = worker.loop.now + max(0, message.request.timeout)
    self.message = message
    self.pool = pool
    self.worker = worker
    waker = Waker(worker.loop)
  }

  /// Calls until there is a response or nothing is left to try.
  func run() async throws(Fault) -> ClientResponse {
    var history = AttemptHistory()
    var retries = RetryAllowance()
    defer {
      retries.end(pool.upstream.retryBudget)
      waker.cancelDeadline()
    }
    pool.upstream.retryBudget.countRequest(now: worker.loop.now)
    while true {
      let failure: AttemptFailure
      switch await lease(&history) {
      case .fault(let fault):
        if let failed { return failed }
        throw history.lastFault ?? fault
      case .failed(let found): failure = found
      case .connection(let connection):
        let answer = ClientAnswer(
          to: message.method, largest: message.request.largestResponse, keepsContent: message.keepsAnswer,
          buffers: worker.smallBuffers)
        let began = worker.loop.now
        let outcome = await attempt(connection, answer)
        end(outcome, answer, connection, &history)
        worker.metrics.attemptEnded(
          message.method, status: outcome.isFailure ? 0 : answer.status, upstream: pool, began: began,
          ended: worker.loop.now, why: outcome.word)
        switch outcome {
        case .fault(let fault): throw fault
        case .failed(let found): failure = found
        case .done:
          failure = AttemptFailure(kind: .status(answer.status), fault: .upstreamReset, sent: true)
          if answer.status < 500 { return answer.response }
          failed = answer.response
        }
        if failure.kind.isStale { history.insertStale(connection.pool) } else { history.insert(connection.pool) }
      }
      history.lastFault = failure.fault
      guard mayTryAgain(after: failure, &retries) else {
        if case .status = failure.kind, let failed { return failed }
        throw failure.fault
      }
    }
  }

  /// A call holds its whole request, so that it can always be sent again where the method allows it.
  private func mayTryAgain(after failure: AttemptFailure, _ retries: inout RetryAllowance) -> Bool {
    // A copy is not worth the load.
    if message.isCopy, !failure.kind.isStale { return false }
    let decision = retries.decide(
      failure, message.method, message.request.method.utf8Span.span, replayable: true, pool.upstream,
      now: worker.loop.now)
    switch decision {
    case .retry: worker.metrics.retried(pool, reason: failure.kind.word)
    case .denied: worker.metrics.retryDenied(pool)
    case .no: break
    }
    return decision == .retry
  }

  // MARK: Getting a connection

  private func lease(_ history: inout AttemptHistory) async -> LeaseOutcome {
    let queueDeadline = worker.loop.now + pool.upstream.settings.connections.queueTimeout
    while true {
      switch pool.lease(&history, hash: nil, certain: !message.method.isIdempotent) {
      case .connection(let connection):
        connection.wake(waker)
        return .connection(connection)
      case .connecting(let connection): return await establish(connection, &history)
      case .failed(_, let failure): return .failed(failure)
      case .fault(let fault): return .fault(fault)
      case .wait:
        if let fault = await queue(until: queueDeadline) { return .fault(fault) }
      }
    }
  }

  private func establish(_ connection: UpstreamConnection, _ history: inout AttemptHistory) async -> LeaseOutcome {
    let connectDeadline = worker.loop.now + pool.upstream.settings.timeouts.connect
    connection.wake(waker)
    while !connection.socket.isWritable {
      if await isOver(connectDeadline) {
        if worker.loop.now >= deadline, deadline < connectDeadline {
          // The caller is in a hurry: that says nothing about the target.
          connection.pool.settle(&history, .abandoned)
          connection.pool.close(connection)
          return .fault(.totalTimeout)
        }
        history.insert(connection.pool)
        connection.pool.connectFailed(connection, &history, why: "connect timed out")
        return .failed(AttemptFailure(kind: .connect, fault: .connectTimeout, sent: false))
      }
    }
    guard connection.socket.isPeerClosed, connection.socket.error != 0 else {
      connection.pool.connected(connection)
      return .connection(connection)
    }
    history.insert(connection.pool)
    let fault = connection.protocolFault
    let why: StaticString = fault == nil ? "connect refused" : TargetPool.handshakeFailed
    connection.pool.connectFailed(connection, &history, why: why)
    return .failed(AttemptFailure(kind: .connect, fault: fault ?? .connectRefused, sent: false))
  }

  private func queue(until queueDeadline: Int) async -> Fault? {
    guard let ticket = pool.enqueue(waker) else { return .queueFull }
    let began = worker.loop.now
    defer { worker.metrics.queued(pool, nanoseconds: worker.loop.now - began) }
    while ticket.isQueued {
      if await isOver(queueDeadline), ticket.isQueued {
        pool.cancel(ticket)
        return worker.loop.now >= deadline ? .totalTimeout : .queueTimeout
      }
    }
    return nil
  }

  /// Waits for anything; whether `moment`, or the end of the whole call, has passed.
  private func isOver(_ moment: Int) async -> Bool {
    let moment = min(moment, deadline)
    _ = await waker.wait(until: moment)
    return worker.loop.now >= moment
  }

  // MARK: One attempt

  /// Sends the request and gathers the response over an established connection.
  private func attempt(_ connection: UpstreamConnection, _ answer: ClientAnswer) async -> AttemptOutcome {
    let timeouts = pool.upstream.settings.timeouts
    let socket = connection.socket
    var request = ByteBuffer(capacity: 512)
    message.write(to: connection.pool.target, into: &request)
    var sent = 0
    var lastProgress = worker.loop.now
    defer { answer.finish() }
    while true {
      while sent < request.count, socket.isWritable {
        let result = socket.send(request.span.extracting(sent..<request.count))
        if result.wouldBlock { break }
        // The target may have answered before it closed: that answer is read next.
        if result.isError, !socket.isReadable { return reset(connection, answer, sent: sent) }
        if result.isError { break }
        sent += result.count
        lastProgress = worker.loop.now
      }
      if socket.isReadable {
        // Before anything is sent, whatever comes is no answer to this.
        if sent == 0 { return reset(connection, answer, sent: 0) }
        do { try answer.read(from: socket) } catch { return outcome(of: error, connection, answer, sent: sent) }
        if answer.isComplete { return .done }
        lastProgress = worker.loop.now
      }
      let isWaitingForHead = sent == request.count && !answer.hasBegun
      let moment = lastProgress + (isWaitingForHead ? timeouts.firstByte : timeouts.idle)
      if await isOver(moment) {
        if worker.loop.now >= deadline { return .fault(.totalTimeout) }
        if !isWaitingForHead { return .fault(.idleTimeout) }
        return .failed(AttemptFailure(kind: .firstByteTimeout, fault: .firstByteTimeout, sent: true))
      }
    }
  }

  /// The target closed before it answered: at once over a connection that had rested, it closed that meanwhile.
  private func reset(_ connection: UpstreamConnection, _ answer: ClientAnswer, sent: Int) -> AttemptOutcome {
    let isStale = connection.isReused && !answer.hasBegun
    return .failed(
      AttemptFailure(
        kind: isStale ? .stale : connection.breakage, fault: .upstreamReset, sent: sent > 0 && !connection.isUnprocessed
      ))
  }

  private func outcome(
    of failure: ClientAnswer.Failure, _ connection: UpstreamConnection, _ answer: ClientAnswer, sent: Int
  ) -> AttemptOutcome {
    switch failure {
    case .malformed(let error):
      .failed(AttemptFailure(kind: .malformed, fault: .malformedResponse(error), sent: true))
    case .tooManyInformational: .fault(.tooManyInformational)
    case .tooLarge: .fault(.answerTooLarge)
    case .noHead: reset(connection, answer, sent: sent)
    case .truncated: .fault(.upstreamTruncated)
    }
  }

  /// Gives the connection back or closes it, and tells the target's breaker, its health and the metrics.
  private func end(
    _ outcome: AttemptOutcome, _ answer: ClientAnswer, _ connection: UpstreamConnection,
    _ history: inout AttemptHistory
  ) {
    connection.pool.record(outcome, status: answer.status, &history)
    if answer.isReusable { connection.pool.giveBack(connection) } else { connection.pool.close(connection) }
  }
}
