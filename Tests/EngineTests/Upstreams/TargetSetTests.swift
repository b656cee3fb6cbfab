import Kernel
import Testing

@testable import Engine

@Suite struct TargetSetTests {
  private let limits = CircuitBreakerLimits(
    failureRatio: 0.5, minimumRequests: 1, window: 1_000_000_000, openFor: 1_000_000_000, halfOpenRequests: 1)

  private func address(_ last: UInt32, port: UInt16 = 80) -> SocketAddress {
    .ip(IPAddress(v4: 0x7F00_0000 | last), port: port)
  }

  @Test func `every address of every entry is a target`() {
    let set = TargetSet(
      [
        TargetEntry(name: "a:80", addresses: [address(1), address(2), address(1)]),
        TargetEntry(name: "unix:/run/b", addresses: [.unix(path: "/run/b")]),
        TargetEntry(name: "gone:80", addresses: []),
      ], limits: nil)
    #expect(set.targets.map(\.name) == ["a:80", "a:80", "unix:/run/b"])
    #expect(Set(set.targets.map(\.address)) == [address(1), address(2), .unix(path: "/run/b")])
    #expect(set.targets.allSatisfy { $0.breaker == nil && $0.health.isHealthy })
    #expect(Set(set.members.map(\.id)).count == 3)
  }

  @Test func `an entry's weight is shared by its addresses`() {
    let set = TargetSet(
      [
        TargetEntry(name: "a:80", weight: 2, addresses: [address(1), address(2)]),
        TargetEntry(name: "b:80", weight: 3, addresses: [address(3)]),
        TargetEntry(name: "c:80", weight: 1_000_000_000, addresses: [address(4)]),
      ], limits: nil)
    let weights = set.members.map(\.weight)
    #expect(weights[0] == weights[1])
    #expect(weights[2] == 3 * weights[0])
    #expect(weights[3] <= Balancer.maximumWeight)
    let crowded = TargetSet(
      [TargetEntry(name: "a:80", addresses: (1...5000).map { address($0) })], limits: nil)
    #expect(crowded.members.allSatisfy { $0.weight == 1 })
  }

  @Test func `the order of a DNS answer does not matter`() {
    let forwards = TargetEntry(name: "a:80", addresses: [address(1), address(2), address(3)])
    let backwards = TargetEntry(name: "a:80", addresses: [address(3), address(2), address(1)])
    let set = TargetSet([forwards], limits: limits)
    #expect(set.isCurrent(for: [backwards]))
    #expect(set.targets.map(\.address) == TargetSet([backwards], limits: nil).targets.map(\.address))
    #expect(!set.isCurrent(for: [TargetEntry(name: "a:80", addresses: [address(1), address(2)])]))
    #expect(!set.isCurrent(for: [TargetEntry(name: "a:80", weight: 2, addresses: forwards.addresses)]))
    #expect(!set.isCurrent(for: [TargetEntry(name: "b:80", addresses: forwards.addresses)]))
  }

  @Test func `a target that stays keeps its health, breaker and id`() {
    let old = TargetSet([TargetEntry(name: "a:80", addresses: [address(1), address(2)])], limits: limits)
    let new = TargetSet(
      [TargetEntry(name: "a:80", weight: 5, addresses: [address(2), address(3)])], limits: limits, previous: old)
    let before = old.targets.first { $0.address == address(2) }!
    let after = new.targets.first { $0.address == address(2) }!
    #expect(before.health === after.health)
    #expect(before.breaker === after.breaker)
    #expect(before.id == after.id)
    #expect(before.weight != after.weight)
    #expect(old.targets(missingIn: new).map(\.address) == [address(1)])
    #expect(new.targets(missingIn: old).map(\.address) == [address(3)])
  }

  @Test func `new limits mean new breakers but the same health`() {
    let entries = [TargetEntry(name: "a:80", addresses: [address(1)])]
    let old = TargetSet(entries, limits: limits)
    var changed = limits
    changed.openFor = 1
    let new = TargetSet(entries, limits: changed, previous: old)
    #expect(new.targets[0].breaker !== old.targets[0].breaker)
    #expect(new.targets[0].health === old.targets[0].health)
    #expect(TargetSet(entries, limits: nil, previous: old).targets[0].breaker == nil)
  }

  @Test func `names that share an address are different targets`() {
    let set = TargetSet(
      [TargetEntry(name: "a:80", addresses: [address(1)]), TargetEntry(name: "b:80", addresses: [address(1)])],
      limits: limits)
    #expect(set.targets.count == 2)
    #expect(set.targets[0].health !== set.targets[1].health)
  }

  @Test func `it is open when all its breakers are`() {
    let set = TargetSet([TargetEntry(name: "a:80", addresses: [address(1), address(2)])], limits: limits)
    #expect(!TargetSet([], limits: limits).isOpen)
    #expect(!set.isOpen)
    for (index, target) in set.targets.enumerated() {
      guard let breaker = target.breaker, case .admitted(let pass) = breaker.admit(now: 0) else {
        Issue.record("closed breaker refused")
        return
      }
      breaker.record(.failure, pass, now: 0)
      #expect(set.isOpen == (index == 1))
    }
  }
}
