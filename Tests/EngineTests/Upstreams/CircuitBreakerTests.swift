import Kernel
import Synchronization
import Testing

@testable import Engine

private let second = 1_000_000_000

@Suite struct CircuitBreakerTests {
  private func breaker(halfOpenRequests: Int = 3) -> CircuitBreaker {
    CircuitBreaker(
      CircuitBreakerLimits(
        failureRatio: 0.5, minimumRequests: 10, window: 10 * second, openFor: 5 * second,
        halfOpenRequests: halfOpenRequests))
  }

  /// Sends requests of one outcome through a closed breaker; the last result's transition.
  @discardableResult
  private func send(_ count: Int, _ outcome: CircuitBreaker.Outcome, to breaker: CircuitBreaker, now: Int)
    -> CircuitBreaker.State?
  {
    var last: CircuitBreaker.State?
    for _ in 0..<count {
      guard case .admitted(let pass) = breaker.admit(now: now) else { return last }
      last = breaker.record(outcome, pass, now: now)
    }
    return last
  }

  private func probe(_ breaker: CircuitBreaker, now: Int) -> CircuitBreaker.Pass? {
    if case .probe(let pass, _) = breaker.admit(now: now) { pass } else { nil }
  }

  @Test func `it opens at the failure that reaches the ratio, not before the minimum of requests`() {
    let breaker = breaker()
    #expect(send(9, .failure, to: breaker, now: 1) == nil)
    #expect(breaker.state == .closed)
    #expect(send(1, .failure, to: breaker, now: 2) == .open)
    #expect(breaker.state == .open)
    #expect(!breaker.wouldAdmit(now: 2))
  }

  @Test func `it stays closed below the ratio`() {
    let breaker = breaker()
    for turn in 0..<100 {
      send(2, .success, to: breaker, now: turn)
      #expect(send(1, .failure, to: breaker, now: turn) == nil)
    }
    #expect(breaker.state == .closed)
    send(99, .failure, to: breaker, now: 100)
    #expect(breaker.state == .closed)
    #expect(send(1, .failure, to: breaker, now: 100) == .open)
  }

  @Test func `failures that have left the window do not count`() {
    let breaker = breaker()
    send(9, .failure, to: breaker, now: 0)
    send(1, .failure, to: breaker, now: 10 * second)
    #expect(breaker.state == .closed)
    send(8, .failure, to: breaker, now: 19 * second)
    #expect(breaker.state == .closed)
    send(1, .failure, to: breaker, now: 19 * second)
    #expect(breaker.state == .open)
  }

  @Test func `abandoned requests count for nothing while closed`() {
    let breaker = breaker()
    send(50, .abandoned, to: breaker, now: 0)
    send(9, .failure, to: breaker, now: 0)
    #expect(breaker.state == .closed)
    #expect(send(1, .failure, to: breaker, now: 0) == .open)
  }

  @Test func `open it refuses until its time is over, then lets a limited number of probes through`() {
    let breaker = breaker()
    send(10, .failure, to: breaker, now: second)
    #expect(breaker.admit(now: second) == .refused(until: 6 * second))
    #expect(breaker.admit(now: 6 * second - 1) == .refused(until: 6 * second))
    #expect(breaker.wouldAdmit(now: 6 * second))
    guard case .probe(_, beginsHalfOpen: true) = breaker.admit(now: 6 * second) else {
      Issue.record("no first probe")
      return
    }
    #expect(breaker.state == .halfOpen)
    for _ in 0..<2 {
      guard case .probe(_, beginsHalfOpen: false) = breaker.admit(now: 6 * second) else {
        Issue.record("no further probe")
        return
      }
    }
    #expect(breaker.admit(now: 6 * second) == .refused(until: 11 * second))
    #expect(!breaker.wouldAdmit(now: 6 * second))
  }

  @Test func `it closes when all probes succeed, with an empty window`() throws {
    let breaker = breaker()
    send(10, .failure, to: breaker, now: 0)
    let probes = try (0..<3).map { _ in try #require(probe(breaker, now: 5 * second)) }
    #expect(breaker.record(.success, probes[0], now: 5 * second) == nil)
    #expect(breaker.record(.success, probes[1], now: 5 * second) == nil)
    #expect(breaker.state == .halfOpen)
    #expect(breaker.record(.success, probes[2], now: 5 * second) == .closed)
    #expect(send(9, .failure, to: breaker, now: 5 * second) == nil)
    #expect(send(1, .failure, to: breaker, now: 5 * second) == .open)
  }

  @Test func `one failed probe opens it again for the whole time`() throws {
    let breaker = breaker()
    send(10, .failure, to: breaker, now: 0)
    let probes = try (0..<3).map { _ in try #require(probe(breaker, now: 5 * second)) }
    breaker.record(.success, probes[0], now: 6 * second)
    #expect(breaker.record(.failure, probes[1], now: 6 * second) == .open)
    #expect(breaker.record(.failure, probes[2], now: 7 * second) == nil)
    #expect(breaker.admit(now: 8 * second) == .refused(until: 11 * second))
    #expect(probe(breaker, now: 11 * second) != nil)
  }

  @Test func `an abandoned probe frees its place`() throws {
    let breaker = breaker(halfOpenRequests: 1)
    send(10, .failure, to: breaker, now: 0)
    let first = try #require(probe(breaker, now: 5 * second))
    #expect(probe(breaker, now: 5 * second) == nil)
    #expect(breaker.record(.abandoned, first, now: 5 * second) == nil)
    let next = try #require(probe(breaker, now: 5 * second + 1))
    #expect(breaker.record(.success, next, now: 5 * second + 2) == .closed)
  }

  @Test func `a probe that never reports back is given up after a while`() throws {
    let breaker = breaker()
    send(10, .failure, to: breaker, now: 0)
    let probes = try (0..<3).map { _ in try #require(probe(breaker, now: 5 * second)) }
    breaker.record(.success, probes[0], now: 5 * second)
    breaker.record(.success, probes[1], now: 5 * second)
    #expect(breaker.admit(now: 10 * second - 1) == .refused(until: 10 * second))
    #expect(breaker.wouldAdmit(now: 10 * second))
    let late = try #require(probe(breaker, now: 10 * second))
    #expect(probe(breaker, now: 10 * second) == nil)
    #expect(breaker.record(.success, late, now: 10 * second) == .closed)
    #expect(breaker.record(.success, probes[2], now: 10 * second) == nil)
    #expect(breaker.state == .closed)
  }

  @Test func `results from before it opened say nothing about later`() throws {
    let breaker = breaker()
    guard case .admitted(let old) = breaker.admit(now: 0) else {
      Issue.record("closed breaker refused")
      return
    }
    send(10, .failure, to: breaker, now: 0)
    #expect(breaker.record(.failure, old, now: 1) == nil)
    let probes = try (0..<3).map { _ in try #require(probe(breaker, now: 5 * second)) }
    #expect(breaker.record(.failure, old, now: 5 * second) == nil)
    #expect(breaker.state == .halfOpen)
    for probe in probes { breaker.record(.success, probe, now: 5 * second) }
    for _ in 0..<50 { breaker.record(.failure, old, now: 5 * second) }
    #expect(breaker.state == .closed)
  }

  @Test func `limits out of range are brought into it`() throws {
    let none = breaker(halfOpenRequests: 0)
    send(10, .failure, to: none, now: 0)
    let only = try #require(probe(none, now: 5 * second))
    #expect(none.record(.success, only, now: 5 * second) == .closed)
    let many = breaker(halfOpenRequests: 1000)
    send(10, .failure, to: many, now: 0)
    #expect((0..<1000).filter { _ in probe(many, now: 5 * second) != nil }.count == 100)
  }

  @Test func `it goes round any number of times`() throws {
    let breaker = breaker(halfOpenRequests: 1)
    var now = 0
    for _ in 0..<1000 {
      #expect(send(10, .failure, to: breaker, now: now) == .open)
      now += 5 * second
      let pass = try #require(probe(breaker, now: now))
      #expect(breaker.record(.success, pass, now: now) == .closed)
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `threads together never admit too many probes nor lose a transition`(seed: UInt64) async {
    let breaker = breaker(halfOpenRequests: 3)
    let tally = Tally()
    await withTaskGroup(of: Void.self) { group in
      for worker in 0..<4 as Range<UInt64> {
        group.addTask {
          var random = SplitMix(seed: seed << 8 | worker)
          for _ in 0..<20_000 {
            let now = tally.clock.wrappingAdd(second / 500, ordering: .relaxed).newValue
            let pass: CircuitBreaker.Pass
            switch breaker.admit(now: now) {
            case .refused(let until):
              #expect(until > 0)
              continue
            case .admitted(let admitted): pass = admitted
            case .probe(let admitted, let begins):
              if begins { tally.begun.wrappingAdd(1, ordering: .relaxed) }
              tally.probes.wrappingAdd(1, ordering: .relaxed)
              pass = admitted
            }
            let outcome: CircuitBreaker.Outcome = random.next() % 100 < (pass.isProbe ? 20 : 60) ? .failure : .success
            switch breaker.record(outcome, pass, now: now) {
            case .open: tally.opened.wrappingAdd(1, ordering: .relaxed)
            case .closed: tally.closed.wrappingAdd(1, ordering: .relaxed)
            case .halfOpen: Issue.record("a result made it half-open")
            case nil: break
            }
          }
        }
      }
    }
    let open = tally.opened.load(ordering: .relaxed)
    let close = tally.closed.load(ordering: .relaxed)
    let half = tally.begun.load(ordering: .relaxed)
    // Every half-open time begins from open, and ends closed or open again; all changes were told exactly once.
    #expect(half > 5)
    #expect(open == half + (breaker.state == .open ? 1 : 0))
    #expect(close > 0 && close <= half)
    // No probe was lost or abandoned, so no round had more than its three.
    #expect(tally.probes.load(ordering: .relaxed) <= half * 3)
  }
}

/// What threads of a test count together.
private final class Tally: Sendable {
  let clock = Atomic<Int>(0)
  let opened = Atomic<Int>(0)
  let closed = Atomic<Int>(0)
  let begun = Atomic<Int>(0)
  let probes = Atomic<Int>(0)
}
