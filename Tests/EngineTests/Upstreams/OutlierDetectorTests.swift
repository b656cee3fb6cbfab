import Kernel
import Testing

@testable import Engine

@Suite struct OutlierDetectorTests {
  private func set(_ count: Int, failures: Int? = 3, previous: TargetSet? = nil) -> TargetSet {
    let entries = (0..<count).map { index in
      TargetEntry(name: "t\(index)", addresses: [.ip(IPAddress(v4: 0x7F00_0001), port: UInt16(9000 + index))])
    }
    return TargetSet(entries, limits: nil, failures: failures, previous: previous)
  }

  @Test func `only failures in a row make an outlier`() {
    let detector = OutlierDetector(threshold: 3)
    for _ in 0..<10 {
      #expect(!detector.recordFailure())
      #expect(!detector.recordFailure())
      detector.recordSuccess()
    }
    #expect(!detector.recordFailure())
    #expect(!detector.recordFailure())
    #expect(detector.recordFailure())
    #expect(!detector.recordFailure())
  }

  @Test func `a target is out for its time, and then in again`() {
    let set = set(2)
    let settings = OutlierSettings(consecutiveFailures: 3, ejectFor: 100, maximum: 0.5)
    #expect(set.targets[0].isIn(now: 5))
    #expect(set.eject(set.targets[0], by: settings, now: 5))
    #expect(!set.targets[0].isIn(now: 5))
    #expect(!set.targets[0].isIn(now: 104))
    #expect(set.targets[0].isIn(now: 105))
    #expect(set.targets[1].isIn(now: 50))
  }

  @Test(arguments: [(1, 0.5, 0), (2, 0.5, 1), (3, 0.5, 1), (4, 0.5, 2), (3, 1, 3), (3, 0, 0), (1, 1, 1)])
  func `no more are out than may be`(targets: Int, maximum: Double, out: Int) {
    let set = set(targets)
    let settings = OutlierSettings(consecutiveFailures: 3, ejectFor: 100, maximum: maximum)
    #expect(set.targets.count { set.eject($0, by: settings, now: 0) } == out)
    #expect(set.targets.count { !$0.isIn(now: 1) } == out)
    // One that is back makes room.
    #expect(set.targets.reversed().count { set.eject($0, by: settings, now: 100) } == out)
  }

  @Test func `a target that stays keeps its state unless the threshold changes`() {
    let old = set(2)
    #expect(set(3, previous: old).targets[0].outlier === old.targets[0].outlier)
    #expect(set(3, failures: 4, previous: old).targets[0].outlier !== old.targets[0].outlier)
    #expect(set(3, failures: nil, previous: old).targets[0].outlier == nil)
  }
}

@Suite struct SlowStartTests {
  @Test func `a target that was never away has its whole share`() {
    var start = SlowStart()
    #expect(start.share(now: 0, length: 100) == 1)
  }

  @Test func `the share grows evenly from a tenth, from the first pick after the return`() {
    var start = SlowStart()
    start.left()
    #expect(start.share(now: 1000, length: 100) == 0.1)
    #expect(start.share(now: 1005, length: 100) == 0.1)
    #expect(start.share(now: 1050, length: 100) == 0.5)
    #expect(start.share(now: 1099, length: 100) == 0.99)
    #expect(start.share(now: 1100, length: 100) == 1)
    #expect(start.share(now: 1101, length: 100) == 1)
  }

  @Test func `one that leaves again begins again`() {
    var start = SlowStart()
    start.begin(now: 0)
    #expect(start.share(now: 80, length: 100) == 0.8)
    start.left()
    #expect(start.share(now: 90, length: 100) == 0.1)
  }
}
