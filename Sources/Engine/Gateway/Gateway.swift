public import Kernel
public import PluginKit
public import Runtime
public import Telemetry

/// The running gateway: its workers, and the control thread that starts, reloads and drains them.
///
/// Everything here is for the control thread, which serves no traffic of clients: it owns the signals, the admin
/// listener and the probes, and reaches workers by posting to their loops.
public final class Gateway {
  public let loop: Loop
  public let shared: SharedState
  package private(set) var snapshot: Snapshot
  /// What `rollback` goes back to.
  package private(set) var previous: Snapshot?
  package private(set) var state = State.starting
  public let log: CallLog?
  public let started = Clock.monotonic
  private(set) var workers: [WorkerHandle] = []
  private let catalog: PluginCatalog
  private var control: Worker?
  /// Where the admin port is, whatever a later configuration says.
  package private(set) var admin: ListenAddress?
  /// Waits for the next step of a drain.
  private var drainTimer: Timer?
  /// When a drain stops waiting for exchanges.
  private var drainDeadline = Int.max
  private let report: @Sendable (GatewayEvent) -> Void
  private let prober: Prober
  private lazy var names = TargetNames(loop, report: report) { [unowned self] upstream in
    prober.refresh(upstream)
    for worker in workers { worker.refresh(upstream) }
  }
  /// How long a configuration waits for the addresses of names that are new in it.
  private static let patienceForNames = 1_000_000_000

  public enum State: String, Sendable { case starting, serving, draining, stopped }

  /// - Parameters:
  ///   - admin: answers on the admin port.
  ///   - report: told of what the process's own log should say; from any thread.
  public init(
    _ snapshot: Snapshot, catalog: PluginCatalog, loop: Loop, log: CallLog?,
    report: @escaping @Sendable (GatewayEvent) -> Void
  ) {
    self.snapshot = snapshot
    self.catalog = catalog
    self.loop = loop
    self.log = log
    self.report = report
    prober = Prober(loop, report: report)
    let prober = LoopBound(prober, on: loop)
    shared = SharedState(
      report: report,
      ejected: { upstream, health in loop.post { prober.here.ejected(upstream: upstream, health) } })
  }

  // MARK: Starting

  /// Opens every listener and starts the workers.
  ///
  /// A port that another process listens on is found out before `SO_REUSEPORT` could hide it.
  public func start(admin: (any Handler)?) throws(StartError) {
    let settings = snapshot.settings
    let count = settings.workers ?? ProcessLimits.processors
    let needed = settings.limits.connections * 2 + 64 + 16 * count
    _ = ProcessLimits.raiseFileLimit(to: needed)
    try Self.checkAddresses(of: settings)
    try resolveNames(of: snapshot)
    for index in 0..<count {
      workers.append(try WorkerHandle.start(index: index, shared: shared, snapshot: snapshot, log: log))
    }
    for listener in settings.listeners { try open(listener, of: snapshot) }
    if let address = settings.admin?.address, let admin { try openAdmin(address, handler: admin) }
    prober.adopt(snapshot.upstreams)
    state = .serving
  }

  /// Whether every address of the settings can be had; asked before anything of another process is touched.
  public static func checkAddresses(of settings: GatewaySettings) throws(StartError) {
    for listener in settings.listeners { try checkFree(listener.address, name: listener.name) }
    if let admin = settings.admin { try checkFree(admin.address, name: "admin") }
  }

  /// Asks for an address without `SO_REUSEPORT`, so that whoever has it already is found out.
  private static func checkFree(_ address: ListenAddress, name: String) throws(StartError) {
    guard let socket = address.socketAddress else {
      throw StartError(listener: name, address: address, why: "it is no address")
    }
    if case .unix(let path) = socket { return try checkFree(unix: path, socket, address, name: name) }
    if socket.port == 0 { return }
    do { _ = try SocketCalls.listen(on: socket, shared: false, backlog: 1) } catch {
      throw StartError(listener: name, address: address, error)
    }
  }

  /// Removes a socket that a process which is gone left behind, and nothing else.
  private static func checkFree(
    unix path: String, _ socket: SocketAddress, _ address: ListenAddress, name: String
  ) throws(StartError) {
    guard let status = try? FileSystem.status(of: path) else { return }
    if !status.isSocket {
      throw StartError(
        listener: name, address: address, why: "a file that is no socket lies there: remove it or choose another path")
    }
    if SocketCalls.isTaken(socket) { throw StartError(listener: name, address: address, why: StartError.taken) }
    try? FileSystem.remove(path)
  }

  /// Opens a listener on every worker: a socket each, among which the kernel spreads connections.
  private func open(_ listener: ListenerSettings, of snapshot: Snapshot) throws(StartError) {
    let identity = ListenerIdentity(index: snapshot.listenerIndices[listener.name] ?? 0, name: listener.name)
    guard let address = listener.address.socketAddress else { return }
    do {
      if case .unix = address {
        // A Unix socket has no SO_REUSEPORT: the first worker listens, and hands nothing on.
        workers[0].listen(try SocketCalls.listen(on: address, shared: false), as: identity)
      } else {
        for worker in workers {
          worker.listen(try SocketCalls.listen(on: address, shared: true), as: identity)
        }
      }
    } catch {
      throw StartError(listener: listener.name, address: listener.address, error)
    }
  }

  private func openAdmin(_ address: ListenAddress, handler: any Handler) throws(StartError) {
    guard let socket = address.socketAddress else { return }
    let worker = Worker(
      index: -1, loop: loop, shared: SharedState(report: report), snapshot: snapshot, log: nil, only: handler)
    do {
      try worker.listen(
        try SocketCalls.listen(on: socket, shared: false), as: ListenerIdentity(index: 63, name: "admin"))
    } catch { throw StartError(listener: "admin", address: address, error) }
    control = worker
    admin = address
  }

  // MARK: Reloading

  /// Swaps the configuration on every worker; exchanges under way finish on the old one.
  public func adopt(_ next: Snapshot) throws(StartError) {
    let old = snapshot
    let names = Dictionary(old.settings.listeners.map { ($0.name, $0.address) }, uniquingKeysWith: { a, _ in a })
    for listener in next.settings.listeners where names[listener.name] != listener.address {
      if !old.settings.listeners.contains(where: { $0.address == listener.address }) {
        try Self.checkFree(listener.address, name: listener.name)
      }
    }
    for listener in old.settings.listeners
    where !next.settings.listeners.contains(where: { $0.name == listener.name && $0.address == listener.address }) {
      for worker in workers { worker.stopListening(listener.name) }
    }
    try resolveNames(of: next)
    for worker in workers { worker.adopt(next) }
    for listener in next.settings.listeners where names[listener.name] != listener.address {
      try open(listener, of: next)
    }
    prober.adopt(next.upstreams)
    previous = old
    snapshot = next
    _ = ProcessLimits.raiseFileLimit(to: next.settings.limits.connections * 2 + 64 + 16 * workers.count)
  }

  /// Follows the names of a configuration's targets, and gives new ones a moment, so that the first requests do not
  /// find targets without an address.
  private func resolveNames(of snapshot: Snapshot) throws(StartError) {
    do { try names.adopt(snapshot.upstreams, snapshot.settings.resolver) } catch {
      throw StartError(why: error.why)
    }
    names.waitForFirst(atMost: Self.patienceForNames)
  }

  // MARK: Draining

  /// Fails readiness, waits for the delay, stops accepting, lets exchanges end, and calls `done`.
  public func drain(_ done: @escaping () -> Void) {
    guard state == .serving else { return }
    state = .draining
    let settings = snapshot.settings.drain
    let begin = Timer(loop) { [unowned self] in
      for worker in workers { worker.drain() }
      drainDeadline = min(drainDeadline, loop.now + settings.limit)
      awaitDrain(done)
    }
    drainTimer = begin
    begin.arm(after: max(settings.delay, 1))
  }

  /// Ends a drain now, whatever it still waits for; the answer to a second signal.
  public func cut() {
    guard state == .draining else { return }
    drainDeadline = loop.now
    drainTimer?.arm(after: 1)
  }

  private func awaitDrain(_ done: @escaping () -> Void) {
    var wasCut = false
    let check = Timer(loop) { [unowned self] in
      if shared.drainedWorkers >= workers.count || (wasCut && loop.now >= drainDeadline + 1_000_000_000) {
        return finish(done)
      }
      if loop.now >= drainDeadline, !wasCut {
        wasCut = true
        for worker in workers { worker.cut() }
      }
      drainTimer?.arm(after: 10_000_000)
    }
    drainTimer = check
    check.arm(after: 1)
  }

  private func finish(_ done: () -> Void) {
    names.stop()
    prober.stop()
    for worker in workers { worker.stop() }
    for listener in snapshot.settings.listeners {
      if case .unix(let path) = listener.address { try? FileSystem.remove(path) }
    }
    if case .unix(let path) = admin { try? FileSystem.remove(path) }
    _ = log?.stop()
    state = .stopped
    done()
  }
}

/// Why the gateway cannot start.
public struct StartError: Error, Sendable, CustomStringConvertible {
  public let listener: String
  public let address: ListenAddress
  public let why: String

  public var description: String {
    listener.isEmpty ? why : "listener `\(listener)` cannot listen on \(address): \(why)"
  }

  public static let taken = "another process listens there: stop it, or choose another address"

  public init(listener: String, address: ListenAddress, why: String) {
    self.listener = listener
    self.address = address
    self.why = why
  }

  /// What no listener is to blame for.
  init(why: String) { self.init(listener: "", address: .unix(path: ""), why: why) }

  init(listener: String, address: ListenAddress, _ error: SocketError) {
    let why =
      switch Errno(error.code) {
      case .inUse: Self.taken
      case .notPermitted: "this user may not: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one"
      case .noAddress: "this machine has no such address: `ip addr` lists those it has"
      default: "\(error)"
      }
    self.init(listener: listener, address: address, why: why)
  }
}

extension ListenAddress: CustomStringConvertible {
  /// The kernel's form; nil for a host that is no address.
  public var socketAddress: SocketAddress? {
    switch self {
    case .ip(let host, let port): IPAddress(host).map { .ip($0, port: UInt16(port)) }
    case .unix(let path): .unix(path: path)
    }
  }

  public var description: String {
    switch self {
    case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
