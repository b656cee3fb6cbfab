import Configuration
import GatewayTesting
import Kernel
import Runtime
import Testing

@testable import Engine

/// An upstream and a prober on a loop of their own, with what was told.
private final class Probing: Sendable {
  let thread: LoopThread
  let upstream: Upstream
  private let prober: LoopBound<Prober>
  private let told = Lock<[String]>([])

  init(_ ports: [Int], _ check: HealthCheckSettings? = nil, mostAtOnce: Int = 64) throws {
    thread = try LoopThread()
    upstream = Upstream(
      UpstreamSettings(
        name: "u",
        targets: ports.map {
          TargetSettings(address: .host("127.0.0.1", port: $0), name: "t\($0)")
        }, healthCheck: check))
    let told = told
    let prober = Prober(thread.loop, mostAtOnce: mostAtOnce, random: SplitMix(seed: 7)) { event in
      switch event {
      case .targetOut(let upstream, let target, _): told.withLock { $0.append("\(upstream) \(target) out") }
      case .targetBack(let upstream, let target): told.withLock { $0.append("\(upstream) \(target) back") }
      default: Issue.record("\(event)")
      }
    }
    self.prober = LoopBound(prober, on: thread.loop)
  }

  var events: [String] { told.withLock { $0 } }
  var targets: [Target] { upstream.targets.targets }

  func on<Result: Sendable>(_ body: @escaping @Sendable (Prober) -> Result) async -> Result {
    let prober = prober
    return await thread.run { body(prober.here) }
  }

  /// Asks on the loop until it holds.
  func eventually(_ condition: @escaping @Sendable (Prober) -> Bool) async -> Bool {
    let prober = prober
    return await thread.eventually { condition(prober.here) }
  }

  func adopt() async {
    let upstream = upstream
    await on { $0.adopt([upstream]) }
  }

  /// As a worker does it.
  func eject(_ target: Target) async {
    #expect(target.health.eject() != nil)
    await on { $0.ejected(upstream: "u", target.health) }
  }

  func stop() async {
    await on { $0.stop() }
    thread.stop()
  }
}

@Suite struct ProberTests {
  private static let quick = HealthCheckSettings(
    path: "/healthz", interval: 50_000_000, timeout: 2_000_000_000, healthyAfter: 2, unhealthyAfter: 3)

  @Test func `a target that traffic took out comes back when it accepts connections again`() async throws {
    let port = Ports.free()
    let probing = try Probing([port])
    await probing.adopt()
    await probing.eject(probing.targets[0])
    let isLookedFor = await probing.thread.eventually { !probing.targets[0].health.isHealthy }
    #expect(isLookedFor)
    let origin = try Origin(on: Ports.loopback(port)) { $0.awaitEnd() }
    let isBack = await probing.thread.eventually { probing.targets[0].health.isHealthy }
    #expect(isBack)
    #expect(probing.events == ["u t\(port) back"])
    // A connect is all: nothing was asked. The kernel has made the connection before the origin takes it.
    let isAccepted = await probing.thread.eventually { origin.accepted == 1 }
    #expect(isAccepted)
    origin.stop()
    await probing.stop()
  }

  @Test func `a target that accepts connections and nothing more does not come and go all the time`() async throws {
    let origin = try Origin { $0.awaitEnd() }
    let probing = try Probing([origin.port])
    await probing.adopt()
    let target = probing.targets[0]
    for isFirst in [true, false, false] {
      let started = await probing.on { prober in
        #expect(target.health.eject() != nil)
        prober.ejected(upstream: "u", target.health)
        return prober.running
      }
      #expect(started == (isFirst ? 1 : 0))
      #expect(await probing.thread.eventually { target.health.isHealthy })
    }
    origin.stop()
    await probing.stop()
  }

  @Test func `without a health check a healthy target is never probed`() async throws {
    let idle = try Origin { $0.awaitEnd() }
    let busy = try Origin { $0.awaitEnd() }
    let probing = try Probing([idle.port, busy.port])
    await probing.adopt()
    await probing.eject(probing.targets.first { $0.address == busy.address }!)
    let isBack = await probing.thread.eventually { probing.targets.allSatisfy { $0.health.isHealthy } }
    #expect(isBack)
    #expect(idle.accepted == 0)
    idle.stop()
    busy.stop()
    await probing.stop()
  }

  @Test func `checks in a row take a target out and bring it back`() async throws {
    let isUp = Lock(false)
    let origin = try Origin { connection in
      _ = try connection.request()
      try connection.answer(isUp.withLock { $0 } ? "200 OK" : "503 Busy")
    }
    let probing = try Probing([origin.port], Self.quick)
    await probing.adopt()
    let target = probing.targets[0]
    #expect(await probing.thread.eventually { target.health.state == .unhealthy })
    #expect(origin.accepted >= 3)
    isUp.withLock { $0 = true }
    #expect(await probing.thread.eventually { target.health.isHealthy })
    #expect(probing.events == ["u t\(origin.port) out", "u t\(origin.port) back"])
    #expect(Set(origin.requests.map(\.startLine)) == ["GET /healthz HTTP/1.1"])
    #expect(origin.requests.first?["Host"] == "t\(origin.port)")
    origin.stop()
    await probing.stop()
  }

  @Test func `a target with a health check that traffic took out needs as many good answers`() async throws {
    let origin = try Origin.ok()
    let check = HealthCheckSettings(path: "/", interval: .hours(1), timeout: 2_000_000_000, healthyAfter: 3)
    let probing = try Probing([origin.port], check)
    await probing.adopt()
    await probing.eject(probing.targets[0])
    #expect(await probing.thread.eventually { probing.targets[0].health.isHealthy })
    #expect(origin.accepted >= 3)
    origin.stop()
    await probing.stop()
  }

  @Test func `only so many probes run at once`() async throws {
    let isOpen = Lock(false)
    let origin = try Origin { connection in
      _ = try connection.request()
      while !isOpen.withLock({ $0 }) { Pause.milliseconds(1) }
      try connection.answer()
    }
    var check = Self.quick
    check.timeout = 20_000_000_000
    let probing = try Probing([origin.port], check, mostAtOnce: 2)
    let many = Upstream(
      UpstreamSettings(
        name: "u",
        targets: (0..<9).map { TargetSettings(address: .host("127.0.0.1", port: origin.port), name: "t\($0)") },
        healthCheck: check))
    await probing.on { $0.adopt([many]) }
    #expect(await probing.eventually { $0.running == 2 && $0.queued == 7 })
    #expect(await probing.thread.eventually { origin.accepted == 2 })
    #expect(await probing.on { $0.queued } == 7)
    isOpen.withLock { $0 = true }
    #expect(await probing.thread.eventually { origin.accepted >= 18 })
    origin.stop()
    await probing.stop()
  }

  @Test func `targets of a configuration that is gone are left alone`() async throws {
    let origin = try Origin { _ = try $0.request() }
    let probing = try Probing([origin.port], Self.quick)
    await probing.adopt()
    #expect(await probing.thread.eventually { origin.accepted > 0 })
    await probing.on { $0.adopt([]) }
    #expect(await probing.thread.eventually { origin.openConnections == 0 })
    #expect(await probing.eventually { $0.running == 0 })
    let before = origin.accepted
    let events = probing.events
    let other = try Origin { _ = try $0.request() }
    let settings = UpstreamSettings(
      name: "other", targets: [TargetSettings(address: .host("127.0.0.1", port: other.port), name: "o")],
      healthCheck: Self.quick)
    await probing.on { $0.adopt([Upstream(settings)]) }
    #expect(await probing.thread.eventually { other.accepted > 4 })
    #expect(origin.accepted == before)
    #expect(probing.events.filter { $0.hasPrefix("u ") } == events)
    origin.stop()
    other.stop()
    await probing.stop()
  }

  @Test func `a target that was out before a reload is still looked for after it`() async throws {
    let origin = try Origin { $0.awaitEnd() }
    let probing = try Probing([origin.port])
    #expect(probing.targets[0].health.eject() != nil)
    var settings = probing.upstream.settings
    settings.retries.maximum = 7
    let next = Upstream(settings, previous: probing.upstream)
    #expect(next.targets.targets[0].health === probing.targets[0].health)
    await probing.on { $0.adopt([next]) }
    #expect(await probing.thread.eventually { next.targets.targets[0].health.isHealthy })
    origin.stop()
    await probing.stop()
  }
}
