import Kernel
public import PluginKit

/// The answers of one entry of the configuration, for all workers.
///
/// Objects are immutable and counted by reference; a lock is held to find one, not to send it. There are several locks,
/// each for a part of the keys, so that two workers seldom meet at one.
public final class CacheStore: AnswerStore {
  let settings: Cache.Settings
  /// Random, so that nobody outside can choose keys that meet.
  let seed = KernelRandom.next()
  private let shards: [Lock<CacheShard>]
  /// Bytes that came and went since a worker last took them into its metric.
  private let unreported = Lock(0)

  /// A part holds at least this many of the largest objects.
  private static let objectsInShard = 8
  private static let mostShards = 16

  init(_ settings: Cache.Settings) {
    self.settings = settings
    let wanted = settings.size / max(1, settings.object * Self.objectsInShard)
    let count = max(1, min(Self.mostShards, wanted))
    shards = (0..<count).map { _ in Lock(CacheShard(capacity: settings.size / count)) }
  }

  /// By the resource, as an unsafe method ends all that is stored for one.
  private func shard(_ resourceHash: UInt64) -> Lock<CacheShard> {
    shards[Int(resourceHash % UInt64(shards.count))]
  }

  func find(_ key: borrowing CacheKey) -> CachedResource? {
    let hash = key.hash
    guard let found = shard(key.resourceHash).withLock({ $0.find(hash) }), found.isOf(key.text.span) else { return nil }
    return found
  }

  /// Whether this request is to fetch for others too, or has one to wait for.
  enum Turn {
    case lead(Flight)
    case wait(Flight)
    /// What was fetched before was not kept: nobody waits.
    case alone
  }

  func turn(_ key: borrowing CacheKey, now: Int) -> Turn {
    let hash = key.hash
    return shard(key.resourceHash).withLock { shard -> Turn in
      if let flight = shard.flights[hash] { return .wait(flight) }
      if shard.passes(hash, now: now) { return .alone }
      let flight = Flight()
      shard.flights[hash] = flight
      return .lead(flight)
    }
  }

  /// Ends a fetch, whatever became of it.
  func end(_ flight: Flight, _ key: CallKey) {
    shard(key.resourceHash).withLock { shard in
      if shard.flights[key.hash] === flight { shard.flights[key.hash] = nil }
    }
    flight.end()
  }

  /// How many objects had to go for it.
  ///
  /// - Parameter began: monotonic nanoseconds when it was asked for. What was said to be untrue since is not stored.
  func insert(_ answer: CachedAnswer, _ key: CallKey, began: Int) -> Int {
    let (dropped, change) = shard(key.resourceHash).withLock { shard -> (Int, Int) in
      if shard.isOutdated(key.resourceHash, began: began) { return (0, 0) }
      let before = shard.bytes
      let old = shard.find(key.hash).flatMap { $0.isOf(key.text.span) ? $0 : nil }
      let resource = old?.adding(answer, key) ?? CachedResource(key, [answer])
      let dropped = shard.insert(resource, key)
      return (dropped, shard.bytes - before)
    }
    unreported.withLock { $0 += change }
    return dropped
  }

  func pass(_ key: CallKey, until moment: Int) {
    shard(key.resourceHash).withLock { $0.pass(key.hash, until: moment) }
  }

  func remove(_ key: CallKey) { change(key.resourceHash) { $0.remove(key.hash) } }

  func invalidate(_ resourceHash: UInt64) { change(resourceHash) { $0.invalidate(resourceHash, now: Clock.monotonic) } }

  public func purge(_ purge: AnswerPurge) -> Int {
    var count = 0
    for shard in shards {
      let (purged, change) = shard.withLock { shard -> (Int, Int) in
        let before = shard.bytes
        return (shard.purge(purge, now: Clock.monotonic), shard.bytes - before)
      }
      count += purged
      unreported.withLock { $0 += change }
    }
    return count
  }

  private func change(_ resourceHash: UInt64, _ body: (inout CacheShard) -> Void) {
    let change = shard(resourceHash).withLock { shard -> Int in
      let before = shard.bytes
      body(&shard)
      return shard.bytes - before
    }
    if change != 0 { unreported.withLock { $0 += change } }
  }

  /// Takes over what no worker's metric has yet.
  func takeUnreported() -> Int {
    unreported.withLock { value -> Int in
      defer { value = 0 }
      return value
    }
  }

  func giveBack(_ bytes: Int) { unreported.withLock { $0 += bytes } }
}
