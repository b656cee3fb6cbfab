import HTTP
import Kernel
import PluginKit
import Runtime

/// One client's connection on one worker.
///
/// While requests come it is a task that reads top to bottom: read a head, carry the exchange, log it, again. When
/// the client has been silent for a moment the task ends and the connection is parked: it then holds a socket and a
/// deadline, no task and no buffer, until readiness starts a task anew.
final class ServerConnection: WakerOwner {
  let worker: Worker
  let socket: Socket
  let waker: Waker
  let listener: ListenerIdentity
  let peer: IPAddress
  /// Monotonic nanoseconds when the connection was accepted or the last exchange ended.
  var idleSince: Int
  /// Its place among the worker's connections.
  var index = 0
  private var isClosed = false
  var requestsServed = 0
  /// Nanoseconds that the running exchange has waited for others.
  var waited = 0
  /// The exchange's deadline for the whole call.
  var totalDeadline = Int.max

  /// How long a task stays for the next request before the connection is parked.
  private static let parkAfter = 50_000_000

  init(_ descriptor: consuming FileDescriptor, peer: IPAddress, listener: ListenerIdentity, worker: Worker)
    throws(SocketError)
  {
    self.worker = worker
    self.listener = listener
    self.peer = peer
    socket = try Socket(descriptor, on: worker.loop, connected: true)
    waker = Waker(worker.loop)
    idleSince = worker.loop.now
    socket.waker = waker
    waker.parkedOwner = self
    park()
  }

  /// Waits without a task until the client speaks, leaves, or has been silent for too long.
  private func park() {
    waker.isParked = true
    waker.arm(at: idleSince + worker.limits.idleTimeout)
  }

  func wokenWhileParked(_ signals: Signals) {
    if socket.isReadable {
      begin()
    } else if signals.contains(.drain), !socket.isPeerClosed {
      leave()
    } else if signals.contains(.deadline) || socket.isPeerClosed {
      close()
    }
  }

  private func begin() {
    waker.isParked = false
    worker.loop.start(self) { connection in await connection.serve() }
  }

  /// Closes a resting connection because the worker drains, unless a request has arrived that the loop has not seen
  /// yet; a connection that was only just accepted has a moment to send its first one.
  private func leave() {
    if !socket.isQuiet {
      begin()
    } else if requestsServed == 0 {
      waker.arm(at: worker.loop.now + Self.firstRequestTime)
    } else {
      close()
    }
  }

  private static let firstRequestTime = 500_000_000

  /// The worker drains: a connection that waits for a request is closed, one in an exchange ends after it.
  func drain() { waker.ring(.drain) }

  private func serve() async {
    let slot = worker.leaseSlot()
    defer { worker.returnSlot(slot) }
    while true {
      switch await readHead(into: slot) {
      case .complete:
        let reusable = await carry(slot)
        requestsServed += 1
        finish(slot)
        guard reusable, !worker.isDraining else { return await closeGracefully(slot) }
      case .refused(let fault):
        slot.account.requestComplete = false
        worker.begin(slot, on: self)
        await refuse(fault, slot)
        finish(slot)
        return await closeGracefully(slot)
      case .silent: return park()
      case .closed: return close()
      }
      prepareNext(slot)
    }
  }

  // MARK: Reading a head

  private enum HeadOutcome {
    case complete
    case refused(Fault)
    case silent
    case closed
  }

  private func readHead(into slot: ExchangeSlot) async -> HeadOutcome {
    var began = slot.exchange.request.buffer.isEmpty ? 0 : worker.loop.now
    if began > 0, let outcome = decodeHead(slot, began: began) { return outcome }
    while true {
      if socket.isReadable {
        slot.exchange.request.buffer.lease(from: worker.smallBuffers)
        let result = socket.receive(into: &slot.exchange.request.buffer)
        if result.count > 0 {
          if began == 0 { began = worker.loop.now }
          if let outcome = decodeHead(slot, began: began) { return outcome }
          continue
        }
        if !result.wouldBlock { return leftInHead(slot, began: began) }
      }
      if began == 0 {
        if worker.isDraining { return .closed }
        let idleEnd = idleSince + worker.limits.idleTimeout
        let signals = await waker.wait(until: min(idleEnd, worker.loop.now + Self.parkAfter))
        if signals == .deadline { return worker.loop.now >= idleEnd ? .closed : .silent }
      } else {
        let signals = await waker.wait(until: began + worker.limits.headTimeout)
        if signals.contains(.deadline) { return .refused(.headTimeout) }
      }
    }
  }

  private func decodeHead(_ slot: ExchangeSlot, began: Int) -> HeadOutcome? {
    slot.exchange.times.received = began
    do {
      guard try HeadDecoding.decode(&slot.requestDecoder, &slot.exchange.request) else { return nil }
    } catch {
      return .refused(.malformedRequest(error))
    }
    slot.exchange.times.headComplete = worker.loop.now
    slot.account.bytesIn = slot.exchange.request.head.length
    slot.exchange.request.buffer.advance(slot.exchange.request.head.length)
    return .complete
  }

  /// The client closed before a head was complete: nothing to answer, but a begun request is logged.
  private func leftInHead(_ slot: ExchangeSlot, began: Int) -> HeadOutcome {
    if began > 0 {
      slot.exchange.fault = .clientGone
      slot.account.clientGone = true
      worker.begin(slot, on: self)
      finish(slot)
    }
    return .closed
  }

  /// Keeps what followed the request, and clears the rest for the next one.
  private func prepareNext(_ slot: ExchangeSlot) {
    slot.exchange.request.buffer.compact()
    slot.upload.moveSurplus(to: &slot.exchange.request.buffer)
    slot.reset()
    slot.exchange.response.buffer.return(to: worker.smallBuffers)
    if slot.exchange.request.buffer.isEmpty { slot.exchange.request.buffer.return(to: worker.smallBuffers) }
    idleSince = worker.loop.now
    waited = 0
    totalDeadline = .max
  }

  // MARK: One exchange

  /// Carries one exchange from its complete head to the last byte of the answer; whether the connection can go on.
  private func carry(_ slot: ExchangeSlot) async -> Bool {
    worker.begin(slot, on: self)
    let verdict = await decide(slot)
    switch verdict {
    case .proceed: break
    case .respond: return await respond(slot)
    case .fail(let fault): return await refuse(fault, slot)
    }
    guard let route = slot.route else { return await refuse(.notFound, slot) }
    switch route.handler {
    case .upstream(let pool):
      guard let fault = await forward(slot, route: route, pool: pool) else { return slot.keepsConnection }
      return await refuse(fault, slot)
    case .local(let handler):
      switch await handler.handle(&slot.exchange) {
      case .proceed, .respond: return await respond(slot)
      case .fail(let fault): return await refuse(fault, slot)
      }
    }
  }

  /// Finds the route, checks what its limits say of the head, and runs the request hooks.
  private func decide(_ slot: ExchangeSlot) async -> Verdict {
    if let fault = worker.route(slot, on: self) { return .fail(fault) }
    guard let route = slot.route else { return .fail(.notFound) }
    if case .length(let count) = slot.exchange.request.head.framing, count > route.requestBodyLimit {
      return .fail(.bodyTooLarge)
    }
    slot.upload.limit = route.requestBodyLimit
    if route.chain.requestHead.isEmpty { return .proceed }
    if route.chain.waits { return await route.chain.runRequestHead(&slot.exchange) }
    return route.chain.runRequestHeadAtOnce(&slot.exchange)
  }

  private func finish(_ slot: ExchangeSlot) {
    slot.exchange.times.ended = Clock.monotonic
    slot.exchange.times.waited = waited
    worker.record(slot, on: self)
  }

  /// Waits for anything of this exchange, and accounts the time as somebody else's.
  func wait(until deadline: Int) async -> Signals {
    let began = Clock.monotonic
    let signals = await waker.wait(until: min(deadline, totalDeadline))
    waited += max(0, worker.loop.now - began)
    return signals
  }

  // MARK: Closing

  /// Ends whatever goes on, at once.
  func cut() { close(reset: true) }

  func close(reset: Bool = false) {
    guard !isClosed else { return }
    isClosed = true
    waker.cancelDeadline()
    waker.isParked = false
    socket.close(reset: reset)
    worker.closed(self)
  }

  /// Tells the client that no more comes, and reads what it still sends for a moment: closing with unread bytes
  /// would reset the connection and destroy the answer on its way (RFC 9112 §9.6).
  private func closeGracefully(_ slot: ExchangeSlot) async {
    if !slot.account.requestComplete, !slot.account.clientGone, slot.account.status > 0, !socket.isPeerClosed {
      socket.shutdownWrite()
      let deadline = worker.loop.now + Self.lingerTime
      var budget = Self.lingerBytes
      slot.exchange.request.buffer.lease(from: worker.smallBuffers)
      while budget > 0, worker.loop.now < deadline {
        slot.exchange.request.buffer.removeAll()
        let result = socket.receive(into: &slot.exchange.request.buffer)
        if result.isEnd || result.isError { break }
        budget -= result.count
        if !socket.isReadable { _ = await waker.wait(until: deadline) }
      }
    }
    close()
  }

  private static let lingerTime = 2_000_000_000
  private static let lingerBytes = 8 << 20
}
