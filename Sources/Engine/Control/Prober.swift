import Kernel
import Runtime

/// Finds out on the control loop which targets can be used: those with a health check all the time, others once
/// traffic has taken them out.
///
/// It writes into `TargetHealth`, which the workers read, and tells every change. So many probes run at once and no
/// more: the others wait their turn.
final class Prober {
  private let loop: Loop
  private let report: (GatewayEvent) -> Void
  /// The running upstreams by name.
  private var upstreams: [String: Upstream] = [:]
  /// By upstream, and there by target: those that need probes, or did.
  private var probes: [String: [ObjectIdentifier: TargetProbe]] = [:]
  private var waiting: [TargetProbe] = []
  private(set) var running = 0
  private let mostAtOnce: Int
  /// For targets of any protocol: its blocks hold what they answer.
  private let http2: HTTP2Context
  private var random: SplitMix

  /// - Parameter mostAtOnce: probes that run at the same time; each holds a descriptor.
  init(
    _ loop: Loop, mostAtOnce: Int = 64, random: SplitMix = SplitMix(seed: KernelRandom.next()),
    report: @escaping (GatewayEvent) -> Void
  ) {
    self.loop = loop
    http2 = HTTP2Context(
      loop, small: BufferPool(blockSize: 16 << 10, keep: 4), large: BufferPool(blockSize: 64 << 10, keep: 4),
      stallTimeout: 30_000_000_000, pingAfter: 30_000_000_000)
    self.mostAtOnce = mostAtOnce
    self.random = random
    self.report = report
  }

  /// Follows these upstreams from now on and forgets all others.
  func adopt(_ next: [Upstream]) {
    upstreams = Dictionary(next.map { ($0.settings.name, $0) }, uniquingKeysWith: { first, _ in first })
    for name in Array(probes.keys) where upstreams[name] == nil {
      for probe in probes.removeValue(forKey: name)?.values ?? [:].values { probe.stop() }
    }
    for upstream in upstreams.values { refresh(upstream) }
  }

  /// The upstream's targets have changed, or it may be another one of the same name.
  func refresh(_ upstream: Upstream) {
    let name = upstream.settings.name
    guard upstreams[name] === upstream else { return }
    var old = probes.removeValue(forKey: name) ?? [:]
    var kept: [ObjectIdentifier: TargetProbe] = [:]
    for target in upstream.targets.targets {
      let id = ObjectIdentifier(target.health)
      if let probe = old[id], probe.upstream === upstream {
        kept[id] = old.removeValue(forKey: id)
      } else if upstream.settings.healthCheck != nil || !target.health.isHealthy {
        kept[id] = begin(target, of: upstream)
      }
    }
    for probe in old.values { probe.stop() }
    if !kept.isEmpty { probes[name] = kept }
  }

  /// Traffic took a target out.
  ///
  /// - Parameter health: says which target; a call that began before a reload may know the upstream's old settings.
  func ejected(upstream name: String, _ health: TargetHealth) {
    guard let upstream = upstreams[name], !health.isHealthy else { return }
    let id = ObjectIdentifier(health)
    if let probe = probes[name]?[id] { return probe.hurry(random: &random) }
    guard let target = upstream.targets.targets.first(where: { $0.health === health }) else { return }
    probes[name, default: [:]][id] = begin(target, of: upstream)
  }

  /// Probes that wait for their turn.
  var queued: Int { waiting.count }

  /// Ends all probes.
  func stop() { adopt([]) }

  // MARK: Turns

  /// Runs a probe as soon as there is room.
  func enqueue(_ probe: TargetProbe) {
    waiting.append(probe)
    startWaiting()
  }

  private func startWaiting() {
    while running < mostAtOnce, !waiting.isEmpty {
      let probe = waiting.removeFirst()
      if probe.isStopped { continue }
      running += 1
      loop.start((self, probe)) { (prober, probe) in await prober.run(probe) }
    }
  }

  private func run(_ probe: TargetProbe) async {
    let transition = await probe.run(http2)
    running -= 1
    if let transition { tell(transition, probe) }
    probe.finish(random: &random)
    startWaiting()
  }

  private func begin(_ target: Target, of upstream: Upstream) -> TargetProbe {
    let probe = TargetProbe(target, of: upstream, prober: self, loop: loop)
    probe.begin(random: &random)
    return probe
  }

  private func tell(_ transition: TargetHealth.Transition, _ probe: TargetProbe) {
    let upstream = probe.upstream.settings.name
    if transition.to == .healthy {
      report(.targetBack(upstream: upstream, target: probe.target.name))
    } else if transition.from == .healthy, case .bad(let why) = probe.lastOutcome {
      report(.targetOut(upstream: upstream, target: probe.target.name, why: "it \(why)"))
    }
  }
}
