public import Kernel

/// Figures that are kept elsewhere and only shown here; for a shard that is made for one page.
extension MetricShard {
  public func record(_ usage: ProcessUsage) {
    set(series(.cpuSeconds), usage.userTime + usage.systemTime)
    set(series(.cpuUserSeconds), usage.userTime)
    set(series(.cpuSystemSeconds), usage.systemTime)
    set(series(.residentBytes), usage.residentMemory)
    set(series(.virtualBytes), usage.virtualMemory)
    set(series(.openDescriptors), usage.openDescriptors)
    set(series(.maximumDescriptors), usage.maximumDescriptors)
    set(series(.startTime), usage.startTime)
    set(series(.threads), usage.threads)
  }

  public func record(_ counters: CallLogCounters) {
    set(series(.callLogProduced), counters.produced)
    set(series(.callLogWritten), counters.written)
    set(series(.callLogDropped), counters.dropped)
    set(series(.callLogBytes), counters.bytes)
    set(series(.callLogErrors), counters.errors)
    set(series(.callLogSegments, ["rotated"]), counters.rotated)
    set(series(.callLogSegments, ["compressed"]), counters.compressed)
    set(series(.callLogSegments, ["removed"]), counters.removed)
  }
}
