import Runtime
public import Telemetry

extension Gateway {
  /// The numbers of every worker and of the gateway as a whole, as they are now.
  ///
  /// Workers are asked on their own threads, between two events; a worker that does not answer within a second is
  /// left out, so that the page comes also when one is stuck.
  public func metricSnapshots() async -> [MetricSnapshot] {
    let gathering = MetricGathering(count: workers.count)
    let bound = LoopBound(gathering, on: loop)
    let loop = loop
    for worker in workers {
      worker.post { worker in
        let snapshot = worker.metricSnapshot()
        loop.post { bound.here.add(snapshot) }
      }
    }
    let timer = Timer(loop) { gathering.finish() }
    timer.arm(after: 1_000_000_000)
    var snapshots = await gathering.wait()
    timer.cancel()
    snapshots.append(ownSnapshot())
    return snapshots
  }

  /// What no worker counts: targets, breakers, the call log.
  private func ownSnapshot() -> MetricSnapshot {
    let shard = MetricShard()
    shard.set(shard.series(.workers), workers.count)
    if let log { shard.record(log.counters) }
    for upstream in snapshot.upstreams {
      for target in upstream.targets.targets {
        let labels = [upstream.settings.name, target.name]
        shard.set(shard.series(.targetHealthy, labels), target.health.isHealthy ? 1 : 0)
        if let breaker = target.breaker { shard.set(shard.series(.breakerState, labels), breaker.state.level) }
      }
    }
    return shard.snapshot()
  }
}

extension CircuitBreaker.State {
  /// The value of the metric: the worse the larger.
  var level: Int {
    switch self {
    case .closed: 0
    case .halfOpen: 1
    case .open: 2
    }
  }
}

/// Answers of workers, until all have come.
private final class MetricGathering {
  private var missing: Int
  private var snapshots: [MetricSnapshot] = []
  private var waiting: CheckedContinuation<Void, Never>?

  init(count: Int) { missing = count }

  func add(_ snapshot: MetricSnapshot) {
    snapshots.append(snapshot)
    missing -= 1
    if missing == 0 { finish() }
  }

  func finish() {
    missing = 0
    waiting?.resume()
    waiting = nil
  }

  func wait() async -> [MetricSnapshot] {
    if missing > 0 { await withCheckedContinuation { waiting = $0 } }
    return snapshots
  }
}
