// long: one connection from its first octet to its end, whose parts share its buffers and flags.

import HTTP
import Kernel
import PluginKit
import Runtime

/// One client's connection on one worker.
///
/// While requests come it is a task that reads top to bottom: read a head, carry the exchange, log it, again. When
/// the client has been silent for a moment the task ends and the connection is parked: it then holds a socket and a
/// deadline, no task and no buffer, until readiness starts a task anew.
final class ServerConnection: WakerOwner, ClientConnection {
  let worker: Worker
  let socket: Transport
  let waker: Waker
  let listener: ListenerIdentity
  let peer: IPAddress
  /// Nil: in the clear.
  let security: ConnectionSecurity?
  /// The connection whose stream this one serves; nil for one that has a socket of its own.
  let carrier: HTTP2Connection?
  /// The exchange whose answer is awaited without a task.
  var awaited: AwaitedExchange?
  /// What the connection has become once it was upgraded.
  var tunnel: Tunnel?
  /// Monotonic nanoseconds when the connection was accepted or the last exchange ended.
  var idleSince: Int
  /// Its place among the worker's connections.
  var index = 0
  var isClosed = false
  var requestsServed = 0
  /// Nanoseconds that the running exchange has waited for others.
  var waited = 0
  /// The exchange's deadline for the whole call.
  var totalDeadline = Int.max
  private var isDraining = false
  /// Whether a drain waits no longer for it.
  var isCut = false

  init(
    _ socket: Transport, peer: IPAddress, listener: ListenerIdentity, worker: Worker,
    security: ConnectionSecurity? = nil, carrier: HTTP2Connection? = nil
  ) {
    self.worker = worker
    self.security = security
    self.carrier = carrier
    self.listener = listener
    self.peer = peer
    self.socket = socket
    waker = Waker(worker.loop)
    idleSince = worker.loop.now
    socket.waker = waker
    waker.parkedOwner = self
  }

  /// Waits without a task until the client speaks, leaves, or has been silent for too long.
  func park() {
    awaited = nil
    waker.isParked = true
    waker.arm(at: idleSince + worker.limits.idleTimeout)
    let missed = waker.take()
    if socket.isReadable || !missed.isEmpty { wokenWhileParked(missed) }
  }

  func wokenWhileParked(_ signals: Signals) {
    if let exchange = awaited { return resumeAtOnce(exchange, signals) }
    if let tunnel { return tunnel.woken() }
    if socket.isReadable {
      serveAtOnce()
    } else if signals.contains(.drain), !socket.isPeerClosed {
      leave()
    } else if signals.contains(.deadline) || socket.isPeerClosed {
      close()
    }
  }

  /// Goes on in a task, from wherever the exchange is.
  func startTask(_ slot: ExchangeSlot, from entry: Entry) {
    awaited = nil
    waker.isParked = false
    worker.loop.start((self, slot, entry)) { (connection, slot, entry) in await connection.serve(slot, from: entry) }
  }

  /// Closes a resting connection because the worker drains, unless a request has arrived that the loop is about to be
  /// told of; a connection that was only just accepted has a moment to send its first one.
  private func leave() {
    if requestsServed == 0 || !socket.isQuiet {
      waker.arm(at: worker.loop.now + Self.firstRequestTime)
    } else {
      close()
    }
  }

  private static let firstRequestTime = 500_000_000

  /// The worker drains, or the listener is gone: a connection that waits for a request is closed, one in an exchange
  /// ends after it.
  func drain() {
    isDraining = true
    waker.ring(.drain)
  }

  /// Whether no request is to follow the one under way.
  var isLeaving: Bool { isDraining || worker.isLeaving }

  /// Where a task takes up an exchange.
  enum Entry {
    case head
    case refused(Fault)
    /// The route is known, and its hooks are to run.
    case hooks
    case decided(Verdict)
    /// An answer of the gateway's own is to be sent on; whether the connection goes on behind it.
    case replying(Bool)
    case attempting(UpstreamConnection, AttemptStage)
    /// It is over, and the connection with it.
    case ended
  }

  /// Serves until the client is silent or speaks another protocol: then the task ends, and the connection goes on
  /// without one.
  private func serve(_ slot: ExchangeSlot, from entry: Entry) async {
    var isUpgraded = false
    defer { if !isUpgraded { worker.returnSlot(slot) } }
    var entry = entry
    while true {
      let reusable: Bool
      switch entry {
      case .head:
        switch await readHead(into: slot) {
        case .complete:
          worker.begin(slot, on: self)
          reusable = await carry(slot, decide(slot))
        case .refused(let fault):
          worker.begin(slot, on: self)
          reusable = await refuse(fault, slot)
        case .silent: return park()
        case .closed: return close()
        case .preface: return switchToHTTP2(slot)
        }
      case .refused(let fault):
        worker.begin(slot, on: self)
        reusable = await refuse(fault, slot)
      case .hooks: reusable = await carry(slot, runHooks(slot))
      case .decided(let verdict): reusable = await carry(slot, verdict)
      case .replying(let keeps): reusable = await sendAnswer(slot) && keeps
      case .attempting(let lease, let stage): reusable = await resume(slot, lease, stage)
      case .ended: return await closeGracefully(slot)
      }
      if let tunnel {
        isUpgraded = true
        return tunnel.begin()
      }
      finish(slot)
      guard reusable, !worker.isDraining else { return await closeGracefully(slot) }
      prepareNext(slot)
      entry = .head
    }
  }

  // MARK: Reading a head

  enum HeadOutcome {
    case complete
    case refused(Fault)
    case silent
    case closed
    /// The client speaks HTTP/2.
    case preface
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
      if began == 0 { return worker.isDraining ? .closed : .silent }
      let deadline = began + worker.limits.headTimeout
      let signals = await wait(until: deadline)
      if isCut { return .refused(.cutByDrain) }
      if signals.contains(.deadline), worker.loop.now >= deadline { return .refused(.headTimeout) }
    }
  }

  func decodeHead(_ slot: ExchangeSlot, began: Int) -> HeadOutcome? {
    slot.exchange.times.received = began
    do {
      guard try HeadDecoding.decode(&slot.requestDecoder, &slot.exchange.request) else { return nil }
    } catch {
      if isPreface(error, slot) { return .preface }
      let isOfHTTP2 = carrier != nil && (socket as? HTTP2ServerStream)?.isRefused == true
      return .refused(.malformedRequest(isOfHTTP2 ? .malformedHead : error))
    }
    slot.exchange.times.headComplete = worker.loop.now
    slot.exchange.request.buffer.advance(slot.exchange.request.head.length)
    // What comes over a stream of HTTP/2 is carried in HTTP/1.1.
    return listener.speaksHTTP1 || carrier != nil ? .complete : .refused(.malformedRequest(.unsupportedVersion))
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
  func prepareNext(_ slot: ExchangeSlot) {
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

  /// Carries one exchange from the hooks' verdict to the last byte of the answer; whether the connection can go on.
  private func carry(_ slot: ExchangeSlot, _ verdict: Verdict) async -> Bool {
    switch verdict {
    case .proceed: break
    case .respond: return await respond(slot)
    case .fail(let fault): return await refuse(fault, slot)
    }
    guard let route = slot.route else { return await refuse(.notFound, slot) }
    if !route.chain.requestBody.isEmpty {
      switch await runRequestBodyHooks(slot, route: route) {
      case .proceed: break
      case .respond: return await respond(slot)
      case .fail(let fault): return await refuse(fault, slot)
      }
    }
    switch route.handler {
    case .upstream, .split:
      switch countForward(slot, route) {
      case .proceed: break
      case .respond: return await respond(slot)
      case .fail(let fault): return await refuse(fault, slot)
      }
      guard let pool = route.pool(for: slot, &worker.random) else { return await refuse(.noTarget, slot) }
      return await conclude(slot, route, await forward(slot, route: route, pool: pool))
    case .models(let models): return await converse(slot, route: route, models: models)
    case .local(let handler):
      switch await handler.handle(&slot.exchange) {
      case .proceed, .respond: return await respond(slot)
      case .fail(let fault): return await refuse(fault, slot)
      }
    }
  }

  /// Goes on with an attempt that was begun without a task.
  private func resume(_ slot: ExchangeSlot, _ lease: UpstreamConnection, _ stage: AttemptStage) async -> Bool {
    guard let route = slot.route else { return false }
    return await conclude(
      slot, route, await tryTargets(slot, route: route, pool: lease.pool.pool, resuming: (lease, stage)))
  }

  /// Finds the route, checks what its limits say of the head, and runs the request hooks.
  private func decide(_ slot: ExchangeSlot) async -> Verdict {
    if let verdict = decideAtOnce(slot) { return verdict }
    return await runHooks(slot)
  }

  private func runHooks(_ slot: ExchangeSlot) async -> Verdict {
    guard let route = slot.route else { return .fail(.notFound) }
    return await route.chain.runRequestHead(&slot.exchange)
  }

  /// The same when no hook waits; nil when one does.
  func decideAtOnce(_ slot: ExchangeSlot) -> Verdict? {
    if let verdict = worker.route(slot, on: self) { return verdict }
    guard let route = slot.route else { return .fail(.notFound) }
    if worker.overload.isShedding, let verdict = shed(route) { return verdict }
    if case .models(let models) = route.handler, models.prompt == nil {
      slot.exchange.faultShape = ModelEndpoint.faultShape(&slot.exchange)
    }
    if route.settings.mcp != nil { slot.exchange.faultShape = .call }
    if case .length(let count) = slot.exchange.request.head.framing, count > route.requestBodyLimit {
      return .fail(.bodyTooLarge)
    }
    slot.exchange.requestBodyLimit = route.requestBodyLimit
    if route.chain.requestHead.isEmpty { return .proceed }
    return route.chain.tryRequestHead(&slot.exchange)
  }

  @inline(never)
  private func shed(_ route: WorkerRoute) -> Verdict? {
    guard worker.overload.sheds(route.settings.priority, now: worker.loop.now) else { return nil }
    worker.metrics.shed(route.settings.priority)
    return .fail(.overloaded)
  }

  func finish(_ slot: ExchangeSlot) {
    slot.exchange.times.ended = Clock.monotonic
    worker.overload.observe(ended: slot.exchange.times.ended, turn: worker.loop.gatheredAt)
    slot.exchange.times.waited = waited
    slot.account.bytesOut = max(0, slot.account.bytesOut - slot.account.headBytesOut)
    requestsServed += 1
    worker.record(slot, on: self)
    if slot.exchange.refresher != nil { refresh(slot) }
  }

  /// Waits for anything of this exchange, and accounts the time as somebody else's.
  func wait(until deadline: Int) async -> Signals {
    let began = Clock.monotonic
    let signals = await waker.wait(until: min(deadline, totalDeadline))
    waited += max(0, worker.loop.now - began)
    return signals
  }
}
