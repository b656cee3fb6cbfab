import Kernel
import Testing

@Suite struct ThreadTests {
  @Test func `a joined thread has run its body`() throws {
    let done = Lock(false)
    let thread = try Thread.start(name: "a name longer than fifteen bytes") { done.withLock { $0 = true } }
    thread.join()
    thread.join()
    #expect(done.withLock { $0 })
  }

  @Test func `threads that add under one lock lose nothing`() throws {
    let sum = Lock(0)
    let threads = try (0..<4).map { index in
      try Thread.start(name: "adder-\(index)") { for _ in 0..<10_000 { sum.withLock { $0 += 1 } } }
    }
    for thread in threads { thread.join() }
    #expect(sum.withLock { $0 } == 40_000)
  }

  @Test func `a waiting thread sees the value that a signal announces`() throws {
    let box = Monitor<Int?>(nil)
    let got = Lock<Int?>(nil)
    let thread = try Thread.start(name: "waiter") {
      let value: Int? = box.wait { $0 }
      got.withLock { $0 = value }
    }
    box.withLock { $0 = 7 }
    box.signal()
    thread.join()
    #expect(got.withLock { $0 } == 7)
  }

  @Test func `waiting ends with nothing when the time is over`() {
    let box = Monitor<Int?>(nil)
    #expect(box.wait(timeout: 1_000_000) { $0 } == nil)
  }
}
