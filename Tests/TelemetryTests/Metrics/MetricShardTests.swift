import Kernel
import Testing

@testable import Telemetry

@Suite struct MetricShardTests {
  @Test func `the same labels are the same series`() {
    let shard = MetricShard()
    let series = shard.series(.retries, ["api", "reset"])
    #expect(shard.series(.retries, ["api", "reset"]) == series)
    #expect(shard.series(.retries, ["reset", "api"]) != series)
    #expect(shard.series(.upstreamConnects, ["api", "reset", ""]) != series)
  }

  @Test func `a gauge that is unset is not shown until it is set again`() {
    let shard = MetricShard()
    let series = shard.series(.connections, ["public"])
    shard.set(series, 3)
    shard.unset(series)
    #expect(shard.snapshot().series.isEmpty)
    shard.set(series, 0)
    #expect(shard.snapshot().series.map(\.labels) == [["public"]])
  }

  @Test func `beyond the cap everything is counted in one series more`() throws {
    let shard = MetricShard(cap: 3)
    for number in 0..<100 { shard.observe(shard.series(.queueDuration, ["upstream-\(number)"]), nanoseconds: 1) }
    let snapshot = shard.snapshot()
    #expect(snapshot.series.map(\.labels) == [["upstream-0"], ["upstream-1"], ["upstream-2"], ["_OTHER"]])
    #expect(snapshot.values(of: try #require(snapshot.series.last)).first == 97)
    // Another family has a cap of its own, and one without labels needs none.
    shard.add(shard.series(.retries, ["api", "reset"]))
    shard.add(shard.series(.callLogErrors))
    #expect(shard.snapshot().series.count == 6)
  }

  @Test func `gauges of what is gone are gone, and those beyond the cap add up`() throws {
    let shard = MetricShard(cap: 2)
    for names in [["a", "b", "c", "d"], ["b", "c", "d"]] {
      shard.unset(.queuedRequests)
      for name in names { shard.gather(shard.series(.queuedRequests, [name]), 5) }
      let snapshot = shard.snapshot()
      let found = snapshot.series.map { "\($0.labels[0]) \(snapshot.values(of: $0).first ?? 0)" }
      #expect(found == (names.count == 4 ? ["a 5", "b 5", "_OTHER 10"] : ["b 5", "_OTHER 10"]))
    }
  }

  @Test func `100,000 routes do not make 100,000 histograms`() {
    let shard = MetricShard()
    for route in 0..<100_000 {
      shard.observe(
        shard.series(.serverRequestDuration, ["GET", "200", "route-\(route)", "http", "1.1", ""]),
        nanoseconds: 1_000_000)
    }
    let snapshot = shard.snapshot()
    #expect(snapshot.series.count == 2_001)
    #expect(snapshot.values.count < 50_000)
    #expect(snapshot.series.reduce(0) { $0 + snapshot.values(of: $1).dropLast().reduce(0, +) } == 100_000)
  }

  @Test(arguments: HistogramBounds.allCases)
  func `a value at a bound belongs to its bucket, one above to the next`(bounds: HistogramBounds) {
    let family = MetricFamily("test_seconds", .histogram(bounds), unit: .seconds, "")
    let shard = MetricShard()
    let series = shard.series(family)
    #expect(bounds.values == bounds.values.sorted())
    for (bucket, bound) in bounds.values.enumerated() {
      let before = shard.snapshot().values
      shard.observe(series, nanoseconds: bound)
      shard.observe(series, nanoseconds: bound + 1)
      let after = shard.snapshot().values
      #expect(after[bucket] == before[bucket] + 1)
      #expect(after[bucket + 1] == before[bucket + 1] + 1)
      #expect(after.last == before[before.count - 1] + 2 * bound + 1)
    }
    shard.observe(series, nanoseconds: -5)
    #expect(shard.snapshot().values.first == 2)
  }

  @Test func `a snapshot stays as it was`() {
    let shard = MetricShard()
    let series = shard.series(.reloads, ["ok"])
    shard.add(series)
    let snapshot = shard.snapshot()
    shard.add(series, 5)
    #expect(snapshot.values == [1])
    #expect(shard.snapshot().values == [6])
  }

  @Test func `the cache gives back what was made, however many keys there are`() {
    var cache = SeriesCache(maximum: 64)
    var made = 0
    var generator = SystemRandomNumberGenerator()
    for round in 0..<20_000 {
      let route = Int.random(in: 0..<(round < 10_000 ? 20 : 5_000), using: &generator)
      let (method, status) = (UInt8(route % 3), UInt16(200 + route % 2))
      let index = cache.index(route, method, status) {
        made += 1
        return SeriesIndex(offset: route, bounds: nil)
      }
      #expect(index.offset == route)
      if round == 9_999 { #expect(made <= 20) }
    }
    #expect(made > 1_000)
    cache.removeAll()
    let again = cache.index(1, 1, 201) { SeriesIndex(offset: 99, bounds: nil) }
    #expect(again.offset == 99)
  }

  @Test func `the cache tells apart keys that differ in one part`() {
    var cache = SeriesCache()
    var next = 0
    for route in [0, 1, Int(UInt32.max) - 1] {
      for method in [UInt8(0), 1, 255] {
        for status in [UInt16(0), 200, .max] {
          let index = cache.index(route, method, status) { SeriesIndex(offset: next, bounds: nil) }
          #expect(index.offset == next)
          next += 1
        }
      }
    }
  }

  @Test func `the process's own figures are there`() {
    let usage = ProcessUsage.current()
    #expect(usage.userTime > 0)
    #expect(usage.residentMemory > 1 << 20)
    #expect(usage.virtualMemory > usage.residentMemory)
    #expect(usage.threads >= 1)
    #expect(usage.openDescriptors >= 3)
    #expect(usage.maximumDescriptors >= usage.openDescriptors)
    #expect(abs(Clock.wall - usage.startTime) < 3_600_000_000_000)
    let shard = MetricShard()
    shard.record(usage)
    shard.record(CallLogCounters(produced: 3, written: 2, dropped: 1))
    #expect(shard.snapshot().series.count == 17)
  }
}
