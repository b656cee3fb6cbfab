import Synchronization
import Testing

@testable import Engine

private let second = 1_000_000_000

@Suite struct RetryBudgetTests {
  @Test(arguments: [0.0, 0.2, 1.0])
  func `three retries may always be in flight`(ratio: Double) {
    let budget = RetryBudget(ratio: ratio)
    for turn in 0..<10 {
      #expect((0..<4).map { _ in budget.acquire(now: turn) } == [true, true, true, false])
      #expect(budget.active == 3)
      for _ in 0..<3 { budget.release() }
    }
    #expect(budget.active == 0)
  }

  @Test func `beyond three the retries are a share of recent requests`() {
    let budget = RetryBudget(ratio: 0.2)
    for _ in 0..<100 { budget.countRequest(now: 0) }
    #expect((0..<30).filter { _ in budget.acquire(now: 0) }.count == 20)
    #expect(budget.active == 20)
  }

  @Test func `retries that have ended still count as recent`() {
    let budget = RetryBudget(ratio: 0.2)
    for _ in 0..<100 { budget.countRequest(now: 0) }
    for _ in 0..<20 {
      #expect(budget.acquire(now: 0))
      budget.release()
    }
    #expect((0..<10).filter { _ in budget.acquire(now: 0) }.count == 3)
  }

  @Test func `requests and retries are forgotten after the window`() {
    let budget = RetryBudget(ratio: 0.5)
    for _ in 0..<100 { budget.countRequest(now: 0) }
    #expect((0..<100).filter { _ in budget.acquire(now: 11 * second) }.count == 3)
  }

  @Test func `threads together never go below three nor above the share by more than their number`() async {
    let budget = RetryBudget(ratio: 0)
    let most = Peak()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<20_000 where budget.acquire(now: 0) {
            let active = budget.active
            most.value.max(active, ordering: .relaxed)
            budget.release()
          }
        }
      }
    }
    #expect(most.value.load(ordering: .relaxed) <= 3)
    #expect(budget.active == 0)
    #expect(budget.acquire(now: 0))
  }
}

private final class Peak: Sendable {
  let value = Atomic<Int>(0)
}
