import HTTP
import Kernel
public import PluginKit
public import Runtime
import Telemetry

/// One thread that serves connections: a loop, and everything that lives on it.
///
/// Nothing here is shared with other workers but what is immutable (the snapshot) or atomic (health, breakers,
/// counters). All of it is for the loop's own thread; others reach it by `loop.post`.
public final class Worker {
  public let index: Int
  public let loop: Loop
  /// Blocks that hold a head. A configuration with longer heads brings a pool of its own.
  private(set) var smallBuffers: BufferPool
  let largeBuffers: BufferPool
  let shared: SharedState
  let log: CallLogQueue?
  let metrics: WorkerMetrics
  let only: (any Handler)?
  var random: SplitMix
  var date = HTTPDate()
  /// The text of the address that was written last: one client makes many requests.
  var addressText = AddressText()

  /// What the running configuration is on this worker.
  private(set) var current: WorkerSnapshot
  private(set) var limits: LimitSettings
  var overload: OverloadMeter
  private(set) var isDraining = false
  /// A drain is coming: answers tell clients to connect anew, elsewhere.
  private(set) var isLeaving = false
  private var hasDrained = false

  private var freeSlots: [ExchangeSlot] = []
  /// Counts reloads: a slot decodes by the limits that it was made with.
  private var slotGeneration = 0
  private var connections: [any ClientConnection] = []
  /// For connections that speak HTTP/2, in front and behind.
  let http2: HTTP2Context
  var handshakes = ServerHandshakes()
  /// By their names; after an upgrade to fewer workers some have several sockets of one listener.
  private var listeners: [String: [Listener]] = [:]
  public private(set) lazy var client: any HTTPClient = UpstreamClient(self)
  private lazy var flush = Timer(loop) { [unowned self] in flushLog() }
  private var flushArmed = false
  private var stores: [String: any StoreClient] = [:]

  /// Bytes of a block for a body on its way: large, because each block costs two system calls.
  static let largeBlock = 64 << 10
  private static let smallBlock = 16 << 10
  private static let keptSlots = 256
  private static let flushInterval = 100_000_000

  /// - Parameter only: answers every request by itself, without routes; for the admin port.
  init(
    index: Int, loop: Loop, shared: SharedState, snapshot: Snapshot, log: CallLogQueue?, only: (any Handler)? = nil
  ) {
    self.only = only
    self.index = index
    self.loop = loop
    self.shared = shared
    self.log = log
    random = SplitMix(seed: KernelRandom.next())
    metrics = WorkerMetrics()
    limits = snapshot.settings.limits
    overload = OverloadMeter(only == nil ? snapshot.settings.overload : OverloadSettings(isOn: false))
    smallBuffers = BufferPool(blockSize: max(Self.smallBlock, limits.requestHead), keep: Self.keptSlots)
    largeBuffers = BufferPool(blockSize: Self.largeBlock, keep: 32)
    http2 = HTTP2Context(
      loop, small: smallBuffers, large: largeBuffers, stallTimeout: limits.bodyTimeout, pingAfter: limits.http2Ping)
    current = WorkerSnapshot(snapshot, loop: loop, previous: nil)
    current.attach(to: self)
  }

  // MARK: Configuration

  /// Takes over a new snapshot between two events; exchanges under way finish on the old one.
  func adopt(_ snapshot: Snapshot) {
    let next = WorkerSnapshot(snapshot, loop: loop, previous: current)
    limits = snapshot.settings.limits
    let previous = current
    if previous.shared.settings.overload != snapshot.settings.overload, only == nil {
      overload = OverloadMeter(snapshot.settings.overload)
    }
    current = next
    retireStores(next.shared.settings)
    next.attach(to: self)
    previous.retire(keeping: next)
    freeSlots.removeAll()
    slotGeneration += 1
    if limits.requestHead > smallBuffers.blockSize {
      smallBuffers = BufferPool(blockSize: limits.requestHead, keep: Self.keptSlots)
    }
    http2.stallTimeout = limits.bodyTimeout
    http2.pingAfter = limits.http2Ping
    metrics.forgetRoutes()
  }

  /// The client of a store, made when the first plugin asks for it.
  func store(_ name: String) -> (any StoreClient)? {
    if let client = stores[name] { return client }
    guard let settings = current.shared.settings.stores.first(where: { $0.name == name }) else { return nil }
    let upstream = current.shared.upstreams[settings.upstream]
    let client: any StoreClient =
      settings.url.isCluster
      ? RedisCluster(settings, upstream, on: self) : RedisClient(settings, on: self) { upstream.targets.targets }
    stores[name] = client
    return client
  }

  private func retireStores(_ settings: GatewaySettings) {
    for (name, client) in stores where !settings.stores.contains(where: { $0.isSame(as: client.settings) }) {
      client.retire()
      stores[name] = nil
    }
  }

  /// The upstream has other targets now.
  func refresh(_ upstream: Upstream) {
    current.pools.first { $0.upstream === upstream }?.adopt(upstream.targets)
  }

  // MARK: Listeners and connections

  func listen(_ descriptor: consuming FileDescriptor, as identity: ListenerIdentity) throws(SocketError) {
    let listener = try Listener(
      descriptor, on: loop,
      accept: { [unowned self] in accept($0, peer: $1, on: identity) },
      failed: { [unowned self] in acceptFailed($0, on: identity) })
    listener.mayAccept = { [unowned self] in shared.mayAccept(limit: limits.connections) }
    listener.held = { [unowned self] in metrics.connectionRefused(identity, reason: "limit") }
    listeners[identity.name, default: []].append(listener)
  }

  func stopListening(_ name: String) { for listener in listeners.removeValue(forKey: name) ?? [] { listener.finish() } }

  /// A listener is gone, or another one: its connections end as when the worker drains, tunnels go on.
  func retireListener(_ name: String) {
    stopListening(name)
    for connection in Array(connections) where connection.listener.name == name { connection.drain() }
  }

  /// Every listening socket once more, owned by the caller, with the name of its listener; nil without descriptors.
  func duplicateListeners() -> [(name: String, socket: CInt)]? {
    var copies: [(name: String, socket: CInt)] = []
    for (name, listeners) in listeners.sorted(by: { $0.key < $1.key }) {
      for listener in listeners {
        guard let copy = listener.duplicate() else {
          for copy in copies { _ = FileDescriptor(owning: copy.socket) }
          return nil
        }
        copies.append((name, copy.release()))
      }
    }
    return copies
  }

  private func accept(_ descriptor: consuming FileDescriptor, peer: SocketAddress?, on identity: ListenerIdentity) {
    SocketCalls.setNoDelay(descriptor)
    shared.opened()
    let peer = peer?.ip ?? IPAddress(v4: 0x7f00_0001)
    if only == nil, let context = current.shared.tls[identity.name] {
      return acceptTLS(descriptor, peer: peer, on: identity, context)
    }
    do {
      let socket = try Socket(descriptor, on: loop, connected: true)
      metrics.connectionOpened(identity)
      serve(ServerConnection(socket, peer: peer, listener: identity, worker: self))
    } catch {
      shared.closed()
      acceptFailed(error, on: identity)
    }
  }

  private func acceptFailed(_ error: SocketError, on identity: ListenerIdentity) {
    metrics.connectionRefused(identity, reason: "accept_failed")
    shared.acceptFailed(error)
  }

  /// Takes a connection in that is ready for requests.
  func serve(_ connection: ServerConnection) {
    connection.index = connections.count
    connections.append(connection)
    connection.park()
    if isDraining { connection.drain() }
  }

  func closed(_ connection: any ClientConnection) {
    let index = connection.index
    let last = connections.removeLast()
    if last !== connection {
      connections[index] = last
      last.index = index
    }
    metrics.connectionClosed(connection.listener)
    shared.closed()
    if isDraining { reportDrained() }
  }

  /// A connection turned out to speak HTTP/2, by the octets that came first: another object takes over.
  func switchToHTTP2(_ connection: ServerConnection, _ octets: Span<UInt8>) {
    guard let socket = connection.handOver(),
      let successor = try? HTTP2Connection(
        socket, peer: connection.peer, listener: connection.listener, worker: self, security: connection.security)
    else { return connection.close() }
    successor.index = connection.index
    connections[connection.index] = successor
    if isDraining { successor.drain() }
    successor.takeOver(octets)
  }

  var connectionCount: Int { connections.count }

  /// The gateway will drain after its delay: until then it serves, but keeps no connection.
  func announceDrain() { isLeaving = true }

  /// Stops taking connections, closes those that rest, and lets the others end their exchange.
  ///
  /// - Parameter left: listeners that a successor serves on: what waits there is its.
  func drain(leaving left: Set<String> = []) {
    isLeaving = true
    isDraining = true
    for (name, listeners) in listeners {
      for listener in listeners { if left.contains(name) { listener.leave() } else { listener.finish() } }
    }
    listeners.removeAll()
    for connection in Array(connections) { connection.drain() }
    handshakes.forEach { $0.hurry() }
    reportDrained()
  }

  func reportDrained() {
    guard connections.isEmpty, handshakes.isEmpty, !hasDrained else { return }
    hasDrained = true
    shared.workerDrained(index)
  }

  /// Cuts what is still open; the end of a drain that took too long.
  func cut() {
    handshakes.forEach { $0.end("cut_by_drain", reset: true) }
    for connection in Array(connections) { connection.cut() }
  }

  // MARK: Memory of exchanges

  func leaseSlot() -> ExchangeSlot {
    if let slot = freeSlots.popLast() { return slot }
    return ExchangeSlot(
      limits: HTTPLimits(head: limits.requestHead, headers: limits.headers, target: limits.requestTarget),
      responseLimits: HTTPLimits(head: smallBuffers.blockSize, headers: 256, target: 0), generation: slotGeneration)
  }

  func returnSlot(_ slot: ExchangeSlot) {
    slot.returnBuffers(small: smallBuffers, large: largeBuffers)
    slot.reset()
    if freeSlots.count < Self.keptSlots, slot.generation == slotGeneration { freeSlots.append(slot) }
  }

  // MARK: The call log

  /// Hands over what the log has gathered, at the latest a tenth of a second after it was written.
  func armFlush() {
    guard !flushArmed, let log, log.needsFlush else { return }
    flushArmed = true
    flush.arm(after: Self.flushInterval)
  }

  /// The worker's metrics at this moment.
  func metricSnapshot() -> MetricSnapshot {
    metrics.overloaded(overload.pressure)
    return metrics.snapshot(current.pools, current.shared.settings.listeners)
  }

  /// The last thing that a worker does.
  func finish() {
    flush.cancel()
    log?.close()
  }

  func flushLog() {
    flushArmed = false
    log?.flush()
  }
}
