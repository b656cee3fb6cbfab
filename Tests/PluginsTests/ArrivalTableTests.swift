import Kernel
import Synchronization
import Testing

@testable import Plugins

@Suite struct ArrivalTableTests {
  /// A table of 512 sets; the set of a hash begins at its bit 20.
  private func table() throws -> ArrivalTable { try ArrivalTable(keys: 1024) }
  private func key(_ number: UInt64, set: UInt64 = 5) -> UInt64 { number << 40 | set << 20 }

  private func admits(
    _ table: ArrivalTable, _ key: UInt64, at now: UInt64, interval: UInt64 = 100, burst: UInt64 = 4
  ) -> Bool {
    if case .admitted = table.charge(key, now: now, interval: interval, tolerance: burst * interval) { return true }
    return false
  }

  @Test func `a burst passes, then one request for each interval`() throws {
    let table = try table()
    #expect((0..<10).map { _ in admits(table, key(1), at: 1000) }.filter(\.self).count == 4)
    #expect(!admits(table, key(1), at: 1099))
    #expect(admits(table, key(1), at: 1100))
    #expect(!admits(table, key(1), at: 1199))
    #expect(admits(table, key(1), at: 1250))
    #expect(!admits(table, key(1), at: 1299))
    // Half an interval was saved.
    #expect(admits(table, key(1), at: 1300))
    #expect(admits(table, key(2), at: 1300))
  }

  @Test func `a rest fills the bucket, and not beyond`() throws {
    let table = try table()
    for _ in 0..<4 { #expect(admits(table, key(1), at: 1000)) }
    #expect((0..<10).map { _ in admits(table, key(1), at: 1_000_000) }.filter(\.self).count == 4)
  }

  @Test(arguments: [1, 7, 30]) func `the rate times the time and the burst are admitted, whatever is offered`(
    step: UInt64
  ) throws {
    let table = try table()
    var admitted = 0
    for now in stride(from: UInt64(1000), to: 301_000, by: Int(step)) where admits(table, key(1), at: now) {
      admitted += 1
    }
    #expect((3002...3004).contains(admitted))
  }

  @Test func `a refusal and an admission say when the bucket will be full`() throws {
    let table = try table()
    #expect(table.charge(key(1), now: 1000, interval: 100, tolerance: 200) == .admitted(1100, evicted: 0))
    #expect(table.charge(key(1), now: 1010, interval: 100, tolerance: 200) == .admitted(1200, evicted: 0))
    #expect(table.charge(key(1), now: 1020, interval: 100, tolerance: 200) == .refused(1200))
  }

  @Test func `a key whose bucket is full makes room`() throws {
    let table = try table()
    for round in 0..<100 as Range<UInt64> {
      for number in 1...8 as ClosedRange<UInt64> {
        let charge = table.charge(
          key(round * 8 + number), now: 1000 + round * 100, interval: 100, tolerance: 400)
        #expect(charge == .admitted(1100 + round * 100, evicted: 0))
      }
    }
  }

  @Test func `of a full set the key is given up that has used least`() throws {
    let table = try table()
    for number in 1...8 as ClosedRange<UInt64> {
      for _ in 0..<(number == 3 ? 1 : 4) { #expect(admits(table, key(number), at: 1000)) }
    }
    #expect(table.charge(key(9), now: 1000, interval: 100, tolerance: 400) == .admitted(1100, evicted: 1))
    for number in [1, 2, 4, 5, 6, 7, 8] as [UInt64] { #expect(!admits(table, key(number), at: 1000)) }
    // It begins anew, with what it had used given back.
    #expect(table.charge(key(3), now: 1000, interval: 100, tolerance: 400) == .admitted(1100, evicted: 1))
  }

  @Test func `keys that an attacker makes up do not drive out a busy one`() throws {
    let table = try table()
    for _ in 0..<4 { #expect(admits(table, key(1), at: 1000)) }
    // All in its set, which nobody could aim at, with three requests each.
    for number in 2..<5000 as Range<UInt64> {
      for _ in 0..<3 { _ = admits(table, key(number), at: 1000) }
    }
    #expect(!admits(table, key(1), at: 1000))
    // Eight of them that used as much as it did can.
    for number in 10_000..<10_008 as Range<UInt64> {
      for _ in 0..<4 { _ = admits(table, key(number), at: 1001) }
    }
    #expect(admits(table, key(1), at: 1001))
  }

  @Test func `a million keys fit into far less than 200 MiB`() throws {
    let table = try ArrivalTable(keys: 1 << 20)
    #expect(table.size == 64 << 20)
    var random = SplitMix(seed: 1)
    var lost = 0
    for _ in 0..<1_000_000 {
      if case .admitted(_, let evicted) = table.charge(random.next(), now: 1, interval: 100, tolerance: 100) {
        lost += evicted
      }
    }
    #expect(lost < 300)
    random = SplitMix(seed: 1)
    var forgotten = 0
    for _ in 0..<1_000_000 {
      if case .admitted = table.charge(random.next(), now: 1, interval: 100, tolerance: 100) { forgotten += 1 }
    }
    #expect(forgotten < 1000)
  }

  @Test func `threads together admit what one would`() throws {
    let table = try table()
    let admitted = Atomic(0)
    let hot = Atomic(0)
    try inThreads(4) { _ in
      for _ in 0..<5_000 where admits(table, key(1, set: 1), at: 1000, burst: 3_000) {
        hot.add(1, ordering: .relaxed)
      }
      for number in 1...2_000 as ClosedRange<UInt64> {
        for _ in 0..<5 where admits(table, key(number, set: number % 512), at: 1000, burst: 5) {
          admitted.add(1, ordering: .relaxed)
        }
      }
    }
    // A key that is in use is exact.
    #expect(hot.load(ordering: .relaxed) == 3_000)
    // Where threads bring in several new keys of one set at the same moment, a request more or less may count.
    #expect((9_980...10_020).contains(admitted.load(ordering: .relaxed)))
  }

  private func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    var threads: [Thread] = []
    for index in 0..<count { threads.append(try Thread.start(name: "charger") { body(index) }) }
    for thread in threads { thread.join() }
  }
}
