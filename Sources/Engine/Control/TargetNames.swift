import Foreign
import Kernel
import Runtime

/// What the names of targets mean at the moment, followed on the control loop.
///
/// Every address of a name becomes a target of its own. An answer holds as long as its TTL says, within bounds; while
/// DNS fails the last answer stays in force.
final class TargetNames {
  /// One name, and whose targets it is the host of.
  private struct Host {
    var schedule: ResolverSchedule
    var upstreams: [Upstream]
  }

  private let loop: Loop
  private let limits: ResolverSchedule.Limits
  private let report: (GatewayEvent) -> Void
  private let changed: (Upstream) -> Void
  private var hosts: [String: Host] = [:]
  private var source: ResolverSource?
  private lazy var timer = Timer(loop) { [weak self] in self?.lookUpDue() }
  /// When the timer goes off.
  private var timerDue = Int.max
  /// Names that were asked for and have not been answered since, neither well nor badly.
  private var unanswered: Set<String> = []
  private var waiting: [String] = []
  private var underWay = 0
  private var random: SplitMix

  /// Look-ups at the same time: more would overflow the receive buffer of the resolver's socket.
  private static let mostUnderWay = 64

  /// - Parameter changed: told of an upstream whose targets are others now.
  init(
    _ loop: Loop, limits: ResolverSchedule.Limits = ResolverSchedule.Limits(),
    random: SplitMix = SplitMix(seed: KernelRandom.next()), report: @escaping (GatewayEvent) -> Void,
    changed: @escaping (Upstream) -> Void
  ) {
    self.loop = loop
    self.limits = limits
    self.random = random
    self.report = report
    self.changed = changed
  }

  /// Follows the names of these upstreams from now on.
  ///
  /// All names are asked for anew, so that a reload takes over what `/etc/hosts` and `/etc/resolv.conf` say by now. Those
  /// that are known already keep their addresses meanwhile.
  func adopt(_ upstreams: [Upstream], _ settings: ResolverSettings) throws(TargetNamesError) {
    let named = upstreams.map { ($0, $0.settings.hostNames) }.filter { !$0.1.isEmpty }
    let next = named.isEmpty ? nil : try makeSource(settings)
    source?.finish()
    source = next
    underWay = 0
    waiting.removeAll()
    unanswered.removeAll()
    timer.cancel()
    timerDue = .max
    let old = hosts
    hosts.removeAll()
    for (upstream, names) in named {
      for name in names {
        if hosts[name] == nil { hosts[name] = Host(schedule: schedule(old[name]), upstreams: []) }
        hosts[name]?.upstreams.append(upstream)
      }
    }
    for (upstream, _) in named { _ = update(upstream) }
    unanswered = Set(hosts.keys)
    lookUpDue()
  }

  /// Waits on the calling thread for the first answers about names that have no addresses yet.
  func waitForFirst(atMost nanoseconds: Int) {
    let new = unanswered.filter { name in hosts[name]?.schedule.addresses.isEmpty ?? false }
    guard !new.isEmpty else { return }
    source?.wait(atMost: nanoseconds) { unanswered.isDisjoint(with: new) }
  }

  func stop() {
    source?.finish()
    source = nil
    timer.cancel()
  }

  private func schedule(_ old: Host?) -> ResolverSchedule {
    guard var schedule = old?.schedule else { return ResolverSchedule(limits, now: loop.now) }
    schedule.restart(now: loop.now)
    return schedule
  }

  private func makeSource(_ settings: ResolverSettings) throws(TargetNamesError) -> ResolverSource {
    let resolver: Resolver
    do {
      resolver = try Resolver(servers: settings.servers, timeout: settings.timeout, tries: settings.attempts)
    } catch { throw TargetNamesError(why: "\(error)") }
    do { return try ResolverSource(resolver, on: loop) { [unowned self] in take($0) } } catch {
      throw TargetNamesError(why: "names cannot be resolved: \(error)")
    }
  }

  // MARK: Looking up

  /// Begins the look-ups that are due, and sets the timer for the next ones.
  private func lookUpDue() {
    timerDue = .max
    var next = Int.max
    for name in hosts.keys {
      if hosts[name]?.schedule.begin(now: loop.now) == true { waiting.append(name) }
      next = min(next, hosts[name]?.schedule.due ?? .max)
    }
    startWaiting()
    arm(next)
  }

  private func startWaiting() {
    while underWay < Self.mostUnderWay, let name = waiting.popLast() {
      underWay += 1
      source?.start(name)
    }
  }

  private func arm(_ due: Int) {
    guard due < timerDue else { return }
    timerDue = due
    timer.arm(at: due)
  }

  private func take(_ answer: ResolverAnswer) {
    underWay -= 1
    unanswered.remove(answer.host)
    defer { startWaiting() }
    guard var host = hosts[answer.host] else { return }
    switch answer.result {
    case .failure(let failure):
      if host.schedule.failures == 0 { report(.nameFailed(name: answer.host, why: failure.message)) }
      host.schedule.failed(now: loop.now, random: &random)
      hosts[answer.host] = host
    case .success(let found):
      let isNews = !host.schedule.addresses.isEmpty || host.schedule.failures > 0
      let isChanged = host.schedule.succeeded(
        found.addresses, ttl: found.ttl, now: loop.now, random: &random)
      hosts[answer.host] = host
      if isChanged {
        if isNews { report(.nameChanged(name: answer.host, addresses: found.addresses)) }
        for upstream in host.upstreams where update(upstream) { changed(upstream) }
      }
    }
    if let due = host.schedule.due { arm(due) }
  }

  /// Gives an upstream the addresses that its names mean now; whether that changed its targets.
  ///
  /// A name that was never answered keeps what the upstream knows of it, which may come from before a reload.
  private func update(_ upstream: Upstream) -> Bool {
    let current = upstream.targets
    return upstream.update(
      upstream.settings.targets.map { target in
        upstream.entry(of: target) { target in
          guard case .host(let name, let port) = target.address, let addresses = hosts[name]?.schedule.addresses,
            !addresses.isEmpty
          else { return current.addresses(of: target) }
          return addresses.map { .ip($0, port: UInt16(port)) }
        }
      })
  }
}

/// Why no name can be resolved.
struct TargetNamesError: Error {
  let why: String
}

extension UpstreamSettings {
  /// The hosts of its targets that are no addresses, each once.
  var hostNames: Set<String> {
    var names: Set<String> = []
    for target in targets {
      if case .host(let host, _) = target.address, IPAddress(host) == nil { names.insert(host) }
    }
    return names
  }
}
