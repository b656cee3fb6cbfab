import Telemetry

extension Gateway {
  /// What no worker counts: targets, breakers, the call log.
  func ownSnapshot() -> MetricSnapshot {
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
