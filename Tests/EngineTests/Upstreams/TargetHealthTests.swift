import Testing

@testable import Engine

@Suite struct TargetHealthTests {
  private func check(_ probe: inout HealthProbe, _ results: Bool...) -> [TargetHealth.Transition?] {
    results.map { result in
      probe.begin()
      return probe.record(success: result)
    }
  }

  @Test func `an ejection takes it out at once and is told once`() {
    let health = TargetHealth()
    #expect(health.isHealthy)
    #expect(health.eject() == TargetHealth.Transition(from: .healthy, to: .ejected))
    #expect(health.eject() == nil)
    #expect(health.state == .ejected && !health.isHealthy)
  }

  @Test func `enough successes in a row bring it back`() {
    let health = TargetHealth()
    var probe = HealthProbe(of: health, healthyAfter: 2, unhealthyAfter: 3)
    _ = health.eject()
    #expect(
      check(&probe, true, false, true, true) == [
        nil, nil, nil, TargetHealth.Transition(from: .ejected, to: .healthy),
      ])
    #expect(check(&probe, true) == [nil])
  }

  @Test func `enough failures in a row take it out`() {
    let health = TargetHealth()
    var probe = HealthProbe(of: health, healthyAfter: 2, unhealthyAfter: 3)
    #expect(check(&probe, false, false, true, false, false) == [nil, nil, nil, nil, nil])
    #expect(check(&probe, false) == [TargetHealth.Transition(from: .healthy, to: .unhealthy)])
    #expect(check(&probe, false, true) == [nil, nil])
    #expect(check(&probe, true) == [TargetHealth.Transition(from: .unhealthy, to: .healthy)])
  }

  @Test func `successes from before an ejection do not undo it`() {
    let health = TargetHealth()
    var probe = HealthProbe(of: health, healthyAfter: 2, unhealthyAfter: 3)
    #expect(check(&probe, true, true) == [nil, nil])
    _ = health.eject()
    #expect(check(&probe, true) == [nil])
    #expect(health.state == .ejected)
    #expect(check(&probe, true) == [TargetHealth.Transition(from: .ejected, to: .healthy)])
  }

  @Test func `a probe that was under way when it was ejected does not undo it`() {
    let health = TargetHealth()
    var probe = HealthProbe(of: health, healthyAfter: 1, unhealthyAfter: 1)
    probe.begin()
    _ = health.eject()
    #expect(probe.record(success: true) == nil)
    #expect(health.state == .ejected)
    #expect(check(&probe, true) == [TargetHealth.Transition(from: .ejected, to: .healthy)])
  }

  @Test func `each reason keeps it out alone`() {
    let health = TargetHealth()
    var probe = HealthProbe(of: health, healthyAfter: 1, unhealthyAfter: 1)
    _ = health.eject()
    #expect(check(&probe, false) == [TargetHealth.Transition(from: .ejected, to: .unhealthy)])
    #expect(health.drain() == TargetHealth.Transition(from: .unhealthy, to: .draining))
    #expect(check(&probe, true) == [nil])
    #expect(health.drain(false) == TargetHealth.Transition(from: .draining, to: .healthy))
    #expect(health.drain(false) == nil)
  }

  @Test func `numbers below one count as one`() {
    let health = TargetHealth()
    var probe = HealthProbe(of: health, healthyAfter: 0, unhealthyAfter: 0)
    #expect(check(&probe, false, true).map { $0?.to } == [.unhealthy, .healthy])
  }

  @Test func `of many threads that eject it one is told`() async {
    for _ in 0..<200 {
      let health = TargetHealth()
      let told = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<4 { group.addTask { health.eject() != nil } }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(told == 1)
    }
  }
}
