import Kernel

/// Token buckets of many keys, as one 64-bit point in time for each, that threads charge without locks.
///
/// The algorithm is GCRA: a key's *arrival* is when its bucket will be full again. A request moves it by one interval
/// and is refused where that would go beyond `now` by more than the tolerance, which is the burst. A time that has
/// passed means a full bucket, just as no entry does, so entries need no removal: their place is free.
///
/// The hash of a key names a set of eight places. A new key takes one whose time has passed; where all eight are in
/// use, the one whose bucket is nearest to full is given up, which costs least: its key gets back what it has used.
/// Each set is two cache lines, the keys and the times. The key's word is claimed first and its time charged after,
/// so two threads may claim two places for one key; each looks again after it claimed, the lowest place stays, and
/// what was charged at a higher one is moved there. A charge is valid if the key's word is still there after it.
final class ArrivalTable: Sendable {
  enum Charge: Equatable {
    /// When the bucket will be full again, and how many other keys were given up for this one.
    case admitted(UInt64, evicted: Int)
    /// When the bucket will be full again.
    case refused(UInt64)
  }

  private static let ways = 8
  private static let wordsOfSet = 16

  private let words: AtomicWords
  private let lastSet: Int

  /// Makes four places for each key, so that sets are seldom full: of a million keys at once some hundred have no place.
  init(keys: Int) throws(Errno) {
    var sets = 1
    while sets * Self.ways < keys * 4 { sets *= 2 }
    words = try AtomicWords(count: sets * Self.wordsOfSet)
    lastSet = sets - 1
  }

  /// Bytes of address space.
  var size: Int { words.size }

  /// Charges a key with one request.
  ///
  /// - Parameters:
  ///   - hash: of the key; equally spread.
  ///   - now: in any unit, the same for all calls; above 0.
  ///   - interval: what one request costs, in that unit.
  ///   - tolerance: how far ahead of `now` a bucket may be; at least one interval.
  func charge(_ hash: UInt64, now: UInt64, interval: UInt64, tolerance: UInt64) -> Charge {
    let key = max(hash, 1)
    let set = Int(truncatingIfNeeded: hash >> 20) & lastSet
    let base = set &* Self.wordsOfSet
    var evicted = 0
    while true {
      guard let place = find(key, base) ?? claim(key, base, now: now, &evicted) else { continue }
      let time = place &+ Self.ways
      let stored = words.load(time)
      let arrival = max(stored, now) &+ interval
      if arrival &- now > tolerance { return .refused(stored) }
      guard words.exchange(time, stored, for: arrival) else { continue }
      if words.load(place) == key { return .admitted(arrival, evicted: evicted) }
      // Another thread gave the place to another key meanwhile, or moved this one to a lower place.
      withdraw(interval, from: time, now: now)
    }
  }

  /// When the bucket of a key will be full again; 0 for a key that has none.
  func arrival(of hash: UInt64) -> UInt64 {
    let key = max(hash, 1)
    let base = (Int(truncatingIfNeeded: hash >> 20) & lastSet) &* Self.wordsOfSet
    guard let place = find(key, base) else { return 0 }
    return words.load(place &+ Self.ways)
  }

  /// The lowest place of the key.
  @inline(__always)
  private func find(_ key: UInt64, _ base: Int) -> Int? {
    var place = base
    while place < base &+ Self.ways {
      if words.load(place) == key { return place }
      place &+= 1
    }
    return nil
  }

  /// Takes a place for a key that has none; nil when another thread was faster somewhere.
  private func claim(_ key: UInt64, _ base: Int, now: UInt64, _ evicted: inout Int) -> Int? {
    var place = base
    var fullest = UInt64.max
    for candidate in base..<base + Self.ways {
      let time = words.load(candidate + Self.ways)
      if time >= fullest { continue }
      fullest = time
      place = candidate
      if time <= now { break }
    }
    let old = words.load(place)
    if old == key { return nil }
    if fullest > now {
      guard words.exchange(place + Self.ways, fullest, for: 0) else { return nil }
      evicted += 1
    }
    guard words.exchange(place, old, for: key) else { return nil }
    return settle(key, at: place, base, now: now)
  }

  /// Makes one place of several that threads claimed for a key at the same time.
  private func settle(_ key: UInt64, at place: Int, _ base: Int, now: UInt64) -> Int {
    for other in base..<base + Self.ways where other != place && words.load(other) == key {
      if other < place {
        _ = words.exchange(place, key, for: 0)
        return other
      }
      guard words.exchange(other, key, for: 0) else { continue }
      let time = words.swap(other + Self.ways, for: 0)
      if time > now { add(time - now, to: place + Self.ways, now: now) }
    }
    return place
  }

  private func add(_ debt: UInt64, to time: Int, now: UInt64) {
    while true {
      let stored = words.load(time)
      if words.exchange(time, stored, for: max(stored, now) &+ debt) { return }
    }
  }

  private func withdraw(_ interval: UInt64, from time: Int, now: UInt64) {
    while true {
      let stored = words.load(time)
      if stored <= now || words.exchange(time, stored, for: stored &- interval) { return }
    }
  }
}
