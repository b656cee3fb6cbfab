import Kernel
import Testing

@testable import Engine

@Suite struct OverloadMeterTests {
  private static let ms = 1_000_000
  private var settings = OverloadSettings()

  init() {
    settings.queueDelay = 10 * Self.ms
    settings.interval = 100 * Self.ms
  }

  /// Runs turns of this length, each with several exchanges, for so long; the time afterwards.
  @discardableResult
  private func run(_ meter: inout OverloadMeter, from: Int, turns length: Int, for duration: Int) -> Int {
    var now = from
    while now < from + duration {
      for part in 1...4 { meter.observe(ended: now + length * part / 4, turn: now) }
      now += length
    }
    return now
  }

  /// How many of so many requests are refused.
  private func shed(_ meter: inout OverloadMeter, _ priority: Priority, now: Int, of count: Int = 100) -> Int {
    var shed = 0
    for _ in 0..<count where meter.sheds(priority, now: now) { shed += 1 }
    return shed
  }

  @Test func `a worker whose turns are short sheds nothing`() {
    var meter = OverloadMeter(settings)
    run(&meter, from: 0, turns: 5 * Self.ms, for: 60_000 * Self.ms)
    #expect(!meter.isShedding)
    let shed1 = shed(&meter, .background, now: 60_000 * Self.ms)
    #expect(shed1 == 0)
  }

  @Test func `long turns with a short one now and then are bursts, not a queue`() {
    var meter = OverloadMeter(settings)
    var now = 0
    for _ in 0..<1000 {
      now = run(&meter, from: now, turns: 40 * Self.ms, for: 60 * Self.ms)
      now = run(&meter, from: now, turns: 1 * Self.ms, for: 1 * Self.ms)
    }
    #expect(!meter.isShedding)
  }

  @Test func `one exchange that takes long by itself is no queue`() {
    var meter = OverloadMeter(settings)
    for turn in 0..<1000 { meter.observe(ended: (turn * 50 + 49) * Self.ms, turn: turn * 50 * Self.ms) }
    #expect(!meter.isShedding)
  }

  @Test func `a standing queue raises the pressure, background first, then normal, critical last`() {
    var meter = OverloadMeter(settings)
    var now = run(&meter, from: 0, turns: 20 * Self.ms, for: 550 * Self.ms)
    #expect(meter.pressure > 0 && meter.pressure < 1)
    let shed2 = shed(&meter, .background, now: now)
    #expect(shed2 > 0)
    let shed3 = shed(&meter, .normal, now: now)
    #expect(shed3 == 0)
    now = run(&meter, from: now, turns: 20 * Self.ms, for: 650 * Self.ms)
    #expect(meter.pressure > 1 && meter.pressure < 2)
    let shed4 = shed(&meter, .background, now: now)
    #expect(shed4 == 100)
    let shed5 = shed(&meter, .normal, now: now)
    #expect(shed5 > 0)
    let shed6 = shed(&meter, .critical, now: now)
    #expect(shed6 == 0)
    now = run(&meter, from: now, turns: 200 * Self.ms, for: 20_000 * Self.ms)
    let shed7 = shed(&meter, .normal, now: now)
    #expect(shed7 == 100)
  }

  @Test func `a share is taken evenly`() {
    var meter = OverloadMeter(settings)
    var now = 0
    while meter.pressure < 0.5 { now = run(&meter, from: now, turns: 20 * Self.ms, for: 20 * Self.ms) }
    let share = meter.pressure
    let refused = shed(&meter, .background, now: now, of: 1000)
    #expect(abs(Double(refused) - 1000 * share) <= 1)
  }

  @Test func `when the queue is gone the pressure falls to nothing`() {
    var meter = OverloadMeter(settings)
    var now = run(&meter, from: 0, turns: 20 * Self.ms, for: 2000 * Self.ms)
    #expect(meter.isShedding)
    now = run(&meter, from: now, turns: 1 * Self.ms, for: 5000 * Self.ms)
    #expect(!meter.isShedding)
  }

  @Test func `the request after a long silence is not refused for what was before`() {
    var meter = OverloadMeter(settings)
    let now = run(&meter, from: 0, turns: 20 * Self.ms, for: 2000 * Self.ms)
    #expect(meter.isShedding)
    let shed8 = shed(&meter, .background, now: now + 60_000 * Self.ms)
    #expect(shed8 == 0)
    #expect(!meter.isShedding)
  }

  @Test func `a queue that lasts through it never makes less of the pressure, nor more than all`() {
    var meter = OverloadMeter(settings)
    var (now, last) = (0, 0.0)
    for _ in 0..<200 {
      now = run(&meter, from: now, turns: 30 * Self.ms, for: 90 * Self.ms)
      #expect(meter.pressure >= last && meter.pressure <= 3)
      last = meter.pressure
    }
    #expect(last == 3)
  }

  @Test func `turned off it refuses nothing`() {
    var off = settings
    off.isOn = false
    var meter = OverloadMeter(off)
    let now = run(&meter, from: 0, turns: 90 * Self.ms, for: 10_000 * Self.ms)
    let shed9 = shed(&meter, .background, now: now)
    #expect(!meter.isShedding && shed9 == 0)
  }
}
