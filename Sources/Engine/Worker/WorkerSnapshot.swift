import Kernel
import PluginKit
import Runtime
import Telemetry

/// A snapshot as one worker runs it: its plugin instances and its pools.
///
/// Routes are compiled when the first request comes for them, so that a file with 100,000 routes costs a worker
/// nothing that is not used. Pools of upstreams that a reload did not change pass from one snapshot to the next.
final class WorkerSnapshot {
  let shared: Snapshot
  let pools: [UpstreamPool]
  private(set) var plugins: [any Plugin] = []
  /// The hooks of the plugins of every route, for answers to requests that have none.
  private(set) var commonChain = Chain([])
  private var routes: [WorkerRoute?]
  private var chains: [Chain?]
  private var onlyRoute: WorkerRoute?
  private var compiled = 0
  private var services: PluginServices!
  private let logHeaders: LoggedHeaders

  init(_ shared: Snapshot, loop: Loop, previous: WorkerSnapshot?) {
    self.shared = shared
    let old = Dictionary(
      (previous?.pools ?? []).map { (ObjectIdentifier($0.upstream), $0) }, uniquingKeysWith: { first, _ in first })
    pools = shared.upstreams.map { old[ObjectIdentifier($0)] ?? UpstreamPool($0, loop: loop) }
    routes = Array(repeating: nil, count: shared.routeOfPattern.count)
    chains = Array(repeating: nil, count: shared.settings.routes.count)
    logHeaders = LoggedHeaders(shared.settings.callLog)
  }

  func attach(to worker: Worker) {
    services = PluginServices(worker, shared.consumers)
    for (index, pool) in pools.enumerated() {
      pool.worker = worker
      pool.number = index
    }
    if worker.only != nil { return }
    plugins = shared.plugins.common.map { $0.instance(services) }
    commonChain = Chain(plugins)
  }

  // Nothing that began on it is left.
  deinit {
    services?.cancel()
    for pool in pools { pool.release() }
  }

  /// Closes the pools that the next snapshot does not use, once their exchanges are over, and lets go of the routes, which
  /// hold it: exchanges have theirs.
  func retire(keeping next: WorkerSnapshot) {
    routes = []
    onlyRoute = nil
    let kept = Set(next.pools.map { ObjectIdentifier($0) })
    for pool in pools where !kept.contains(ObjectIdentifier(pool)) { pool.retire() }
  }

  private lazy var poolsByName = Dictionary(
    pools.map { ($0.upstream.settings.name, $0) }, uniquingKeysWith: { first, _ in first })

  func pool(named name: String) -> UpstreamPool? { poolsByName[name] }

  var loggedHeaders: LoggedHeaders { logHeaders }

  /// What belongs to a pattern of the route table.
  func route(ofPattern pattern: Int) -> WorkerRoute {
    if let route = routes[pattern] { return route }
    let index = Int(shared.routeOfPattern[pattern])
    let route = WorkerRoute(
      index: index, settings: shared.settings.routes[index], pattern: shared.table.patterns[pattern],
      chain: chain(ofRoute: index), snapshot: self, number: compiled)
    compiled += route.identities.count
    routes[pattern] = route
    return route
  }

  /// The route of a worker that has a single handler.
  func route(only handler: any Handler) -> WorkerRoute {
    if let onlyRoute { return onlyRoute }
    let route = WorkerRoute(only: handler, snapshot: self)
    onlyRoute = route
    return route
  }

  private func chain(ofRoute index: Int) -> Chain {
    if let chain = chains[index] { return chain }
    let own = shared.plugins.ofRoute(index).map { $0.instance(services) }
    let log = shared.settings.callLog
    let route = shared.settings.routes[index]
    var innermost = route.version.map(VersionHooks.make) ?? []
    if let gate = route.mcp.flatMap({ MCPGate($0) }) { innermost.append(gate) }
    let chain = Chain(
      plugins + own, innermost: innermost,
      isObserved: log.decisions && log.destination != .off)
    chains[index] = chain
    return chain
  }
}

/// One pattern of a route, as one worker runs it.
final class WorkerRoute {
  enum Target {
    case upstream(UpstreamPool)
    case split(UpstreamSplit)
    case local(any Handler)
    case models(ModelRoute)
  }

  let index: Int
  let settings: RouteSettings
  /// One for each path of the pattern: they differ in their template.
  let identities: [RouteIdentity]
  /// What the call log says of each of them.
  let logMembers: [CallLogMembers]
  /// The number of the first of them among all that this worker has compiled; metrics are found by it.
  let number: Int
  let chain: Chain
  let handler: Target
  let rewrite: Rewrite?
  let fallback: Fallback?
  let mirror: Mirror?
  let requestBodyLimit: Int
  /// Whether calls of gRPC-Web become calls of gRPC.
  let translatesGRPCWeb: Bool
  let clientBody: Int
  /// The snapshot that it belongs to, kept alive by the exchanges that use it.
  let snapshot: WorkerSnapshot

  init(
    index: Int, settings: RouteSettings, pattern: RoutePattern, chain: Chain, snapshot: WorkerSnapshot, number: Int
  ) {
    self.index = index
    self.settings = settings
    self.chain = chain
    self.snapshot = snapshot
    let limits = snapshot.shared.settings.limits
    identities = pattern.paths.map {
      RouteIdentity(index: index, name: settings.name, template: "\($0)", parameterNames: $0.parameterNames)
    }
    let version = settings.version.map { [(CallField.version, $0.name)] } ?? []
    logMembers = identities.map { CallLogMembers([(.route, $0.name), (.template, $0.template)] + version) }
    self.number = number
    rewrite = settings.rewrite.map { Rewrite($0) }
    fallback = settings.fallback.map { Fallback($0, snapshot.pools) }
    mirror = settings.mirror.map { Mirror($0, snapshot.pools) }
    requestBodyLimit = settings.limits?.requestBody ?? limits.requestBody
    clientBody = settings.limits?.bodyTimeout ?? limits.bodyTimeout
    translatesGRPCWeb = settings.translatesGRPCWeb
    handler =
      switch settings.handler {
      case .upstream(let index): .upstream(snapshot.pools[index])
      case .split(let split): .split(UpstreamSplit(split, snapshot.pools))
      case .respond where settings.mcp != nil: .local(MissingServer())
      case .respond(let respond): .local(RespondHandler(respond))
      case .redirect(let redirect): .local(RedirectHandler(redirect))
      case .models(let models) where models.describesPrompts:
        .local(PromptDescription(snapshot.shared.settings))
      case .models(let models):
        .models(
          ModelRoute(
            models, snapshot.shared.settings.models, snapshot.pools, promptAnswers: snapshot.shared.promptAnswers))
      }
  }

  init(only handler: any Handler, snapshot: WorkerSnapshot) {
    index = -1
    settings = RouteSettings(name: "admin")
    identities = []
    logMembers = []
    number = 0
    chain = Chain([])
    self.handler = .local(handler)
    rewrite = nil
    fallback = nil
    mirror = nil
    self.snapshot = snapshot
    requestBodyLimit = 1 << 20
    translatesGRPCWeb = false
    clientBody = snapshot.shared.settings.limits.bodyTimeout
  }

  /// Where an exchange goes to; nil when the gateway answers it. A split decides once for each exchange.
  func pool(for slot: ExchangeSlot, _ random: inout SplitMix) -> UpstreamPool? {
    switch handler {
    case .upstream(let pool): return pool
    case .local, .models: return nil
    case .split(let split):
      if let chosen = slot.account.upstream { return chosen }
      let pool = split.choose(&slot.exchange, &random)
      slot.account.upstream = pool
      return pool
    }
  }

  func timeouts(of pool: UpstreamPool) -> CallTimeouts {
    let upstream = pool.upstream.settings.timeouts
    return CallTimeouts(
      connect: settings.timeouts?.connect ?? upstream.connect,
      firstByte: settings.timeouts?.firstByte ?? upstream.firstByte,
      hedge: pool.upstream.settings.hedge?.after ?? .max,
      idle: settings.timeouts?.idle ?? upstream.idle, total: settings.timeouts?.total ?? upstream.total,
      tunnel: settings.timeouts?.tunnel ?? upstream.tunnel,
      clientBody: clientBody, queue: pool.upstream.settings.connections.queueTimeout)
  }
}
