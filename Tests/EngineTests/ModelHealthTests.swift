import Testing

@testable import Engine

struct ModelHealthTests {
  private let health = ModelHealth()

  private func keys(_ keys: [String], _ count: Int, model: String = "m", now: Int = 0) -> [ModelHealth.KeyChoice] {
    (0..<count).map { _ in health.key(of: keys, for: model, now: now) }
  }

  @Test func `keys are used in turn`() {
    #expect(Set(keys(["a", "b", "c"], 3).map { "\($0)" }).count == 3)
    #expect(health.key(of: [], for: "m", now: 0) == .keyless)
  }

  @Test func `a key that one model bars is used for others`() {
    health.block("a", for: "m", until: 100, now: 0)
    #expect(keys(["a", "b"], 3) == [.key("b"), .key("b"), .key("b")])
    #expect(keys(["a", "b"], 4, model: "n").contains(.key("a")))
    #expect(keys(["a", "b"], 4, now: 100).contains(.key("a")))
  }

  @Test func `where all keys are barred it is known until when`() {
    health.block("a", for: nil, until: 300, now: 0)
    health.block("b", for: "m", until: 200, now: 0)
    #expect(health.key(of: ["a", "b"], for: "m", now: 0) == .none(until: 200))
    #expect(health.key(of: ["a", "b"], for: "n", now: 0) == .key("b"))
    // A later hint that is shorter takes nothing back.
    health.block("b", for: "m", until: 50, now: 0)
    #expect(health.key(of: ["a", "b"], for: "m", now: 100) == .none(until: 200))
  }

  @Test func `names that clients make up are not kept without bound`() {
    for number in 0..<10_000 { health.block("a", for: "x\(number)", until: 100, now: 0) }
    #expect(health.key(of: ["a"], for: "x9999", now: 0) == .key("a"))
    // Those have passed by now, and make room.
    health.block("a", for: "y", until: 300, now: 200)
    #expect(health.key(of: ["a"], for: "y", now: 200) == .none(until: 300))
  }
}
