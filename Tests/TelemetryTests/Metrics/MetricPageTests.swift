import Kernel
import Testing

@testable import Telemetry

@Suite struct MetricPageTests {
  @Test(arguments: MetricPage.Format.allCases)
  func `a page with every family is valid to the letter`(format: MetricPage.Format) throws {
    let page = try Exposition(render([MetricPageTests.full().snapshot()], format), format)
    let suffix = format == .prometheus ? "_total" : ""
    #expect(page.families.map(\.name) == MetricFamily.all.map { $0.name + ($0.kind == .counter ? suffix : "") })
    for (read, family) in zip(page.families, MetricFamily.all) {
      #expect(read.help == family.help)
      #expect(read.unit == (format == .prometheus || family.unit == .none ? nil : family.unit.rawValue))
    }
  }

  @Test func `a page without series is empty, or only its end`() {
    #expect(render([], .prometheus) == "")
    #expect(render([], .openMetrics) == "# EOF\n")
  }

  @Test func `workers are added up, and gauges merged as their family says`() throws {
    let shards = [MetricShard(), MetricShard(), MetricShard()]
    for (number, shard) in shards.enumerated() {
      shard.add(shard.series(.retries, ["api", "reset"]), number)
      shard.set(shard.series(.connections, ["public"]), 10 + number)
      shard.set(shard.series(.targetHealthy, ["api", "a:1"]), number == 1 ? 0 : 1)
      shard.set(shard.series(.breakerState, ["api", "a:1"]), number)
      shard.observe(shard.series(.overhead), nanoseconds: 20_000 * number)
    }
    let page = try Exposition(render(shards.map { $0.snapshot() }, .openMetrics), .openMetrics)
    #expect(page.value("sluice_upstream_retries_total", ["upstream": "api", "reason": "reset"]) == "3")
    #expect(page.value("sluice_connections", ["listener": "public"]) == "33")
    #expect(page.value("sluice_target_healthy", ["upstream": "api", "target": "a:1"]) == "0")
    #expect(page.value("sluice_circuit_breaker_state", ["upstream": "api", "target": "a:1"]) == "2")
    #expect(page.value("sluice_gateway_overhead_seconds_sum") == "0.00006")
    #expect(page.value("sluice_gateway_overhead_seconds_bucket", ["le": "0.000005"]) == "1")
    #expect(page.value("sluice_gateway_overhead_seconds_bucket", ["le": "0.00002"]) == "2")
    #expect(page.value("sluice_gateway_overhead_seconds_bucket", ["le": "0.00005"]) == "3")
  }

  @Test(arguments: MetricPage.Format.allCases, ["a\"b", "back\\slash", "line\nfeed", "\\n", "grün", "{}=,", " "])
  func `a label is read back as it was`(format: MetricPage.Format, label: String) throws {
    let shard = MetricShard()
    shard.add(shard.series(.acceptedConnections, [label]), 7)
    let page = try Exposition(render([shard.snapshot()], format), format)
    #expect(page.value("sluice_connections_accepted_total", ["listener": label]) == "7")
  }

  @Test func `an empty label is left out`() throws {
    let shard = MetricShard()
    shard.observe(shard.series(.serverRequestDuration, ["GET", "404", "", "http", "", ""]), nanoseconds: 1)
    let page = try Exposition(render([shard.snapshot()], .prometheus), .prometheus)
    let labels = ["http_request_method": "GET", "http_response_status_code": "404", "url_scheme": "http"]
    #expect(page.value("http_server_request_duration_seconds_count", labels) == "1")
  }

  @Test(arguments: [
    (0, "0.0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (10_000_000_000, "10.0"), (-2_000_000_001, "-2.000000001"),
    (1_795_380_593_120_000_000, "1795380593.12"),
  ])
  func `seconds are written exactly`(nanoseconds: Int, expected: String) throws {
    let shard = MetricShard()
    shard.set(shard.series(.startTime), nanoseconds)
    #expect(
      try Exposition(render([shard.snapshot()], .prometheus), .prometheus).value("process_start_time_seconds")
        == expected)
  }

  @Test func `the same numbers make the same page, in whatever order they came`() {
    let (one, other) = (MetricShard(), MetricShard())
    let labels = (0..<50).map { ["listener-\($0)"] }
    for label in labels { one.add(one.series(.acceptedConnections, label)) }
    for label in labels.reversed() { other.add(other.series(.acceptedConnections, label)) }
    #expect(render([one.snapshot()], .prometheus) == render([other.snapshot()], .prometheus))
  }

  @Test func `a family of a plugin comes after ours`() throws {
    let own = MetricFamily("acme_things", .counter, labels: ["kind"], "Things.")
    let shard = MetricShard()
    shard.add(shard.series(own, ["a"]))
    shard.set(shard.series(.threads), 1)
    let page = try Exposition(render([shard.snapshot()], .openMetrics), .openMetrics)
    #expect(page.families.map(\.name) == ["process_threads", "acme_things"])
  }

  @Test func `every family is documented as it is declared`() throws {
    var table = "| family | type | labels | meaning |\n|---|---|---|---|\n"
    for family in MetricFamily.all {
      let name = family.name + (family.kind == .counter ? "_total" : "")
      let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
      table += "| `\(name)` | \(family.kind.word) | \(labels) | \(family.help) |\n"
    }
    try Document("METRICS.md").expect("families", table)
  }

  @Test func `every name is its own and in snake case`() {
    #expect(Set(MetricFamily.all.map(\.name)).count == MetricFamily.all.count)
    for family in MetricFamily.all {
      #expect(!family.name.hasSuffix("_total"))
      for name in [family.name] + family.labels.map(\.description) {
        #expect(name.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" })
      }
    }
  }

  /// One series of every family, with a number in it.
  static func full() -> MetricShard {
    let shard = MetricShard()
    for family in MetricFamily.all {
      let series = shard.series(family, family.labels.map { "some \($0)" })
      if case .histogram = family.kind { shard.observe(series, nanoseconds: 3_000_000) } else { shard.set(series, 42) }
    }
    return shard
  }

  private func render(_ snapshots: [MetricSnapshot], _ format: MetricPage.Format) -> String {
    var page = ByteBuffer()
    MetricPage.render(snapshots, format: format, into: &page)
    return String(copying: page)
  }
}
