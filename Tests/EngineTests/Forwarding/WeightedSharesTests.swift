import Kernel
import Testing

@testable import Engine

@Suite struct WeightedSharesTests {
  @Test func `hashes fall into shares in proportion`() {
    var random = SplitMix(seed: 1)
    let shares = WeightedShares([90, 0, 10])
    var counts = [0, 0, 0]
    for _ in 0..<10_000 { counts[shares.index(of: random.next())] += 1 }
    #expect(counts[1] == 0)
    #expect((800...1200).contains(counts[2]))
    #expect(shares.index(of: 0) == 0)
    #expect(shares.index(of: .max) == 2)
    #expect(shares.largest == 0)
  }

  @Test func `whoever was on the second side stays there while its share grows`() {
    var random = SplitMix(seed: 2)
    let small = WeightedShares([95, 5])
    let large = WeightedShares([80, 20])
    for _ in 0..<10_000 {
      let hash = random.next()
      if small.index(of: hash) == 1 { #expect(large.index(of: hash) == 1) }
    }
  }
}
