import Kernel
import PluginKit
import Runtime

/// One worker's view of an upstream: a pool for each target, the balancer, and the calls that wait for a connection.
final class UpstreamPool {
  let upstream: Upstream
  let loop: Loop
  /// Set once the worker exists, which outlives its pools.
  unowned var worker: Worker!
  private(set) var targets: [TargetPool] = []
  private var balancer: Balancer
  /// Its place in the snapshot; metrics are found by it.
  var number = 0
  private var waiters = WaitQueue()
  private var random = SplitMix(seed: KernelRandom.next())
  /// For slow starts, while `random` is lent to the balancer.
  private var chance = SplitMix(seed: KernelRandom.next())
  /// No longer configured, and only there for calls that began before.
  private var isRetired = false

  init(_ upstream: Upstream, loop: Loop) {
    self.upstream = upstream
    self.loop = loop
    balancer = Balancer(.roundRobin, [], random: &random)
    adopt(upstream.targets)
  }

  /// Takes over a new set of targets; pools of those that stay are kept.
  func adopt(_ set: TargetSet) {
    let isFirst = targets.isEmpty
    var known = Dictionary(targets.map { ($0.target.id, $0) }, uniquingKeysWith: { first, _ in first })
    targets = set.targets.enumerated().map { index, target in
      let old = known.removeValue(forKey: target.id)
      let pool = old ?? TargetPool(target, pool: self)
      if old == nil, !isFirst { pool.slowStart.begin(now: loop.now) }
      pool.target = target
      pool.index = index
      return pool
    }
    for gone in known.values { gone.retire() }
    if isRetired { for target in targets { target.retire() } }
    balancer = Balancer(Balancer.Algorithm(upstream.settings.balance), set.members, random: &random)
    while !waiters.isEmpty { waiters.wakeFirst() }
  }

  /// What asking for a connection led to.
  enum Lease {
    /// Established, and quiet.
    case connection(UpstreamConnection)
    /// Under way: wait until it is writable.
    case connecting(UpstreamConnection)
    /// Every target that may be used has as many connections as it may.
    case wait
    /// The attempt was over before there was a connection.
    case failed(TargetPool, AttemptFailure)
    case fault(Fault)
  }

  /// Asks for a connection to a target that was not tried yet.
  ///
  /// - Parameters:
  ///   - hash: of the value that the upstream hashes by.
  ///   - certain: asks the kernel whether a resting connection is still good.
  func lease(_ history: inout AttemptHistory, hash: UInt64?, certain: Bool) -> Lease {
    if isRetired, targets.isEmpty { adopt(upstream.targets) }
    if let target = history.takeStale() { return lease(from: target, history: &history, certain: certain, fresh: true) }
    if let target = history.takeChoice(), Eligible(self).isEligible(target.index) {
      return lease(from: target, history: &history, certain: certain, fresh: false)
    }
    let tried = history.indices
    guard let index = pick(hash: hash, excluding: tried) else {
      return nothingToLease(tried)
    }
    return lease(from: targets[index], history: &history, certain: certain, fresh: false)
  }

  private func lease(
    from target: TargetPool, history: inout AttemptHistory, certain: Bool, fresh: Bool
  ) -> Lease {
    if let breaker = target.target.breaker {
      switch breaker.admit(now: loop.now) {
      case .admitted(let pass): history.pass = pass
      case .probe(let pass, let begins):
        history.pass = pass
        if begins { target.report(breaker: .halfOpen) }
      case .refused(let until): return .fault(.circuitOpen.retrying(after: until - loop.now))
      }
    }
    if !fresh, let connection = target.takeIdle(certain: certain) { return .connection(connection) }
    do { return .connecting(try target.connect()) } catch {
      // Out of descriptors is the gateway's own trouble and says nothing about the target.
      if error.isOutOfDescriptors {
        target.settle(&history, .abandoned)
        return .fault(.tooManyFiles)
      }
      // So is that it has no port left; where only one kind of address is missing, another target may be reached.
      if error.isOutOfPorts {
        history.insert(target)
        worker.metrics.connected(target, outcome: "error")
        target.settle(&history, .abandoned)
        return .failed(target, AttemptFailure(kind: .connect, fault: .noLocalPort, sent: false))
      }
      // A Unix socket that nobody listens on, or an address that no route leads to.
      history.insert(target)
      target.connectFailed(&history, why: "connect refused")
      return .failed(target, AttemptFailure(kind: .connect, fault: .connectRefused, sent: false))
    }
  }

  /// A connection that rests, when the balancer's choice has one and its breaker is closed; nil when asking takes more.
  ///
  /// The choice stands for the `lease` that follows then: choosing again would pass the target over that was its turn.
  func leaseResting(_ history: inout AttemptHistory, hash: UInt64?, certain: Bool) -> UpstreamConnection? {
    guard let index = pick(hash: hash, excluding: TriedTargets()) else { return nil }
    let target = targets[index]
    history.choose(target)
    guard target.hasEstablished else { return nil }
    if let breaker = target.target.breaker {
      guard breaker.state == .closed, case .admitted(let pass) = breaker.admit(now: loop.now) else { return nil }
      history.pass = pass
    }
    if let connection = target.takeIdle(certain: certain) {
      _ = history.takeChoice()
      return connection
    }
    target.settle(&history, .abandoned)
    return nil
  }

  private func pick(hash: UInt64?, excluding tried: TriedTargets) -> Int? {
    if let length = upstream.settings.slowStart,
      let index = balancer.pick(
        among: Eligible(self, warmingFor: length), hash: hash, excluding: tried, random: &random)
    {
      return index
    }
    return balancer.pick(among: Eligible(self), hash: hash, excluding: tried, random: &random)
  }

  /// Whether a target that was not tried yet may be asked beside this one.
  func hasAlternative(to target: TargetPool, _ history: borrowing AttemptHistory) -> Bool {
    let tried = history.indices
    let eligible = Eligible(self)
    for index in targets.indices where index != target.index && !tried.contains(index) && eligible.isEligible(index) {
      return true
    }
    return false
  }

  /// Whether another target is in.
  func hasOther(than target: TargetPool) -> Bool {
    targets.contains { $0 !== target && $0.target.isIn(now: loop.now) }
  }

  /// Whether a target that was not tried yet may be asked, now or when it has room.
  func hasUntried(_ history: borrowing AttemptHistory) -> Bool {
    let tried = history.indices
    for index in targets.indices where !tried.contains(index) {
      let target = targets[index].target
      if target.isIn(now: loop.now), target.breaker?.wouldAdmit(now: loop.now) ?? true { return true }
    }
    return false
  }

  /// Why no target can be had: all busy, all breakers open, none healthy, or none left to try.
  private func nothingToLease(_ tried: TriedTargets) -> Lease {
    var soonest = Int.max
    for (index, pool) in targets.enumerated() where !tried.contains(index) && pool.target.isIn(now: loop.now) {
      guard let breaker = pool.target.breaker, !breaker.wouldAdmit(now: loop.now) else { return .wait }
      soonest = min(soonest, max(0, breaker.admitsFrom - loop.now))
    }
    if soonest < .max { return .fault(.circuitOpen.retrying(after: soonest)) }
    return .fault(targets.isEmpty ? .unresolved : .noTarget)
  }

  /// What a target is called that gets a request without a host.
  var hostOfTarget: String {
    guard let target = upstream.settings.targets.first, case .host = target.address else { return "localhost" }
    return target.name
  }

  // MARK: Waiting for a connection

  var queueLength: Int { waiters.count }
  var hasWaiters: Bool { !waiters.isEmpty }

  /// Queues a call until a connection is free; nil when too many wait already.
  func enqueue(_ waker: Waker) -> WaitQueue.Ticket? {
    waiters.count < upstream.settings.connections.queue ? waiters.append(waker) : nil
  }

  func cancel(_ ticket: WaitQueue.Ticket) { waiters.remove(ticket) }

  /// A connection has become free, or there is room for one: the call that waits longest tries again.
  func connectionFreed() { if !waiters.isEmpty { waiters.wakeFirst() } }

  /// The upstream is no longer configured: nothing rests any more, and what is leased closes when it returns. Calls that
  /// began before go on, also those that have no connection yet.
  func retire() {
    isRetired = true
    for target in targets { target.retire() }
  }

  /// Lets go of a retired pool's targets, which hold it. A call that needs them after all gets new ones.
  func release() {
    guard isRetired else { return }
    targets = []
    balancer = Balancer(.roundRobin, [], random: &random)
  }

  /// What the balancer may choose from now.
  private struct Eligible: BalancerTargets {
    let pool: UpstreamPool
    /// How long targets warm up; nil: they are taken as warm.
    let warmingFor: Int?

    init(_ pool: UpstreamPool, warmingFor: Int? = nil) {
      self.pool = pool
      self.warmingFor = warmingFor
    }

    func isEligible(_ index: Int) -> Bool {
      let target = pool.targets[index]
      guard let warmingFor else { return target.hasRoom && isIn(target) }
      guard isIn(target) else {
        target.slowStart.left()
        return false
      }
      let share = target.slowStart.share(now: pool.loop.now, length: warmingFor)
      return target.hasRoom && (share >= 1 || Double.random(in: 0..<1, using: &pool.chance) < share)
    }

    private func isIn(_ target: TargetPool) -> Bool {
      guard target.target.isIn(now: pool.loop.now) else { return false }
      return target.target.breaker?.wouldAdmit(now: pool.loop.now) ?? true
    }

    func inFlight(_ index: Int) -> Int { pool.targets[index].inFlight }
  }
}

extension Fault {
  /// The same, with `Retry-After` rounded up to whole seconds.
  func retrying(after nanoseconds: Int) -> Fault {
    var fault = self
    fault.retryAfter = max(1, (nanoseconds + 999_999_999) / 1_000_000_000)
    return fault
  }
}
