import Configuration
import GatewayTesting
import Kernel
import Runtime
import Testing

@testable import Engine

/// The names of some upstreams, followed on a loop of their own, with what was told.
private final class Naming: Sendable {
  let thread: LoopThread
  private let names: LoopBound<TargetNames>
  private let told = Lock<[String]>([])
  private let changed = Lock<[String]>([])

  init() throws {
    thread = try LoopThread()
    let (told, changed) = (told, changed)
    // Answers count as old after a moment, whatever their TTL.
    let limits = ResolverSchedule.Limits(
      minimumTTL: 20_000_000, maximumTTL: 20_000_000, firstRetry: 20_000_000, maximumRetry: 20_000_000)
    let names = TargetNames(
      thread.loop, limits: limits, random: SplitMix(seed: 5),
      report: { event in
        switch event {
        case .nameFailed(let name, let why): told.withLock { $0.append("\(name): \(why)") }
        case .nameChanged(let name, let addresses):
          told.withLock { $0.append("\(name): \(addresses.map(\.description).sorted())") }
        default: Issue.record("\(event)")
        }
      }, changed: { upstream in changed.withLock { $0.append(upstream.settings.name) } })
    self.names = LoopBound(names, on: thread.loop)
  }

  var events: [String] { told.withLock { $0 } }
  /// The upstreams that were told to have changed.
  var changes: [String] { changed.withLock { $0 } }

  func adopt(_ upstreams: [Upstream], _ server: NameServer, patience: Int = 20_000_000_000) async {
    let settings = ResolverSettings(servers: [server.address], timeout: 100_000_000, attempts: 1)
    let names = names
    let failure: String? = await thread.run {
      do { try names.here.adopt(upstreams, settings) } catch { return "\(error)" }
      names.here.waitForFirst(atMost: patience)
      return nil
    }
    #expect(failure == nil)
  }

  func stop() async {
    let names = names
    await thread.run { names.here.stop() }
    thread.stop()
  }
}

@Suite(.enabled(if: NameServer.isInstalled, Comment(rawValue: NameServer.hint)))
struct TargetNamesTests {
  private func upstream(
    _ name: String, _ hosts: String..., previous: Upstream? = nil, balance: UpstreamSettings.Balance = .roundRobin
  ) -> Upstream {
    Upstream(
      UpstreamSettings(
        name: name, balance: balance,
        targets: hosts.map { TargetSettings(address: .host($0, port: 80), name: "\($0):80") }), previous: previous)
  }

  private func addresses(_ upstream: Upstream) -> [String] { upstream.targets.targets.map { "\($0.address)" }.sorted() }

  @Test func `every address of a name is a target, beside those that are addresses`() async throws {
    let server = try NameServer(records: ["both.test,127.0.0.2,::2", "one.test,127.0.0.3"])
    defer { server.stop() }
    let naming = try Naming()
    let upstream = upstream("u", "both.test", "127.0.0.9", "one.test")
    #expect(addresses(upstream) == ["127.0.0.9:80"])
    await naming.adopt([upstream], server)
    #expect(addresses(upstream) == ["127.0.0.2:80", "127.0.0.3:80", "127.0.0.9:80", "[::2]:80"])
    #expect(naming.events.isEmpty)
    await naming.stop()
  }

  @Test func `targets come and go with the answers, and those that stay keep their health`() async throws {
    let server = try NameServer(hosts: ["127.0.0.2 moving.test", "127.0.0.3 moving.test"])
    defer { server.stop() }
    let naming = try Naming()
    let upstream = upstream("u", "moving.test")
    await naming.adopt([upstream], server)
    #expect(addresses(upstream) == ["127.0.0.2:80", "127.0.0.3:80"])
    let health = upstream.targets.targets.first { "\($0.address)" == "127.0.0.3:80" }?.health
    try server.replaceHosts(["127.0.0.3 moving.test", "127.0.0.4 moving.test", "127.0.0.5 moving.test"])
    #expect(await naming.thread.eventually { addresses(upstream).count == 3 })
    #expect(addresses(upstream) == ["127.0.0.3:80", "127.0.0.4:80", "127.0.0.5:80"])
    #expect(upstream.targets.targets.contains { $0.health === health })
    try server.replaceHosts(["127.0.0.5 moving.test"])
    #expect(await naming.thread.eventually { addresses(upstream) == ["127.0.0.5:80"] })
    // The first answer came while the configuration was waited for.
    #expect(naming.changes == ["u", "u", "u"])
    #expect(naming.events.last == "moving.test: [\"127.0.0.5\"]")
    await naming.stop()
  }

  @Test func `a name that does not resolve is told once, and tried until it does`() async throws {
    let server = try NameServer(hosts: ["127.0.0.2 other.test"])
    defer { server.stop() }
    let naming = try Naming()
    let upstream = upstream("u", "late.test")
    await naming.adopt([upstream], server)
    #expect(addresses(upstream).isEmpty)
    #expect(naming.events == ["late.test: the name does not exist"])
    try server.replaceHosts(["127.0.0.2 late.test"])
    #expect(await naming.thread.eventually { addresses(upstream) == ["127.0.0.2:80"] })
    #expect(naming.events == ["late.test: the name does not exist", "late.test: [\"127.0.0.2\"]"])
    await naming.stop()
  }

  @Test func `the last answer stays in force while DNS is silent`() async throws {
    let server = try NameServer(hosts: ["127.0.0.2 a.test"])
    defer { server.stop() }
    let naming = try Naming()
    let first = upstream("u", "a.test")
    await naming.adopt([first], server)
    server.freeze()
    #expect(await naming.thread.eventually { naming.events.contains("a.test: no DNS server answered in time") })
    #expect(addresses(first) == ["127.0.0.2:80"])
    // Nor does a reload lose it, of an upstream that changes, of another one, or of one that comes back.
    let next = upstream("u", "a.test", previous: first, balance: .leastRequest)
    let other = upstream("v", "a.test")
    await naming.adopt([next, other], server)
    #expect(addresses(next) == ["127.0.0.2:80"] && addresses(other) == ["127.0.0.2:80"])
    await naming.adopt([], server)
    await naming.adopt([first], server, patience: 1)
    #expect(addresses(first) == ["127.0.0.2:80"])
    await naming.stop()
  }

  @Test func `a silent server holds a configuration up no longer than it may`() async throws {
    let server = try NameServer()
    defer { server.stop() }
    server.freeze()
    let naming = try Naming()
    let upstream = upstream("u", "a.test")
    await naming.adopt([upstream], server, patience: 1_000_000)
    #expect(addresses(upstream).isEmpty)
    await naming.stop()
  }

  @Test func `many names are resolved, however few at a time`() async throws {
    let server = try NameServer(hosts: (1...300).map { "127.1.\($0 / 250).\($0 % 250) h\($0).test" })
    defer { server.stop() }
    let naming = try Naming()
    let upstreams = (1...300).map { upstream("u\($0)", "h\($0).test") }
    await naming.adopt(upstreams, server)
    #expect(await naming.thread.eventually { upstreams.allSatisfy { addresses($0).count == 1 } })
    await naming.stop()
  }

  @Test func `a name of the hosts file needs no server`() async throws {
    let server = try NameServer()
    server.stop()
    let naming = try Naming()
    let upstream = upstream("u", "localhost")
    await naming.adopt([upstream], server)
    #expect(addresses(upstream).contains("127.0.0.1:80"))
    await naming.stop()
  }
}
