import PluginKit
import Telemetry

/// What is counted where something does not go its usual way; rare enough to be looked up by its labels.
extension WorkerMetrics {
  func storeAnswered(_ store: String, _ outcome: String) {
    shard.add(shard.series(.storeCalls, [store, outcome]))
  }

  func shed(_ priority: Priority) { shard.add(shard.series(.shedRequests, [priority.rawValue])) }

  func overloaded(_ pressure: Double) { shard.set(shard.series(.overloadPressure), Int(pressure * 100)) }

  func hedged(_ upstream: UpstreamPool, _ outcome: String) {
    shard.add(shard.series(.hedges, [upstream.upstream.settings.name, outcome]))
  }

  func outlierEjected(_ target: TargetPool) {
    shard.add(shard.series(.outlierEjections, [target.pool.upstream.settings.name, target.target.name]))
  }

  func mirrored(_ template: String, _ upstream: UpstreamPool, _ outcome: String) {
    shard.add(shard.series(.mirroredRequests, [template, upstream.upstream.settings.name, outcome]))
  }

  func fellBack(_ slot: ExchangeSlot, _ fault: Fault) {
    shard.add(shard.series(.fallbacks, [slot.exchange.route?.template ?? "", "\(fault.reason)"]))
  }
}
