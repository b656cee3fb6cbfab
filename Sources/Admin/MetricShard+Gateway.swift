import Engine
import Kernel
import PluginKit
import Telemetry

/// What no worker counts but the control thread knows; for a shard that is made for one page.
extension MetricShard {
  func record(_ gateway: Gateway, _ reloader: Reloader, _ upgrader: Upgrader, version: String) {
    set(series(.reloads, ["ok"]), reloader.succeeded)
    set(series(.reloads, ["failed"]), reloader.failed)
    set(series(.upgrades, ["ok"]), upgrader.succeeded)
    set(series(.upgrades, ["failed"]), upgrader.failed)
    set(series(.reloadSucceeded), reloader.last?.succeeded ?? true ? 1 : 0)
    set(series(.reloadTime), reloader.loadedAt)
    set(series(.configurationFileNewer), reloader.fileIsNewer ? 1 : 0)
    set(series(.buildInfo, [version]), 1)
    set(series(.workers), gateway.workerCount)
    for upstream in gateway.snapshot.upstreams { record(upstream) }
    if gateway.snapshot.settings.models != nil { record(gateway.snapshot.promptAnswers.figures) }
    record(ProcessUsage.current())
    if let log = gateway.log { record(log.counters) }
  }

  private func record(_ answers: ModelAnswerStore.Figures) {
    set(series(.promptCacheBytes), answers.bytes)
    set(series(.promptCacheEntries), answers.entries)
    set(series(.promptCacheLookups, ["hit"]), answers.hits)
    set(series(.promptCacheLookups, ["miss"]), answers.misses)
    set(series(.promptCacheEvictions), answers.evictions)
  }

  /// Health and breakers, which all workers share. Several addresses of one name count as the worst of them.
  private func record(_ upstream: Upstream) {
    var health: [String: Int] = [:]
    var breakers: [String: Int] = [:]
    for target in upstream.targets.targets {
      health[target.name] = min(health[target.name] ?? 1, target.isIn(now: Clock.monotonic) ? 1 : 0)
      if let breaker = target.breaker {
        breakers[target.name] = max(breakers[target.name] ?? 0, breaker.state.number)
      }
    }
    for (target, value) in health { set(series(.targetHealthy, [upstream.settings.name, target]), value) }
    for (target, value) in breakers { set(series(.breakerState, [upstream.settings.name, target]), value) }
  }
}

extension CircuitBreaker.State {
  /// As the metric has it.
  fileprivate var number: Int {
    switch self {
    case .closed: 0
    case .halfOpen: 1
    case .open: 2
    }
  }
}
