import Kernel

/// Small counts of many keys that threads raise and lower without locks.
///
/// A word holds the upper 48 bits of the key's hash and a count of 16; at 0 it is free for any key. Eight words, one
/// cache line, are a set, which the lower bits of the hash name. Two threads may take two words for one key at the
/// same moment, so the sum of all its words counts, before and after.
final class CountTable: Sendable {
  enum Entry: Equatable {
    /// The count is one higher, at this place.
    case entered(Int)
    case refused
    /// All eight words of the key's set count other keys.
    case full
  }

  static let largestCount = 0xffff
  private static let ways = 8

  private let words: AtomicWords
  private let lastSet: Int

  /// - Parameter keys: how many have room at once; eight times as many are made, so that sets are hardly ever full.
  init(keys: Int) throws(Errno) {
    var sets = 1
    while sets < keys { sets *= 2 }
    words = try AtomicWords(count: sets * Self.ways)
    lastSet = sets - 1
  }

  /// Raises the key's count unless that makes it more than `maximum`.
  func enter(_ hash: UInt64, maximum: Int) -> Entry {
    let base = (Int(truncatingIfNeeded: hash) & lastSet) &* Self.ways
    let key = hash >> 16
    while true {
      var total = 0
      var own: Int?
      var free: Int?
      for place in base..<base &+ Self.ways {
        let word = words.load(place)
        if word & 0xffff == 0 {
          if free == nil { free = place }
        } else if word >> 16 == key {
          total += Int(word & 0xffff)
          if own == nil { own = place }
        }
      }
      if total >= maximum { return .refused }
      guard let place = own ?? free else { return .full }
      let word = words.load(place)
      let isFree = word & 0xffff == 0
      if !isFree, word >> 16 != key || word & 0xffff == 0xffff { continue }
      guard words.exchange(place, word, for: isFree ? key << 16 | 1 : word + 1) else { continue }
      if sum(key, base) <= maximum { return .entered(place) }
      leave(place)
      return .refused
    }
  }

  /// Lowers a count that was raised.
  func leave(_ place: Int) {
    while true {
      let word = words.load(place)
      precondition(word & 0xffff > 0, "a count is lowered once for each time that it was raised")
      if words.exchange(place, word, for: word - 1) { return }
    }
  }

  private func sum(_ key: UInt64, _ base: Int) -> Int {
    var total = 0
    for place in base..<base &+ Self.ways {
      let word = words.load(place)
      if word >> 16 == key { total += Int(word & 0xffff) }
    }
    return total
  }
}
