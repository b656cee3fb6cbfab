import Foreign
import Kernel
import PluginKit
import Runtime
import Telemetry

/// One worker's connections to one target.
final class TargetPool {
  /// Replaced by an equal one with another weight when the upstream's set changes.
  var target: Target
  /// Its place in the upstream's set.
  var index = 0
  /// Held strongly although the pool holds this too: `release` breaks the circle.
  let pool: UpstreamPool
  let logMembers: CallLogMembers
  /// Exchanges that hold a connection now; what balancers compare.
  private(set) var inFlight = 0
  /// Open connections, leased and resting.
  private(set) var open = 0
  private var idle: [UpstreamConnection] = []
  /// Connections that carry many calls, where HTTP/2 is spoken.
  private var carriers: [HTTP2ClientConnection] = []
  /// The last TLS session, so that the next handshake is short.
  let resumption = TLSResumption()
  private(set) var isRetired = false
  var slowStart = SlowStart()

  init(_ target: Target, pool: UpstreamPool) {
    self.target = target
    self.pool = pool
    let settings = pool.upstream.settings
    logMembers = CallLogMembers([
      (.upstream, settings.name), (.target, target.name), (.upstreamProtocol, settings.speaks.name),
    ])
  }

  /// Whether it is one of its upstream's targets at the moment.
  var isMember: Bool { index < pool.targets.count && pool.targets[index] === self }

  /// Connections that nobody uses.
  var idleCount: Int { idle.count + carriers.count { $0.isIdle } }
  /// Connections that carry calls, or are being made for them; HTTP/2 has one for many.
  var activeCount: Int { open - idleCount }
  /// Whether a call can have a connection that is there.
  var hasEstablished: Bool { !idle.isEmpty || carriers.contains { $0.isReady && $0.room > 0 } }
  var hasRoom: Bool {
    !idle.isEmpty || open < pool.upstream.settings.connections.maximum || carriers.contains { $0.room > 0 }
  }

  /// A connection that rested and is still good; nil when a new one must be made.
  ///
  /// - Parameter certain: asks the kernel too whether the target has closed it, for requests that cannot be sent twice.
  func takeIdle(certain: Bool) -> UpstreamConnection? {
    if let carrier = carriers.first(where: { $0.isReady && $0.room > 0 }) { return lease(over: carrier) }
    while let connection = idle.popLast() {
      connection.idleIndex = -1
      if connection.isFresh, !certain || connection.socket.isQuiet {
        inFlight += 1
        return connection
      }
      close(connection, leased: false)
    }
    return nil
  }

  /// Starts a new connection, which counts as leased.
  func connect() throws(SocketError) -> UpstreamConnection {
    if pool.upstream.settings.speaks == .http2 { return try connectHTTP2() }
    let connection = try UpstreamConnection(to: target, pool: self, loop: pool.loop)
    open += 1
    inFlight += 1
    return connection
  }

  /// A stream of a connection that is being made, or of a new one.
  private func connectHTTP2() throws(SocketError) -> UpstreamConnection {
    if let carrier = carriers.first(where: { $0.room > 0 }) { return lease(over: carrier) }
    let settings = pool.upstream.settings
    let socket = try target.connect(on: pool.loop, resumption: resumption)
    do throws(HTTP2Failure) {
      let carrier = try HTTP2ClientConnection(
        socket, on: pool.worker.http2, pool: self, headSize: pool.worker.smallBuffers.blockSize,
        connectTimeout: settings.timeouts.connect, idleTimeout: settings.connections.idleTimeout)
      carriers.append(carrier)
      open += 1
      return lease(over: carrier)
    } catch {
      socket.close()
      throw SocketError(call: "nghttp2_session_client_new2", code: Errno.inputOutput.number)
    }
  }

  private func lease(over carrier: HTTP2ClientConnection) -> UpstreamConnection {
    inFlight += 1
    let stream = carrier.lease()
    if let known = stream.lease { return known }
    let connection = UpstreamConnection(stream, pool: self, loop: pool.loop)
    stream.lease = connection
    return connection
  }

  /// A connection for many calls can carry more of them.
  func streamFreed(_ carrier: HTTP2ClientConnection) {
    for _ in 0..<max(1, carrier.room) where pool.hasWaiters { pool.connectionFreed() }
  }

  /// A connection for many calls has closed.
  func closed(_ carrier: HTTP2ClientConnection) {
    carriers.removeAll { $0 === carrier }
    open -= 1
    pool.connectionFreed()
  }

  private func giveBack(_ stream: HTTP2ClientStream) {
    // One who refused a conversation has ended it, and we have not.
    if stream.outgoing == .done { stream.carrier.giveBack(stream) } else { stream.close() }
    if isRetired || idleCount > pool.upstream.settings.connections.idle, stream.carrier.isIdle {
      stream.carrier.leave()
    }
    pool.connectionFreed()
  }

  /// Takes back a connection that can carry another exchange.
  func giveBack(_ connection: UpstreamConnection) {
    inFlight -= 1
    if let stream = connection.stream { return giveBack(stream) }
    connection.served += 1
    let settings = pool.upstream.settings.connections
    guard !isRetired, connection.isFresh, idle.count < settings.idle || pool.hasWaiters else {
      return close(connection, leased: false)
    }
    connection.idleSince = pool.loop.now
    connection.idleIndex = idle.count
    idle.append(connection)
    connection.rest(until: pool.loop.now + settings.idleTimeout)
    pool.connectionFreed()
  }

  /// A connect failed: the target is taken out until a probe finds it again.
  func connectFailed(_ connection: UpstreamConnection, _ history: inout AttemptHistory, why: StaticString) {
    close(connection)
    connection.stream?.carrier.giveUp()
    connectFailed(&history, why: why)
  }

  /// A connection was made; one for many calls is counted once.
  func connected(_ connection: UpstreamConnection) {
    if let carrier = connection.stream?.carrier {
      if carrier.isCounted { return }
      carrier.isCounted = true
    }
    pool.worker.metrics.connected(self, outcome: "ok")
  }

  /// The same for a connect that failed before there was a connection.
  func connectFailed(_ history: inout AttemptHistory, why: StaticString) {
    pool.worker.metrics.connected(
      self,
      outcome: why.description == "connect timed out"
        ? "timeout" : why.description == Self.handshakeFailed.description ? "error" : "refused")
    settle(&history, .failure)
    // Of a certificate nobody probes, and who asks next is to be told what is wrong with it: the last target stays.
    if why.description == Self.handshakeFailed.description, !pool.hasOther(than: self) { return }
    eject(why)
  }

  /// Tells the breaker and the health of the target how an attempt over a connection ended.
  func record(_ outcome: AttemptOutcome, status: Int, _ history: inout AttemptHistory) {
    if let outlier = target.outlier { judge(outlier, outcome, status: status) }
    switch outcome {
    case .done: settle(&history, status >= 500 ? .failure : .success)
    case .fault(let fault): settle(&history, fault.origin == .upstream ? .failure : .abandoned)
    case .failed(let failure):
      switch failure.kind {
      case .stale: settle(&history, .abandoned)
      case .reset:
        settle(&history, .failure)
        // A request can make a target reset its connection: nobody shall take the last one out with it.
        if pool.hasOther(than: self) { eject("reset before the first byte") }
      default: settle(&history, .failure)
      }
    }
  }

  /// Counts failures in a row, and leaves the target out when there are too many.
  private func judge(_ outlier: OutlierDetector, _ outcome: AttemptOutcome, status: Int) {
    switch outcome {
    case .done where status < 500: return outlier.recordSuccess()
    case .done: break
    case .fault(let fault): if fault.origin != .upstream { return }
    case .failed(let failure): if failure.kind.isStale { return }
    }
    guard outlier.recordFailure(), pool.upstream.eject(target, now: pool.loop.now) else { return }
    pool.worker.metrics.outlierEjected(self)
    pool.worker.shared.emit(
      .targetOut(upstream: pool.upstream.settings.name, target: target.name, why: "too many failures in a row"))
  }

  /// Reports to the breaker, once for each pass.
  func settle(_ history: inout AttemptHistory, _ outcome: CircuitBreaker.Outcome) {
    guard let pass = history.pass, let breaker = target.breaker else { return }
    history.pass = nil
    if let state = breaker.record(outcome, pass, now: pool.loop.now) { report(breaker: state) }
  }

  func report(breaker state: CircuitBreaker.State) {
    if state == .open { pool.worker.metrics.breakerOpened(self) }
    pool.worker.shared.emit(.breaker(upstream: pool.upstream.settings.name, target: target.name, state: "\(state)"))
  }

  static let handshakeFailed: StaticString = "handshake failed"

  private func eject(_ why: StaticString) {
    guard target.health.eject() != nil else { return }
    pool.worker.shared.targetEjected(upstream: pool.upstream.settings.name, target, why: why)
  }

  /// Closes a leased connection that cannot be used again.
  func close(_ connection: UpstreamConnection) { close(connection, leased: true) }

  private func close(_ connection: UpstreamConnection, leased: Bool) {
    if leased { inFlight -= 1 }
    if connection.stream == nil { open -= 1 }
    connection.close()
    pool.connectionFreed()
  }

  /// A resting connection was closed by the target, spoke, or rested too long.
  func discardIdle(_ connection: UpstreamConnection) {
    let index = connection.idleIndex
    guard index >= 0, index < idle.count, idle[index] === connection else { return }
    idle.remove(at: index)
    for later in index..<idle.count { idle[later].idleIndex = later }
    connection.idleIndex = -1
    close(connection, leased: false)
  }

  /// The target is no longer one of the upstream's: what rests is closed, what is leased is closed when it returns.
  func retire() {
    isRetired = true
    for carrier in carriers { carrier.leave() }
    while let connection = idle.popLast() {
      connection.idleIndex = -1
      close(connection, leased: false)
    }
  }
}
