import Kernel
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
  private(set) var control: Worker?
  /// Where each listener is, by its name: with the port that the kernel chose where the configuration says 0.
  public internal(set) var addresses: [String: ListenAddress] = [:]
  /// Where the admin port is, whatever a later configuration says.
  package private(set) var admin: ListenAddress?
  /// The same as the configuration wrote it then.
  private(set) var adminSetting: ListenAddress?
  /// Listeners that a successor serves on, once there is one.
  private var left: Set<String> = []
  /// A successor is starting.
  package var isUpgrading = false
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
  ///
  /// - Parameter inheritance: sockets of the process that this one takes over from. More of their kind, for more
  ///   workers, come last: the kernel gives them connections at once, which would be lost if anything failed then.
  public func start(admin: (any Handler)?, inheritance: Inheritance? = nil) throws(StartError) {
    let settings = snapshot.settings
    let count = settings.workers ?? ProcessLimits.processors
    boundConnections(by: settings)
    try Self.checkAddresses(of: settings, inheritance)
    try resolveNames(of: snapshot)
    for index in 0..<count {
      workers.append(try WorkerHandle.start(index: index, shared: shared, snapshot: snapshot, log: log))
    }
    var opened: [OpenListener] = []
    let inherits = { (listener: ListenerSettings) in inheritance?.has(listener.address) ?? false }
    for listener in settings.listeners where !inherits(listener) { opened.append(try open(listener, of: snapshot)) }
    if let address = settings.admin?.address, let admin { try openAdmin(address, handler: admin, inheritance) }
    for listener in settings.listeners where inherits(listener) {
      opened.append(try open(listener, of: snapshot, inheritance))
    }
    boundConnections(by: settings)
    for listener in opened { serve(listener) }
    prober.adopt(snapshot.upstreams)
    state = .serving
  }

  /// Raises the limit of open files to fit the connections; where it cannot be raised so far, lets in only so many clients
  /// that each finds a descriptor for its target, and the admin port some for those who ask what is going on.
  private func boundConnections(by settings: GatewaySettings) {
    let own = max(0, ProcessLimits.openFiles - 2 * shared.openConnections)
    let needed = settings.limits.openFiles + own
    let granted = ProcessLimits.raiseFileLimit(to: needed)
    let free = granted - own - Self.keptFiles
    shared.boundConnections(to: granted >= needed ? .max : max(1, free / 2))
  }

  /// For admin connections, probes, and files of the call log.
  private static let keptFiles = 16

  private func openAdmin(
    _ address: ListenAddress, handler: any Handler, _ inheritance: Inheritance?
  ) throws(StartError) {
    guard let socket = address.socketAddress else { return }
    let worker = Worker(
      index: -1, loop: loop, shared: SharedState(report: report), snapshot: snapshot, log: nil, only: handler)
    do {
      let inherited = inheritance?.claim(address, name: Inheritance.admin) ?? []
      // An admin port has one socket; an address that was a listener's may have had more.
      for surplus in inherited.dropFirst() { _ = FileDescriptor(owning: surplus) }
      let listening =
        if let first = inherited.first { FileDescriptor(owning: first) } else {
          try SocketCalls.listen(on: socket, shared: false)
        }
      admin = address.chosen(by: socket.bound(as: listening.number))
      try worker.listen(listening, as: ListenerIdentity(index: 63, name: Inheritance.admin))
      adminSetting = address
    } catch { throw StartError(listener: Inheritance.admin, address: address, error) }
    control = worker
  }

  // MARK: Reloading

  /// Swaps the configuration on every worker; exchanges under way finish on the old one.
  ///
  /// Whatever can fail comes first, so that a configuration is taken over as a whole or not at all.
  ///
  /// - Parameter isSame: nothing changes by it, so that what it replaces is none that one would go back to.
  public func adopt(_ next: Snapshot, isSame: Bool = false) throws(StartError) {
    let old = snapshot.settings.listeners
    let new = next.settings.listeners
    let opened = try openNew(of: next)
    do { try resolveNames(of: next) } catch {
      for listener in opened { listener.close() }
      throw error
    }
    for worker in workers { worker.adopt(next) }
    for listener in old where !new.contains(where: { $0.isSame(as: listener) }) {
      for worker in workers { worker.retireListener(listener.name) }
      if case .unix(let path) = listener.address, !new.contains(where: { $0.address == listener.address }) {
        try? FileSystem.remove(path)
      }
    }
    for listener in opened { serve(listener) }
    prober.adopt(next.upstreams)
    if !isSame { previous = snapshot }
    snapshot = next
    boundConnections(by: next.settings)
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
    drain(after: snapshot.settings.drain.delay, done)
  }

  /// Drains in favour of a successor, which serves already: nobody has to notice, so there is no delay.
  ///
  /// - Parameter left: listeners whose sockets the successor has: what waits there, and Unix sockets' paths, are its.
  func handOver(leaving left: Set<String>, _ done: @escaping () -> Void) {
    self.left = left
    control?.stopListening(Inheritance.admin)
    drain(after: 0, done)
  }

  private func drain(after delay: Int, _ done: @escaping () -> Void) {
    guard state == .serving else { return }
    state = .draining
    for worker in workers { worker.announceDrain() }
    let settings = snapshot.settings.drain
    let begin = Timer(loop) { [unowned self] in
      for worker in workers { worker.drain(leaving: left) }
      drainDeadline = min(drainDeadline, loop.now + settings.limit)
      awaitDrain(done)
    }
    drainTimer = begin
    begin.arm(after: max(delay, 1))
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
    for listener in snapshot.settings.listeners where !left.contains(listener.name) {
      if case .unix(let path) = listener.address { try? FileSystem.remove(path) }
    }
    if case .unix(let path) = admin, !left.contains(Inheritance.admin) { try? FileSystem.remove(path) }
    if let log, !log.stop() { report(.callLogUnread(lines: log.counters.dropped)) }
    state = .stopped
    done()
  }
}
