import Kernel
import Testing

@Suite struct RingTests {
  @Test func `elements come out first in first out, around the end and after growing`() {
    var ring = Ring<Token>(capacity: 3)
    var (put, taken) = (0, 0)
    for step in 0..<200 {
      if step == 100 { ring.grow(by: 4) }
      while !ring.isFull {
        ring.push(Token(number: put))
        put += 1
      }
      for _ in 0...(step % 3) where !ring.isEmpty {
        #expect(first(of: &ring) == taken)
        taken += 1
      }
    }
    let (capacity, count) = (ring.capacity, ring.count)
    #expect(capacity == 7)
    #expect(count == put - taken)
  }

  @Test func `the last element can be taken back`() {
    var ring = Ring<Token>(capacity: 3)
    #expect(last(of: &ring) == nil)
    for number in 0..<3 { ring.push(Token(number: number)) }
    #expect(first(of: &ring) == 0)
    ring.push(Token(number: 3))
    #expect(last(of: &ring) == 3)
    #expect(last(of: &ring) == 2)
    #expect(first(of: &ring) == 1)
    #expect(first(of: &ring) == nil)
  }

  @Test func `what is left goes with the ring`() {
    let witness = Lock(0)
    do {
      var ring = Ring<Token>(capacity: 4)
      for number in 0..<4 { ring.push(Token(number: number, witness)) }
      _ = ring.pop()
      ring.push(Token(number: 4, witness))
      #expect(witness.withLock { $0 } == 1)
    }
    #expect(witness.withLock { $0 } == 5)
  }

  private func first(of ring: inout Ring<Token>) -> Int? {
    guard let token = ring.pop() else { return nil }
    return token.number
  }

  private func last(of ring: inout Ring<Token>) -> Int? {
    guard let token = ring.popLast() else { return nil }
    return token.number
  }
}

/// An element that cannot be copied and counts its end.
private struct Token: ~Copyable {
  let number: Int
  let witness: Lock<Int>?

  init(number: Int, _ witness: Lock<Int>? = nil) {
    self.number = number
    self.witness = witness
  }

  deinit { witness?.withLock { $0 += 1 } }
}
