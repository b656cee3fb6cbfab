import PluginKit

/// A part of the store, for the keys whose hash falls into it: a table, and a list of its entries by their last use.
///
/// Entries are numbers into one array, and lists are chains of these, so that a look-up allocates nothing.
struct CacheShard: ~Copyable {
  private struct Entry {
    var hash: UInt64
    var resourceHash: UInt64
    var resource: CachedResource?
    var newer = -1
    var older = -1
    /// The chain of entries for one resource: other routes, other values of `key`.
    var nextSame = -1
    var previousSame = -1
  }

  private let capacity: Int
  private var entries: [Entry] = []
  private var free: [Int] = []
  private var places: [UInt64: Int] = [:]
  private var resources: [UInt64: Int] = [:]
  private var newest = -1
  private var oldest = -1
  private(set) var bytes = 0
  var flights: [UInt64: Flight] = [:]
  /// Keys whose answers were not kept, and until when nobody waits for another fetch of them.
  private var passes: [UInt64: Int] = [:]

  /// When what is stored of a resource became untrue, for those who were fetching it then.
  private var changes: [UInt64: Int] = [:]
  /// The same for all resources: the last purge, or the last change that is in `changes` no more.
  private var changed = Int.min

  init(capacity: Int) { self.capacity = capacity }

  /// The resource of this hash, which counts as used now.
  mutating func find(_ hash: UInt64) -> CachedResource? {
    guard let index = places[hash] else { return nil }
    if index != newest {
      unlink(index)
      linkNewest(index)
    }
    return entries[index].resource
  }

  /// Stores a resource, and drops what was not used for longest until there is room; how many that were.
  mutating func insert(_ resource: CachedResource, _ key: CallKey) -> Int {
    remove(key.hash)
    passes[key.hash] = nil
    if resource.bytes > capacity { return 0 }
    var dropped = 0
    while bytes + resource.bytes > capacity, oldest >= 0 {
      removeEntry(oldest)
      dropped += 1
    }
    let entry = Entry(hash: key.hash, resourceHash: key.resourceHash, resource: resource)
    let index: Int
    if let reused = free.popLast() {
      index = reused
      entries[index] = entry
    } else {
      index = entries.count
      entries.append(entry)
    }
    places[key.hash] = index
    bytes += resource.bytes
    linkNewest(index)
    if let next = resources[key.resourceHash] {
      entries[index].nextSame = next
      entries[next].previousSame = index
    }
    resources[key.resourceHash] = index
    return dropped
  }

  mutating func remove(_ hash: UInt64) {
    if let index = places[hash] { removeEntry(index) }
  }

  /// Forgets all that is stored for a resource, on every route and for every caller.
  mutating func invalidate(_ resourceHash: UInt64, now: Int) {
    while let index = resources[resourceHash] { removeEntry(index) }
    if changes.count >= Self.mostPasses {
      changes.removeAll()
      changed = now
    }
    changes[resourceHash] = now
  }

  /// Whether an answer may be from before a change, as it was asked for before.
  func isOutdated(_ resourceHash: UInt64, began: Int) -> Bool {
    began <= max(changed, changes[resourceHash] ?? .min)
  }

  mutating func purge(_ purge: AnswerPurge, now: Int) -> Int {
    changed = now
    var count = 0
    for index in entries.indices {
      guard let resource = entries[index].resource, resource.isCovered(by: purge) else { continue }
      count += resource.answers.count
      removeEntry(index)
    }
    return count
  }

  func passes(_ hash: UInt64, now: Int) -> Bool { passes[hash].map { now < $0 } ?? false }

  mutating func pass(_ hash: UInt64, until moment: Int) {
    if passes.count >= Self.mostPasses { passes.removeAll() }
    passes[hash] = moment
  }

  private static let mostPasses = 4096

  private mutating func removeEntry(_ index: Int) {
    let entry = entries[index]
    unlink(index)
    if entry.previousSame >= 0 {
      entries[entry.previousSame].nextSame = entry.nextSame
    } else if entry.nextSame >= 0 {
      resources[entry.resourceHash] = entry.nextSame
    } else {
      resources[entry.resourceHash] = nil
    }
    if entry.nextSame >= 0 { entries[entry.nextSame].previousSame = entry.previousSame }
    places[entry.hash] = nil
    bytes -= entry.resource?.bytes ?? 0
    entries[index].resource = nil
    free.append(index)
  }

  private mutating func unlink(_ index: Int) {
    let (newer, older) = (entries[index].newer, entries[index].older)
    if newer >= 0 { entries[newer].older = older } else { newest = older }
    if older >= 0 { entries[older].newer = newer } else { oldest = newer }
  }

  private mutating func linkNewest(_ index: Int) {
    entries[index].newer = -1
    entries[index].older = newest
    if newest >= 0 { entries[newest].newer = index } else { oldest = index }
    newest = index
  }
}
