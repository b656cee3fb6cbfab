public import Foreign
import Kernel

/// An answer that is kept, to be given again: immutable, as several workers may read it at once.
public protocol KeptAnswer: AnyObject, Sendable {
  /// The memory that it takes, about.
  var size: Int { get }
  /// As octets, for a store that several gateways share; nil where it is not meant to go there.
  var octets: [UInt8]? { get }
}

extension KeptAnswer {
  public var octets: [UInt8]? { nil }
}

/// Answers of models in memory, for all workers: each until its time is over, and until others need its room.
///
/// A key is the SHA-256 of everything that the answer depends on, so that no two requests meet by chance or design. One lock
/// is enough: it is held to find or to link an answer, and a call of a model is a thousand times longer.
public final class ModelAnswerStore: Sendable {
  /// Bytes that all answers may take together.
  public let capacity: Int
  private let table: Lock<Table>

  /// What an entry takes beside its answer.
  private static let overhead = 200

  public init(capacity: Int) {
    self.capacity = capacity
    table = Lock(Table())
  }

  /// The answer of this key, which counts as used now; nil when there is none, or its time is over. One that is over stays
  /// until its room is needed.
  ///
  /// - Parameter now: monotonic nanoseconds.
  public func find(_ key: SHA256Digest, now: Int) -> (any KeptAnswer)? {
    table.withLock { $0.find(key, now: now) }
  }

  /// Keeps an answer. One that is larger than everything together is not kept.
  ///
  /// - Parameter end: monotonic nanoseconds when its time is over.
  /// - Returns: how many answers had to go for it, and by how many bytes all of them together take more now.
  @discardableResult
  public func insert(_ answer: any KeptAnswer, _ key: SHA256Digest, until end: Int) -> (dropped: Int, growth: Int) {
    let size = answer.size + Self.overhead
    let capacity = capacity
    return table.withLock { table -> (Int, Int) in
      let before = table.figures.bytes
      table.remove(key)
      let dropped = size > capacity ? 0 : table.insert(answer, key, size: size, until: end, capacity: capacity)
      return (dropped, table.figures.bytes - before)
    }
  }

  /// What it holds, and what it has done.
  public struct Figures: Sendable, Equatable {
    /// Bytes that answers take now, and how many they are.
    public var bytes = 0
    public var entries = 0
    /// How often an answer was found, and looked for in vain.
    public var hits = 0
    public var misses = 0
    /// Answers that had to go for others.
    public var evictions = 0
  }

  public var figures: Figures { table.withLock { $0.figures } }

  /// Entries in one array, chained by their last use.
  private struct Table: ~Copyable {
    private struct Entry {
      var key: SHA256Digest
      var answer: (any KeptAnswer)?
      var size: Int
      var end: Int
      var newer = -1
      var older = -1
    }

    private var entries: [Entry] = []
    private var free: [Int] = []
    private var places: [SHA256Digest: Int] = [:]
    private var newest = -1
    private var oldest = -1
    private(set) var figures = Figures()

    mutating func find(_ key: SHA256Digest, now: Int) -> (any KeptAnswer)? {
      guard let index = places[key], entries[index].end > now else {
        figures.misses += 1
        return nil
      }
      figures.hits += 1
      if index != newest {
        unlink(index)
        link(index)
      }
      return entries[index].answer
    }

    mutating func insert(
      _ answer: any KeptAnswer, _ key: SHA256Digest, size: Int, until end: Int, capacity: Int
    ) -> Int {
      var dropped = 0
      while figures.bytes + size > capacity, oldest >= 0 {
        remove(at: oldest)
        dropped += 1
        figures.evictions += 1
      }
      let entry = Entry(key: key, answer: answer, size: size, end: end)
      let index = free.popLast() ?? entries.count
      if index == entries.count { entries.append(entry) } else { entries[index] = entry }
      places[key] = index
      figures.bytes += size
      figures.entries += 1
      link(index)
      return dropped
    }

    mutating func remove(_ key: SHA256Digest) {
      if let index = places[key] { remove(at: index) }
    }

    private mutating func remove(at index: Int) {
      unlink(index)
      places[entries[index].key] = nil
      figures.bytes -= entries[index].size
      figures.entries -= 1
      entries[index].answer = nil
      free.append(index)
    }

    private mutating func unlink(_ index: Int) {
      let (newer, older) = (entries[index].newer, entries[index].older)
      if newer >= 0 { entries[newer].older = older } else { newest = older }
      if older >= 0 { entries[older].newer = newer } else { oldest = newer }
    }

    private mutating func link(_ index: Int) {
      entries[index].newer = -1
      entries[index].older = newest
      if newest >= 0 { entries[newest].newer = index } else { oldest = index }
      newest = index
    }
  }
}
