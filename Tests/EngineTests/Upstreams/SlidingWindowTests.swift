import Testing

@testable import Engine

@Suite struct SlidingWindowTests {
  @Test func `events leave the window a bucket at a time`() {
    let window = SlidingWindow(length: 1000)
    for bucket in 0..<10 { window.count(isMarked: bucket % 2 == 0, now: bucket * 100) }
    for bucket in 0..<10 {
      let sums = window.sums(now: 999 + bucket * 100)
      #expect(sums.total == 10 - bucket)
      #expect(sums.marked == (10 - bucket) / 2)
    }
    #expect(window.sums(now: 2000) == (0, 0))
    #expect(window.sums(now: 0) == (1, 1))
  }

  @Test func `a bucket's place is taken by a later time`() {
    let window = SlidingWindow(length: 1000)
    window.count(isMarked: true, now: 50)
    window.count(isMarked: false, now: 1050)
    #expect(window.sums(now: 1050) == (1, 0))
  }

  @Test func `periods do not see each other`() {
    let window = SlidingWindow(length: 1000)
    window.count(isMarked: true, period: 1, now: 0)
    #expect(window.sums(period: 2, now: 0) == (0, 0))
    window.count(isMarked: false, period: 2, now: 1)
    #expect(window.sums(period: 2, now: 1) == (1, 0))
    #expect(window.sums(period: 1, now: 1) == (0, 0))
  }

  @Test func `a full bucket keeps its ratio`() {
    let window = SlidingWindow(length: 1000)
    for event in 0..<400_000 { window.count(isMarked: event % 4 == 0, now: 0) }
    let sums = window.sums(now: 0)
    #expect(sums.total > 30_000)
    #expect(abs(Double(sums.marked) / Double(sums.total) - 0.25) < 0.01)
  }

  @Test func `threads together lose no event`() async {
    let budget = CircuitBreaker(
      CircuitBreakerLimits(
        failureRatio: 1, minimumRequests: 8001, window: 1_000_000_000, openFor: 1, halfOpenRequests: 1))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<2000 {
            guard case .admitted(let pass) = budget.admit(now: 0) else { return }
            budget.record(.failure, pass, now: 0)
          }
        }
      }
    }
    // It opens with exactly the next one: all 8,000 were counted.
    #expect(budget.state == .closed)
    guard case .admitted(let pass) = budget.admit(now: 0) else {
      Issue.record("closed breaker refused")
      return
    }
    #expect(budget.record(.failure, pass, now: 0) == .open)
  }
}
