import HTTP
import Kernel
import PluginKit

/// Tokens that were verified, until they expire; bounded.
///
/// Only verified tokens come in, so whoever forges tokens drives nothing out. A token is found by its hash with a
/// random seed and then compared whole. When all places are taken a hand goes round and takes the first place whose
/// token was not used since it came by last.
struct TokenCache {
  struct Entry {
    let token: [UInt8]
    let identity: Identity
    let lines: RenderedFields
    /// Nanoseconds since 1970.
    let validFrom: Int
    let validUntil: Int
    let hash: UInt64
    var isUsed = false
  }

  private var entries: [Entry] = []
  private var places: [UInt64: Int] = [:]
  private var hand = 0
  private let capacity: Int
  private let seed = KernelRandom.next()

  /// - Parameter capacity: at least 1.
  init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = capacity
  }

  var count: Int { entries.count }

  func hash(_ token: Span<UInt8>) -> UInt64 { ByteScan.hash(token, seed: seed) }

  /// Where a token is.
  mutating func place(of token: Span<UInt8>, hash: UInt64) -> Int? {
    guard let place = places[hash] else { return nil }
    let known = entries[place].token
    guard ByteScan.equal(known.span, token) else { return nil }
    entries[place].isUsed = true
    return place
  }

  subscript(place: Int) -> Entry { entries[place] }

  /// Where the token is from now on.
  mutating func insert(_ entry: Entry) -> Int {
    if let place = places[entry.hash] {
      entries[place] = entry
      return place
    }
    if entries.count < capacity {
      places[entry.hash] = entries.count
      entries.append(entry)
      return entries.count - 1
    }
    while entries[hand].isUsed {
      entries[hand].isUsed = false
      hand = (hand + 1) % capacity
    }
    let place = hand
    places[entries[place].hash] = nil
    places[entry.hash] = place
    entries[place] = entry
    hand = (place + 1) % capacity
    return place
  }
}
