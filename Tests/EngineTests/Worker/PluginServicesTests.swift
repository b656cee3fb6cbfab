import Configuration
import GatewayTesting
import Kernel
import PluginKit
import Runtime
import Synchronization
import Testing

@testable import Engine

/// Tasks and calls of plugins, on a real worker.
struct PluginServicesTests {
  /// What the tasks of a plugin did, on all of its instances.
  private final class Journal: Sendable {
    let rounds = Atomic(0), cancelled = Atomic(0), ended = Atomic(0), made = Atomic(0)
  }

  private final class Ticking: Plugin {
    struct Settings: Sendable { var journal: Journal? }
    static let section = Section("ticking", Settings(), "Counts.", [])

    init(_ settings: Settings, _ services: any WorkerServices) {
      guard let journal = settings.journal else { return }
      journal.made.add(1, ordering: .relaxed)
      services.start {
        do {
          while true {
            try await services.sleep(1_000_000)
            journal.rounds.add(1, ordering: .relaxed)
          }
        } catch { journal.cancelled.add(1, ordering: .relaxed) }
        // Who sleeps again is told again.
        do { try await services.sleep(1 << 60) } catch { journal.ended.add(1, ordering: .relaxed) }
      }
    }
  }

  private func snapshot(_ plugins: [PluginEntry], _ kinds: [PluginDefinition], generation: Int, _ origin: Origin? = nil)
    throws -> Snapshot
  {
    let upstreams = origin.map { origin in
      guard case .ip(let ip, let port) = origin.address else { return [UpstreamSettings]() }
      let target = TargetSettings(address: .host("\(ip)", port: Int(port)), name: "u")
      return [UpstreamSettings(name: "u", targets: [target])]
    }
    return try Snapshot(
      GatewaySettings(upstreams: upstreams ?? [], plugins: plugins), plugins: PluginCatalog(kinds), previous: nil,
      generation: generation)
  }

  @Test func `a task goes on until a reload has replaced its plugin`() async throws {
    let journal = Journal()
    let entries = [PluginEntry(name: "ticking", settings: Ticking.Settings(journal: journal))]
    let kinds = [PluginDefinition(Ticking.self)]
    let thread = try LoopThread()
    defer { thread.stop() }
    let loop = thread.loop
    let first = try snapshot(entries, kinds, generation: 1)
    let worker = await thread.run {
      LoopBound(
        Worker(index: 0, loop: loop, shared: SharedState(report: { _ in }), snapshot: first, log: nil), on: loop)
    }
    #expect(await thread.eventually { journal.rounds.load(ordering: .relaxed) >= 3 })
    #expect(journal.cancelled.load(ordering: .relaxed) == 0)
    // The same entry in the next configuration is another instance, whose task goes on.
    let second = try snapshot(entries, kinds, generation: 2)
    await thread.run { worker.here.adopt(second) }
    #expect(await thread.eventually { journal.ended.load(ordering: .relaxed) == 1 })
    #expect(journal.made.load(ordering: .relaxed) == 2)
    let rounds = journal.rounds.load(ordering: .relaxed)
    #expect(await thread.eventually { journal.rounds.load(ordering: .relaxed) >= rounds + 3 })
    let third = try snapshot([], kinds, generation: 3)
    await thread.run { worker.here.adopt(third) }
    #expect(await thread.eventually { journal.ended.load(ordering: .relaxed) == 2 })
    #expect(journal.cancelled.load(ordering: .relaxed) == 2)
  }

  @Test func `the example of the guide fetches again and again, and answers with what it has`() async throws {
    let origin = try Origin { connection in
      var count = 0
      while try connection.request() != nil {
        count += 1
        try connection.answer(body: "closed on day \(min(count, 2))\n")
      }
    }
    defer { origin.stop() }
    let entries = [PluginEntry(name: "notice", settings: Notice.Settings(upstream: "u", every: 1_000_000))]
    let snapshot = try snapshot(entries, [PluginDefinition(Notice.self)], generation: 1, origin)
    let thread = try LoopThread()
    defer { thread.stop() }
    let loop = thread.loop
    let worker = await thread.run {
      LoopBound(
        Worker(index: 0, loop: loop, shared: SharedState(report: { _ in }), snapshot: snapshot, log: nil), on: loop)
    }
    let isFetched = await thread.eventually {
      var exchange = Exchange()
      worker.here.current.commonChain.runResponseHead(&exchange)
      guard let notice = exchange.response.header(named: "x-notice") else { return false }
      return String(decoding: notice.indices.map { notice[$0] }, as: UTF8.self) == "closed on day 2"
    }
    #expect(isFetched)
    #expect(origin.requests.allSatisfy { $0.startLine == "GET /notice HTTP/1.1" })
  }

  @Test func `the guide shows the example as it is tested`() throws {
    let root = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
    let guide = try TemporaryDirectory.contents(of: root + "/docs/PLUGINS.md")
    let example = try TemporaryDirectory.contents(of: root + "/Tests/EngineTests/Worker/Notice.swift")
    let body = try #require(example.firstRange(of: "  private var line"))
    #expect(guide.contains(example[body.lowerBound...]))
  }
}
