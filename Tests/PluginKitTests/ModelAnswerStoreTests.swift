import Foreign
import Kernel
import PluginKit
import Testing

/// Answers in memory: each until its time is over, and until others need its room.
struct ModelAnswerStoreTests {
  private final class Kept: KeptAnswer {
    let name: String
    let size: Int
    init(_ name: String, _ size: Int = 800) { (self.name, self.size) = (name, size) }
  }

  private func key(_ name: String) -> SHA256Digest { SHA256.digest(of: Array(name.utf8).span) }

  private func insert(_ name: String, _ size: Int = 800, until end: Int = 100, into store: ModelAnswerStore) {
    store.insert(Kept(name, size), key(name), until: end)
  }

  private func find(_ name: String, at now: Int = 0, in store: ModelAnswerStore) -> String? {
    (store.find(key(name), now: now) as? Kept)?.name
  }

  @Test func `an answer is there until its time is over`() {
    let store = ModelAnswerStore(capacity: 10_000)
    insert("a", until: 100, into: store)
    #expect(find("a", at: 99, in: store) == "a")
    #expect(find("a", at: 100, in: store) == nil)
    #expect(find("b", at: 99, in: store) == nil)
    let figures = store.figures
    #expect(figures.hits == 1 && figures.misses == 2 && figures.evictions == 0)
  }

  @Test func `what was not used for longest goes first`() {
    let store = ModelAnswerStore(capacity: 3000)
    for name in ["a", "b", "c"] { insert(name, into: store) }
    #expect(store.figures.bytes == 3000 && store.figures.entries == 3)
    #expect(find("a", in: store) == "a")
    insert("d", into: store)
    #expect(["a", "b", "c", "d"].map { find($0, in: store) } == ["a", nil, "c", "d"])
    insert("e", 1800, into: store)
    #expect(["a", "c", "d", "e"].map { find($0, in: store) } == [nil, nil, "d", "e"])
    #expect(store.figures.evictions == 3 && store.figures.bytes == 3000)
  }

  @Test func `a new answer takes the place of the one before it, and one that is too large of none`() {
    let store = ModelAnswerStore(capacity: 3000)
    insert("a", until: 10, into: store)
    insert("a", 100, until: 50, into: store)
    #expect(store.figures.entries == 1 && store.figures.bytes == 300 && find("a", at: 20, in: store) == "a")
    insert("b", 2801, into: store)
    #expect(find("b", in: store) == nil && find("a", in: store) == "a" && store.figures.evictions == 0)
    insert("a", 2801, into: store)
    #expect(find("a", in: store) == nil, "the one before it is not true any more")
  }

  @Test func `it does as a list that is searched does`() {
    var random = SplitMix(seed: 7)
    let store = ModelAnswerStore(capacity: 20 * 300)
    var model: [(name: String, end: Int)] = []
    for now in 0..<5000 {
      let name = "\(random.next() % 40)"
      if random.next() % 2 == 0 {
        let end = now + 1 + Int(random.next() % 60)
        model.removeAll { $0.name == name }
        if model.count == 20 { model.removeFirst() }
        model.append((name, end))
        insert(name, 100, until: end, into: store)
      } else {
        let known = model.firstIndex { $0.name == name }
        var expected: String?
        // What is over stays until its room is needed.
        if let known, model[known].end > now {
          model.append(model.remove(at: known))
          expected = name
        }
        #expect(find(name, at: now, in: store) == expected)
      }
      #expect(store.figures.entries == model.count && store.figures.bytes == model.count * 300)
    }
  }
}
