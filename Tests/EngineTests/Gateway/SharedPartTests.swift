import Configuration
import Kernel
import PluginKit
import Telemetry
import Testing

@testable import Engine

/// What the instances of one entry share, from one configuration to the next.
@Suite struct SharedPartTests {
  /// Stands for buckets: made anew, it is empty.
  private final class Part: Sendable {
    let size: Int
    init(_ size: Int) { self.size = size }
  }

  private final class Sharing: Plugin {
    struct Settings: Sendable { var size = 1 }
    static let section = Section(
      "sharing", Settings(), "Shares.", shorthand: "size",
      [Keyword("size", \.size, .integer(in: 0...10), "How large; 0 cannot be had.")])

    static func share(_ settings: Settings) throws(PluginError) -> Part {
      if settings.size == 0 { throw PluginError("there is no memory for nothing") }
      return Part(settings.size)
    }

    init(_ shared: Part, _ services: any WorkerServices) {}
  }

  private func load(_ text: String, after previous: Snapshot? = nil) throws -> Snapshot {
    let text = "listeners: { public: 127.0.0.1:8080 }\n" + text
    let files = ConfigurationFiles(read: { _, _ in .success(Array(text.utf8)) }, matching: { _ in [] })
    let kind = PluginDefinition(Sharing.self)
    let loaded = GatewaySettings.load(
      file: "gateway.conf", environment: Environment([:]), files: files, plugins: [kind.declaration])
    let settings = try #require(loaded.settings, "\(loaded.diagnostics.text)")
    return try Snapshot(settings, plugins: PluginCatalog([kind]), previous: previous, generation: 1)
  }

  private func parts(_ snapshot: Snapshot, ofRoute index: Int) -> [Part?] {
    snapshot.plugins.ofRoute(index).map { $0.shared as? Part }
  }

  private static let routes = """
    plugins: { sharing: 5 }
    plugin_sets: { limits: [{ sharing: 2 }, { sharing: 2 }] }
    routes:
      a: { match: /a, respond: 200, plugins: [{ use: limits }, { sharing: 3 }] }
      b: { match: /b, respond: 200, plugins: [{ use: limits }, { sharing: 3 }] }
    """

  @Test func `an entry has one part, wherever its set is used`() throws {
    let snapshot = try load(Self.routes)
    let (a, b) = (parts(snapshot, ofRoute: 0), parts(snapshot, ofRoute: 1))
    #expect(a.map { $0?.size } == [2, 2, 3])
    #expect(a[0] === b[0] && a[1] === b[1])
    #expect(a[0] !== a[1] && a[2] !== b[2])
  }

  @Test func `a reload keeps the parts of entries that did not change`() throws {
    let before = try load(Self.routes)
    let after = try load("# A comment moves every line.\n" + Self.routes, after: before)
    for route in 0..<2 {
      for (old, new) in zip(parts(before, ofRoute: route), parts(after, ofRoute: route)) { #expect(old === new) }
    }
    #expect(before.plugins.common[0].shared as? Part === after.plugins.common[0].shared as? Part)
  }

  @Test func `an entry that changed begins anew, and those that moved do not`() throws {
    let before = try load("routes: { a: { match: /a, respond: 200, plugins: [{ sharing: 1 }, { sharing: 2 }] } }")
    let after = try load(
      "routes: { a: { match: /a, respond: 200, plugins: [{ sharing: 4 }, { sharing: 1 }, { sharing: 2 }] } }",
      after: before)
    let (old, new) = (parts(before, ofRoute: 0), parts(after, ofRoute: 0))
    #expect(new[1] === old[0] && new[2] === old[1])
    #expect(new[0]?.size == 4)
    let renamed = try load(
      "routes: { b: { match: /a, respond: 200, plugins: [{ sharing: 1 }] } }", after: before)
    #expect(parts(renamed, ofRoute: 0)[0] !== old[0])
  }

  @Test func `what cannot be had is a mistake at its line`() throws {
    #expect(throws: SnapshotError.self) {
      do { _ = try load("routes: { a: { match: /a, respond: 200, plugins: { sharing: 0 } } }") } catch {
        let error = try #require(error as? SnapshotError)
        #expect(error.message == "`sharing` cannot run: there is no memory for nothing")
        #expect(error.position.line == 2)
        throw error
      }
    }
  }

  @Test func `what plugins count is on the page, and never goes back`() {
    let requests = PluginMetric("acme_requests", .counter, labels: ["limit"], "Requests.")
    let held = PluginMetric("acme_held", .gauge, "Held.")
    let metrics = WorkerMetrics()
    metrics.counter(requests, ["a"]).add(2)
    metrics.counter(requests, ["b"]).add()
    metrics.counter(held, []).add(3)
    _ = metrics.snapshot([], [])
    // The instance of the next configuration goes on with the same number.
    metrics.counter(requests, ["a"]).add(5)
    metrics.counter(held, []).add(-1)
    var page = ByteBuffer()
    MetricPage.render([metrics.snapshot([], [])], format: .prometheus, into: &page)
    let text = String(decoding: page.span.indices.map { page.span[$0] }, as: UTF8.self)
    for line in [
      "# TYPE acme_requests_total counter", "acme_requests_total{limit=\"a\"} 7", "acme_requests_total{limit=\"b\"} 1",
      "# TYPE acme_held gauge", "acme_held 2",
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
  }
}
