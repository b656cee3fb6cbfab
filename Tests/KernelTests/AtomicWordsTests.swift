import Kernel
import Synchronization
import Testing

@Suite struct AtomicWordsTests {
  @Test func `words are zero at first and change one by one`() throws {
    let words = try AtomicWords(count: 1000)
    #expect(words.count == 1000 && words.size == 8000)
    #expect((0..<1000).allSatisfy { words.load($0) == 0 })
    #expect(words.exchange(999, 0, for: .max))
    #expect(!words.exchange(999, 0, for: 1))
    #expect(words.load(999) == .max && words.load(998) == 0)
    #expect(words.swap(999, for: 7) == .max)
    #expect(words.load(999) == 7)
  }

  @Test func `no change of several threads is lost`() throws {
    let words = try AtomicWords(count: 2)
    var threads: [Thread] = []
    for _ in 0..<4 {
      threads.append(
        try Thread.start(name: "adder") {
          for _ in 0..<10_000 {
            while true {
              let word = words.load(1)
              if words.exchange(1, word, for: word + 1) { break }
            }
          }
        })
    }
    for thread in threads { thread.join() }
    #expect(words.load(1) == 40_000 && words.load(0) == 0)
  }

  @Test func `memory that cannot be had is an error`() {
    #expect(throws: Errno.self) { try AtomicWords(count: 1 << 50) }
  }
}
