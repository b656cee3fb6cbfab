import HTTP
import Kernel
import PluginKit

/// Tokens that were verified, until they expire; bounded.
///
/// Only verified tokens come in, so whoever forges tokens drives nothing out. A token is found by a hash of its end with
/// a random seed, which is signature or chance in whatever was verified, and then compared whole. When all places are
/// taken a hand goes round and takes the first place whose token was not used since it came by last.
struct TokenCache {
  /// A class, as an exchange should count one reference and not one for each of its parts.
  final class Entry {
    let token: [UInt8]
    let identity: Identity
    let lines: RenderedFields
    /// Nanoseconds since 1970.
    let validFrom: Int
    let validUntil: Int
    let hash: UInt64
    fileprivate var isUsed = false
    /// The place of another token whose hash leads to the same head; -1: none.
    fileprivate var next: Int32 = -1

    init(
      token: [UInt8], identity: Identity, lines: RenderedFields, validFrom: Int, validUntil: Int, hash: UInt64
    ) {
      self.token = token
      self.identity = identity
      self.lines = lines
      self.validFrom = validFrom
      self.validUntil = validUntil
      self.hash = hash
    }
  }

  private var entries: [Entry] = []
  /// Where the tokens begin whose hashes end alike, as places; -1: none.
  private var heads: [Int32] = [-1]
  private var hand = 0
  private let capacity: Int
  private let seed = KernelRandom.next()

  /// - Parameter capacity: at least 1.
  init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = min(capacity, Int(Int32.max))
  }

  var count: Int { entries.count }

  func hash(_ token: Span<UInt8>) -> UInt64 {
    ByteScan.hash(token.extracting(max(0, token.count - Self.hashed)..<token.count), seed: seed)
  }

  /// Bytes at the end of a token that its hash is of.
  private static let hashed = 32

  /// Where a token is.
  func place(of token: Span<UInt8>, hash: UInt64) -> Int? {
    var place = Int(heads[head(of: hash)])
    while place >= 0 {
      let entry = entries[place]
      if entry.hash == hash {
        let known = entry.token
        if ByteScan.equal(known.span, token) {
          entry.isUsed = true
          return place
        }
      }
      place = Int(entry.next)
    }
    return nil
  }

  subscript(place: Int) -> Entry { entries[place] }

  /// Where the token is from now on.
  mutating func insert(_ entry: Entry) -> Int {
    let token = entry.token
    if let place = place(of: token.span, hash: entry.hash) {
      unlink(place)
      entries[place] = entry
      link(place)
      return place
    }
    if entries.count < capacity {
      entries.append(entry)
      if entries.count * 2 > heads.count { growHeads() } else { link(entries.count - 1) }
      return entries.count - 1
    }
    while entries[hand].isUsed {
      entries[hand].isUsed = false
      hand = (hand + 1) % capacity
    }
    let place = hand
    unlink(place)
    entries[place] = entry
    link(place)
    hand = (place + 1) % capacity
    return place
  }

  private func head(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (heads.count &- 1) }

  private mutating func link(_ place: Int) {
    let head = head(of: entries[place].hash)
    entries[place].next = heads[head]
    heads[head] = Int32(place)
  }

  private mutating func unlink(_ place: Int) {
    let head = head(of: entries[place].hash)
    let next = entries[place].next
    var before = Int(heads[head])
    if before == place {
      heads[head] = next
      return
    }
    while Int(entries[before].next) != place { before = Int(entries[before].next) }
    entries[before].next = next
  }

  private mutating func growHeads() {
    heads = Array(repeating: -1, count: heads.count * 2)
    for place in entries.indices { link(place) }
  }
}
