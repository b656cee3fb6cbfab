import Synchronization

/// Counts how many of the last seconds' events were of one kind, for all workers at once and without a lock.
///
/// Time is cut into buckets, each one atomic word with its time and both counts, so a bucket is never half updated.
/// Events also carry the period they belong to: counts of another period are not seen, which empties the window at once
/// when a period ends.
struct SlidingWindow: ~Copyable, Sendable {
  static let bucketCount = 10

  /// Nanoseconds.
  private let bucketWidth: Int
  private let buckets: InlineArray<10, Atomic<UInt64>>

  /// - Parameter length: nanoseconds that the window looks back, to within a tenth.
  init(length: Int) {
    bucketWidth = max(1, length / Self.bucketCount)
    buckets = InlineArray { _ in Atomic(0) }
  }

  /// Counts an event, and whether it is of the kind that is looked for.
  func count(isMarked: Bool, period: UInt8 = 0, now: Int) {
    add(Bucket(word: 0, total: 1, marked: isMarked ? 1 : 0), period, now)
  }

  /// Marks one more event, which was counted before or is not to be.
  func mark(period: UInt8 = 0, now: Int) {
    add(Bucket(word: 0, total: 0, marked: 1), period, now)
  }

  private func add(_ counts: Bucket, _ period: UInt8, _ now: Int) {
    let index = now / bucketWidth
    let stamp = Bucket.stamp(index, period)
    let slot = index % Self.bucketCount
    var word = buckets[slot].load(ordering: .relaxed)
    while true {
      var bucket = Bucket(word: word)
      if bucket.stamp != stamp { bucket = Bucket(stamp: stamp) }
      bucket.add(counts)
      let (exchanged, seen) = buckets[slot].weakCompareExchange(
        expected: word, desired: bucket.word, ordering: .relaxed)
      if exchanged { return }
      word = seen
    }
  }

  /// All events of the period within the window, and the marked ones.
  func sums(period: UInt8 = 0, now: Int) -> (total: Int, marked: Int) {
    let newest = now / bucketWidth
    var sums = (total: 0, marked: 0)
    for index in max(0, newest - Self.bucketCount + 1)...newest {
      let bucket = Bucket(word: buckets[index % Self.bucketCount].load(ordering: .relaxed))
      guard bucket.stamp == Bucket.stamp(index, period) else { continue }
      sums.total += Int(bucket.total)
      sums.marked += Int(bucket.marked)
    }
    return sums
  }

  /// From the top: 24 bits of the bucket's index and 8 of the period, 16 for all events, 16 for the marked ones.
  private struct Bucket {
    private(set) var word: UInt64

    init(word: UInt64) { self.word = word }
    init(stamp: UInt32) { word = UInt64(stamp) << 32 }
    init(word: UInt64, total: UInt64, marked: UInt64) { self.word = word | total << 16 | marked }

    var stamp: UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
    var total: UInt64 { word >> 16 & 0xFFFF }
    var marked: UInt64 { word & 0xFFFF }

    static func stamp(_ index: Int, _ period: UInt8) -> UInt32 {
      UInt32(truncatingIfNeeded: index) << 8 | UInt32(period)
    }

    /// Adds the counts of another; a full bucket is halved first, which keeps the ratio.
    mutating func add(_ other: Bucket) {
      var (total, marked) = (self.total, self.marked)
      if total + other.total > 0xFFFF || marked + other.marked > 0xFFFF {
        total /= 2
        marked /= 2
      }
      word = UInt64(stamp) << 32 | (total + other.total) << 16 | (marked + other.marked)
    }
  }
}
