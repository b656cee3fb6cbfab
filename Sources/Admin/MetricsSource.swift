import Engine
import Kernel
public import Telemetry

/// Where the counts of the workers come from; asked on the control thread, for each page.
public protocol MetricsSource: AnyObject {
  /// One from each worker, and any others.
  func metricSnapshots() async -> [MetricSnapshot]
}

extension MetricShard {
  /// What the control thread knows itself.
  func record(_ gateway: Gateway, _ reloader: Reloader, version: String) {
    set(series(.reloads, ["ok"]), reloader.succeeded)
    set(series(.reloads, ["failed"]), reloader.failed)
    set(series(.reloadSucceeded), reloader.last?.succeeded ?? true ? 1 : 0)
    set(series(.reloadTime), reloader.loadedAt)
    set(series(.configurationFileNewer), reloader.fileIsNewer ? 1 : 0)
    set(series(.buildInfo, [version]), 1)
    set(series(.workers), gateway.workerCount)
    record(ProcessUsage.current())
    if let log = gateway.log { record(log.counters) }
  }
}
