import Foreign
import Testing

@testable import Engine

/// What is borne of a client, and what not.
@Suite struct HTTP2ConductTests {
  private static let second = 1_000_000_000

  @Test func `resets are borne up to the allowance, whoever sends them`() {
    var conduct = HTTP2Conduct(resets: 20, now: 0)
    var tally = HTTP2Tally()
    tally.resetsReceived = 12
    tally.resetsProvoked = 8
    #expect(conduct.judge(tally, now: 0) == nil)
    tally.resetsReceived += 1
    #expect(conduct.judge(tally, now: 0) == .resets)
  }

  @Test func `a tenth of the resets is granted anew each second`() {
    var conduct = HTTP2Conduct(resets: 20, now: 0)
    var tally = HTTP2Tally()
    tally.resetsReceived = 20
    #expect(conduct.judge(tally, now: 0) == nil)
    tally.resetsReceived += 2
    #expect(conduct.judge(tally, now: Self.second) == nil)
    tally.resetsReceived += 1
    #expect(conduct.judge(tally, now: Self.second) == .resets)
  }

  @Test func `the allowance never exceeds what it began with`() {
    var conduct = HTTP2Conduct(resets: 20, now: 0)
    var tally = HTTP2Tally()
    tally.resetsReceived = 21
    #expect(conduct.judge(tally, now: 1000 * Self.second) == .resets)
  }

  @Test func `window updates are borne as answers to content`() {
    var conduct = HTTP2Conduct(resets: 20, now: 0)
    var tally = HTTP2Tally()
    for _ in 0..<10_000 {
      tally.dataSent += 1
      tally.windowUpdates += 2
      #expect(conduct.judge(tally, now: 0) == nil)
    }
    tally.windowUpdates += 1001
    #expect(conduct.judge(tally, now: 0) == .idleFrames)
  }

  @Test func `heads that are too long are borne up to a mebibyte too much`() {
    var conduct = HTTP2Conduct(resets: 20, now: 0)
    var tally = HTTP2Tally()
    tally.excess = 1 << 20
    #expect(conduct.judge(tally, now: 0) == nil)
    tally.excess += 1 << 17
    #expect(conduct.judge(tally, now: 2 * Self.second) == nil)
    tally.excess += 1 << 20
    #expect(conduct.judge(tally, now: 2 * Self.second) == .longHeads)
  }

  @Test func `frames that carry nothing are borne in small numbers`() {
    var conduct = HTTP2Conduct(resets: 20, now: 0)
    var tally = HTTP2Tally()
    for moment in 0..<1000 {
      tally.idle += 10
      #expect(conduct.judge(tally, now: moment * Self.second / 10) == nil)
    }
    tally.idle += 1001
    #expect(conduct.judge(tally, now: 100 * Self.second) == .idleFrames)
  }
}
