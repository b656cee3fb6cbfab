import Foreign
import Kernel
import PluginKit

/// Where a question stands: what else its answer depends on, and what it means.
struct QuestionPlace: Sendable {
  /// The same for calls that agree in everything but the question.
  let frame: SHA256Digest
  let vector: Embedding
}

/// Answers in memory that are found by what was asked, for all workers: the nearest question decides.
///
/// A question is held against those of its own frame alone, so that neither another caller's, nor one under other instructions,
/// with other tools or in another conversation, can answer it. They are looked at one by one: a thousand take less than a
/// millisecond, and an index that finds them faster would also miss some.
final class SimilarAnswers: Sendable {
  private let capacity: Int
  private let perFrame: Int
  private let table = Lock(Table())

  /// What an entry takes beside its answer and its vector.
  private static let overhead = 200

  /// - Parameters:
  ///   - capacity: bytes that all answers and vectors may take together.
  ///   - perFrame: how many questions of a frame are kept, the latest ones.
  init(capacity: Int, perFrame: Int) {
    self.capacity = capacity
    self.perFrame = perFrame
  }

  /// The answer to the nearest question, if that is near enough and its time is not over.
  ///
  /// - Parameters:
  ///   - least: the cosine that two questions must have at least.
  ///   - now: monotonic nanoseconds.
  func find(_ place: QuestionPlace, least: Double, now: Int) -> (answer: any KeptAnswer, similarity: Float)? {
    // The lock is held to copy references alone: workers compare side by side.
    let entries = table.withLock { $0.frames[place.frame]?.entries ?? [] }
    var nearest: (answer: any KeptAnswer, similarity: Float)?
    // Sums of many rounded products of the same numbers may miss 1 by a little.
    var bound = Float(least) - 0.000_01
    for entry in entries.reversed() where entry.end > now {
      guard let similarity = place.vector.similarity(to: entry.vector), similarity >= bound,
        similarity > nearest?.similarity ?? -2
      else { continue }
      nearest = (entry.answer, min(similarity, 1))
      bound = similarity
    }
    return nearest
  }

  /// Keeps an answer.
  ///
  /// - Returns: how many answers had to go for it, and by how many bytes all of them together take more now.
  func insert(_ answer: any KeptAnswer, _ place: QuestionPlace, until end: Int) -> (dropped: Int, growth: Int) {
    let size = answer.size + place.vector.size + Self.overhead
    if size > capacity { return (0, 0) }
    return table.withLock { table -> (Int, Int) in
      let before = table.bytes
      let dropped = table.insert(
        Entry(answer: answer, vector: place.vector, end: end, size: size), place.frame, capacity, perFrame)
      return (dropped, table.bytes - before)
    }
  }

  fileprivate struct Entry: Sendable {
    let answer: any KeptAnswer
    let vector: Embedding
    let end: Int
    let size: Int
  }

  /// The questions of a frame, the oldest first.
  private struct Frame {
    var entries: [Entry] = []
    /// The number of the first of them, counted from the frame's beginning.
    var first = 0
  }

  private struct Table: ~Copyable {
    private(set) var frames: [SHA256Digest: Frame] = [:]
    private(set) var bytes = 0
    private var count = 0
    /// All questions as they came: frame and number in it. Those that went before their turn are still in it.
    private var order: [(frame: SHA256Digest, number: Int)] = []
    private var orderStart = 0
    /// Numbers go on where a frame that was emptied comes again.
    private var lastNumber = 0

    mutating func insert(_ entry: Entry, _ key: SHA256Digest, _ capacity: Int, _ perFrame: Int) -> Int {
      var dropped = 0
      if let frame = frames[key], frame.entries.count >= perFrame {
        dropFirst(of: key)
        dropped += 1
      }
      while bytes + entry.size > capacity, orderStart < order.count {
        let oldest = order[orderStart]
        orderStart += 1
        if frames[oldest.frame]?.first == oldest.number {
          dropFirst(of: oldest.frame)
          dropped += 1
        }
      }
      if frames[key] == nil { frames[key] = Frame(entries: [], first: lastNumber) }
      let number = frames[key]!.first + frames[key]!.entries.count
      frames[key]!.entries.append(entry)
      lastNumber = max(lastNumber, number + 1)
      order.append((key, number))
      bytes += entry.size
      count += 1
      tidy()
      return dropped
    }

    private mutating func dropFirst(of key: SHA256Digest) {
      guard let gone = frames[key]?.entries.removeFirst() else { return }
      bytes -= gone.size
      count -= 1
      frames[key]!.first += 1
      if frames[key]!.entries.isEmpty { frames[key] = nil }
    }

    /// Forgets what stands in the order and nowhere else.
    private mutating func tidy() {
      if order.count < 2 * count + 1024 { return }
      order = order[orderStart...].filter { place in
        frames[place.frame].map { place.number >= $0.first } ?? false
      }
      orderStart = 0
    }
  }
}
