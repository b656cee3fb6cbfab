import HTTP
import Kernel
import PluginKit
import Runtime

/// An exchange whose request has been sent whole, and whose answer is awaited without a task.
struct AwaitedExchange {
  let slot: ExchangeSlot
  let lease: UpstreamConnection
  /// Monotonic nanoseconds when the wait began.
  let began: Int
}

/// The common exchange, carried without a task: the head is complete with the first read, no hook waits, a resting
/// connection is free, and the answer fits one read and one write.
///
/// Two waits of a task cost a quarter of the gateway's own time for such an exchange, and its steps never wait in the
/// middle. So they are called one after another from the loop; wherever one of them would have to wait, a task takes
/// over from exactly there. Nothing is decided here that the task's way does not decide with the same code.
extension ServerConnection {
  /// Reads what has come, and serves requests as long as they are complete.
  func serveAtOnce() {
    let slot = worker.leaseSlot()
    slot.exchange.request.buffer.lease(from: worker.smallBuffers)
    let result = socket.receive(into: &slot.exchange.request.buffer)
    guard result.count > 0 else {
      worker.returnSlot(slot)
      if !result.wouldBlock { close() }
      return
    }
    serveBuffered(slot)
  }

  private func serveBuffered(_ slot: ExchangeSlot) {
    switch decodeHead(slot, began: worker.loop.now) {
    case .complete: carryAtOnce(slot)
    case .refused(let fault): startTask(slot, from: .refused(fault))
    case .preface:
      switchToHTTP2(slot)
      worker.returnSlot(slot)
    default: startTask(slot, from: .head)
    }
  }

  private func carryAtOnce(_ slot: ExchangeSlot) {
    worker.begin(slot, on: self)
    guard let verdict = decideAtOnce(slot) else { return startTask(slot, from: .hooks) }
    if case .respond = verdict, slot.exchange.response.stored != nil { return respondAtOnce(slot) }
    guard case .proceed = verdict, let route = slot.route, let pool = route.pool(for: slot, &worker.random),
      bodyIsHere(slot), !slot.exchange.request.head.asksUpgrade, route.chain.requestBody.isEmpty,
      !slot.exchange.request.head.headers.contains(.maxForwards)
    else { return startTask(slot, from: .decided(verdict)) }
    let certain = !slot.exchange.request.method.isIdempotent
    let hash = pool.hash(of: slot)
    guard let lease = pool.leaseResting(&slot.history, hash: hash, certain: certain) else {
      return startTask(slot, from: .decided(verdict))
    }
    slot.exchange.times.leaseBegan = worker.loop.now
    slot.exchange.times.leaseEnded = worker.loop.now
    slot.account.target = lease.pool
    lease.wake(waker)
    if let fault = prepareCall(slot, route: route, pool: pool) {
      return startTask(slot, from: .attempting(lease, .ended(.fault(fault))))
    }
    beginAttempt(slot)
    if let outcome = pushRequest(slot, lease) {
      return startTask(slot, from: .attempting(lease, .ended(outcome)))
    }
    guard slot.outgoingSent == slot.outgoing.count, slot.upload.finished else {
      return startTask(slot, from: .attempting(lease, .sending))
    }
    awaitAnswer(slot, lease, timeouts: route.timeouts(of: pool))
  }

  /// Sends an answer that is stored.
  private func respondAtOnce(_ slot: ExchangeSlot) {
    if let route = slot.route, !route.chain.responseBody.isEmpty {
      return startTask(slot, from: .decided(.respond))
    }
    let reusable = beginAnswer(slot, closing: false)
    guard case .sent = pushReply(slot), reusable, !worker.isDraining else {
      return startTask(slot, from: .replying(reusable))
    }
    finish(slot)
    prepareNext(slot)
    // Not by a call from here: as many requests as fit the buffer would be as many frames on the stack.
    if !slot.exchange.request.buffer.isEmpty { return startTask(slot, from: .head) }
    worker.returnSlot(slot)
    park()
  }

  /// Whether all of the request's body came with its head, so that nothing needs to be read while it is sent.
  private func bodyIsHere(_ slot: ExchangeSlot) -> Bool {
    switch slot.exchange.request.head.framing {
    case .none: true
    case .length(let count): slot.exchange.request.buffer.count >= count
    default: false
    }
  }

  private func awaitAnswer(_ slot: ExchangeSlot, _ lease: UpstreamConnection, timeouts: CallTimeouts) {
    awaited = AwaitedExchange(slot: slot, lease: lease, began: Clock.monotonic)
    waker.isParked = true
    waker.arm(at: min(slot.exchange.times.sent + min(timeouts.firstByte, timeouts.hedge), totalDeadline))
    let missed = waker.take()
    if !missed.isEmpty { wokenWhileParked(missed) }
  }

  /// Something happened while the answer was awaited.
  func resumeAtOnce(_ exchange: AwaitedExchange, _ signals: Signals) {
    let slot = exchange.slot
    let lease = exchange.lease
    if signals.contains(.cut) {
      account(exchange)
      return startTask(slot, from: .attempting(lease, .ended(.fault(.cutByDrain))))
    }
    if socket.isPeerClosed || signals.contains(.deadline) {
      account(exchange)
      return startTask(slot, from: .attempting(lease, .sending))
    }
    // A client that pipelines, or the drain: neither changes what is awaited.
    guard lease.socket.isReadable else { return }
    account(exchange)
    switch pullResponseHead(slot, lease) {
    case .incomplete: awaited = AwaitedExchange(slot: slot, lease: lease, began: Clock.monotonic)
    case .failed(let outcome): startTask(slot, from: .attempting(lease, .ended(outcome)))
    case .complete: relayAtOnce(slot, lease)
    }
  }

  private func account(_ exchange: AwaitedExchange) { waited += max(0, worker.loop.now - exchange.began) }

  private func relayAtOnce(_ slot: ExchangeSlot, _ lease: UpstreamConnection) {
    guard let route = slot.route, slot.exchange.response.head.status < 500,
      !slot.exchange.response.head.isInformational
    else { return startTask(slot, from: .attempting(lease, .head)) }
    slot.exchange.times.firstByte = worker.loop.now
    if let failure = beginRelay(slot, route: route) {
      return startTask(slot, from: .attempting(lease, .ended(.failed(failure))))
    }
    switch pumpDownload(slot, lease) {
    case .waiting: return startTask(slot, from: .attempting(lease, .relaying))
    case .failed(let fault): return startTask(slot, from: .attempting(lease, .ended(.fault(fault))))
    case .finished: break
    }
    let target = lease.pool
    endRelay(slot, lease)
    endAttempt(slot, target, .done)
    finish(slot)
    awaited = nil
    guard slot.keepsConnection, !worker.isDraining else {
      if mayBeSent(slot) { return startTask(slot, from: .ended) }
      worker.returnSlot(slot)
      return close()
    }
    prepareNext(slot)
    if !slot.exchange.request.buffer.isEmpty { return serveBuffered(slot) }
    worker.returnSlot(slot)
    park()
  }
}
