import Kernel
import Testing

@testable import Engine

@Suite struct BalancerTests {
  /// Targets as a test sets them up.
  private struct Targets: BalancerTargets {
    var out: Set<Int> = []
    var loads: [Int: Int] = [:]
    func isEligible(_ index: Int) -> Bool { !out.contains(index) }
    func inFlight(_ index: Int) -> Int { loads[index] ?? 0 }
  }

  private func balancer(_ algorithm: Balancer.Algorithm, _ weights: [Int], seed: UInt64 = 1) -> Balancer {
    var random = SplitMix(seed: seed)
    let members = weights.enumerated().map { Balancer.Member(weight: $0.element, id: UInt64($0.offset)) }
    return Balancer(algorithm, members, random: &random)
  }

  /// How often each target was picked in `count` picks, with a new hash for each.
  private func counts(
    _ algorithm: Balancer.Algorithm, _ weights: [Int], _ targets: Targets = Targets(), of count: Int, seed: UInt64 = 1
  ) -> [Int] {
    var balancer = balancer(algorithm, weights, seed: seed)
    var random = SplitMix(seed: seed)
    var counts = Array(repeating: 0, count: weights.count)
    for _ in 0..<count {
      if let index = balancer.pick(among: targets, hash: random.next(), random: &random) { counts[index] += 1 }
    }
    return counts
  }

  @Test(arguments: Balancer.Algorithm.allCases)
  func `nothing is picked when no target is eligible`(algorithm: Balancer.Algorithm) {
    #expect(counts(algorithm, [], of: 10) == [])
    #expect(counts(algorithm, [1, 2], Targets(out: [0, 1]), of: 10) == [0, 0])
    #expect(counts(algorithm, [0, 0], of: 10) == [0, 0])
  }

  @Test(arguments: Balancer.Algorithm.allCases)
  func `the only eligible target is picked`(algorithm: Balancer.Algorithm) {
    #expect(counts(algorithm, [1], of: 10) == [10])
    #expect(counts(algorithm, [1, 5, 1], Targets(out: [1, 2]), of: 10) == [10, 0, 0])
    #expect(counts(algorithm, [1, 0], of: 10) == [10, 0])
  }

  @Test(arguments: Balancer.Algorithm.allCases)
  func `a target that was tried is not picked again`(algorithm: Balancer.Algorithm) {
    var random = SplitMix(seed: 3)
    var balancer = balancer(algorithm, [3, 2, 1])
    for _ in 0..<200 {
      var tried = TriedTargets()
      for _ in 0..<3 {
        let index = balancer.pick(among: Targets(), hash: 77, excluding: tried, random: &random)
        #expect(index.map { !tried.contains($0) } == true)
        tried.insert(index!)
      }
      #expect(balancer.pick(among: Targets(), hash: 77, excluding: tried, random: &random) == nil)
    }
  }

  @Test(arguments: [[1, 1], [2, 1], [5, 1, 1], [3, 0, 7, 2], [1, 1, 1, 1, 1, 1, 1, 1]], 0..<4 as Range<UInt64>)
  func `turns give every target its exact share in each round`(weights: [Int], seed: UInt64) {
    for algorithm in [Balancer.Algorithm.roundRobin, .leastRequest] {
      let round = weights.reduce(0, +)
      #expect(counts(algorithm, weights, of: round * 3, seed: seed) == weights.map { $0 * 3 })
    }
  }

  @Test func `turns are spread evenly and not bunched`() {
    var random = SplitMix(seed: 1)
    var balancer = balancer(.roundRobin, [5, 1, 1])
    let picks = (0..<28).map { _ in balancer.pick(among: Targets(), random: &random)! }
    for (first, second) in zip(picks, picks.dropFirst()) { #expect(first == 0 || second == 0) }
  }

  @Test func `workers do not all begin with the same target`() {
    let first = (0..<16).map { seed in
      var random = SplitMix(seed: 9)
      var balancer = balancer(.roundRobin, [1, 1, 1, 1], seed: UInt64(seed))
      return balancer.pick(among: Targets(), random: &random)!
    }
    #expect(Set(first).count > 1)
  }

  @Test func `while a target is out the others share by weight, and it comes back to its own share`() {
    var random = SplitMix(seed: 1)
    var balancer = balancer(.roundRobin, [4, 2, 1])
    func picks(_ targets: Targets, _ count: Int) -> [Int] {
      var counts = [0, 0, 0]
      for _ in 0..<count { counts[balancer.pick(among: targets, random: &random)!] += 1 }
      return counts
    }
    _ = picks(Targets(), 5)
    let without = picks(Targets(out: [0]), 300)
    #expect(without[0] == 0 && abs(without[1] - 200) <= 2)
    let with = picks(Targets(), 700)
    #expect(abs(with[0] - 400) <= 4 && abs(with[1] - 200) <= 4)
  }

  @Test func `the least busy for its weight is picked`() {
    let loads = Targets(loads: [0: 4, 1: 3, 2: 9])
    #expect(counts(.leastRequest, [1, 1, 1], loads, of: 10) == [0, 10, 0])
    #expect(counts(.leastRequest, [2, 1, 1], loads, of: 10) == [10, 0, 0])
    #expect(counts(.leastRequest, [2, 1, 9], loads, of: 10) == [0, 0, 10])
    #expect(counts(.leastRequest, [4, 3, 1], loads, of: 70) == [40, 30, 0])
  }

  @Test func `requests in flight settle in proportion to the weights`() {
    for algorithm in [Balancer.Algorithm.leastRequest, .randomTwo] {
      var random = SplitMix(seed: 5)
      var balancer = balancer(algorithm, [3, 1, 2])
      var targets = Targets()
      for _ in 0..<600 {
        let index = balancer.pick(among: targets, random: &random)!
        targets.loads[index, default: 0] += 1
      }
      for (index, share) in [(0, 300), (1, 100), (2, 200)] {
        #expect(abs(targets.loads[index]! - share) <= (algorithm == .leastRequest ? 1 : 15), "\(algorithm)")
      }
    }
  }

  @Test func `of two drawn at random the busiest of all is never taken`() {
    let loads = Targets(loads: [0: 5, 1: 5, 2: 6, 3: 5])
    let picks = counts(.randomTwo, [1, 1, 1, 1], loads, of: 4000)
    #expect(picks[2] == 0)
    for index in [0, 1, 3] { #expect(abs(picks[index] - 1333) < 150) }
  }

  @Test(arguments: [Balancer.Algorithm.randomTwo, .hash])
  func `random picks and hashes fall in proportion to the weights`(algorithm: Balancer.Algorithm) {
    let weights = [1, 2, 3, 10, 0, 4]
    let picks = counts(algorithm, weights, of: 40_000, seed: 8)
    for (weight, count) in zip(weights, picks) {
      let expected = Double(40_000 * weight) / 20
      #expect(abs(Double(count) - expected) <= 5 * expected.squareRoot(), "\(picks)")
    }
  }

  @Test func `without a hash picks are random by weight`() {
    var random = SplitMix(seed: 4)
    var balancer = balancer(.hash, [3, 1])
    var counts = [0, 0]
    for _ in 0..<8000 { counts[balancer.pick(among: Targets(), random: &random)!] += 1 }
    #expect(abs(counts[0] - 6000) < 200)
  }

  @Test func `one hash always leads to one target, in every worker`() {
    var random = SplitMix(seed: 4)
    var one = balancer(.hash, [1, 2, 3, 4], seed: 1)
    var other = balancer(.hash, [1, 2, 3, 4], seed: 2)
    for hash in 0..<500 as Range<UInt64> {
      let index = one.pick(among: Targets(loads: [0: 100]), hash: hash, random: &random)
      #expect(other.pick(among: Targets(), hash: hash, random: &random) == index)
    }
  }

  @Test func `when a target is out only its own hashes move, to all others by weight`() {
    var random = SplitMix(seed: 4)
    var balancer = balancer(.hash, [2, 1, 3, 2])
    var moved = [0, 0, 0, 0]
    for _ in 0..<20_000 {
      let hash = random.next()
      let before = balancer.pick(among: Targets(), hash: hash, random: &random)!
      let after = balancer.pick(among: Targets(out: [2]), hash: hash, random: &random)!
      if before == 2 { moved[after] += 1 } else { #expect(after == before) }
    }
    let total = moved.reduce(0, +)
    #expect(abs(total - 7500) < 400)
    #expect(moved[2] == 0 && abs(moved[0] - total * 2 / 5) < 200 && abs(moved[1] - total / 5) < 200)
  }

  @Test func `a target keeps its hashes wherever it stands in the list`() {
    var random = SplitMix(seed: 4)
    let members = (0..<6).map { Balancer.Member(weight: $0 + 1, id: UInt64($0) &* 0x1234_5678_9ABC) }
    var forwards = Balancer(.hash, members, random: &random)
    var backwards = Balancer(.hash, members.reversed(), random: &random)
    for hash in 0..<500 as Range<UInt64> {
      let index = forwards.pick(among: Targets(), hash: hash, random: &random)!
      #expect(backwards.pick(among: Targets(), hash: hash, random: &random) == 5 - index)
    }
  }

  @Test(arguments: [(1.0, 0.0), (2, 1), (8, 3), (3, 1.584_962_5), (1e6, 19.931_568_6), (1.844_674_407_370_955e19, 64)])
  func `the logarithm is near enough`(number: Double, expected: Double) {
    #expect(abs(RendezvousHash.log2(number) - expected) < 1e-6)
  }

  @Test func `the last ten targets are remembered as tried`() {
    var tried = TriedTargets()
    #expect(!tried.contains(0) && !tried.contains(-1))
    for index in 0..<12 { tried.insert(index) }
    #expect((0..<12).map { tried.contains($0) } == [false, false] + Array(repeating: true, count: 10))
  }
}
