import HTTP
import Kernel
public import PluginKit

/// A shared cache in memory (RFC 9111): answers again what an upstream has answered before.
///
/// It keeps what the upstream sent, before any hook of the answer: so hooks run on an answer from the cache as on any
/// other, and may differ between clients.
public final class Cache: Plugin {
  let store: CacheStore
  let settings: Settings
  let policy: CachePolicy
  let services: any WorkerServices
  /// Whether the key keeps callers apart.
  let keyNamesCaller: Bool
  var key = CacheKey()
  var scratch = ByteBuffer(capacity: 256)
  /// Requests that went on to the upstream, by the number that their exchange notes.
  private var calls: [UInt64: CacheCall] = [:]
  private var lastCall: UInt64 = 0
  /// What this worker has put into the metric of bytes.
  private var reported = 0
  private let uses: [PluginCounter]
  private let collapsed: PluginCounter
  private let evictions: PluginCounter
  private let bytes: PluginCounter

  public static let metrics = [requests, waits, evicted, held]

  private static let requests = PluginMetric(
    "sluice_cache_requests", .counter, labels: ["result"],
    "Requests by what the cache had for them; result is hit, stale, revalidated, miss or bypass.")
  private static let waits = PluginMetric(
    "sluice_cache_collapsed", .counter, "Requests that waited for another one's fetch of the same.")
  private static let evicted = PluginMetric(
    "sluice_cache_evictions", .counter, "Stored resources that had to go for others.")
  private static let held = PluginMetric("sluice_cache_bytes", .gauge, "Memory of stored answers.")

  private static let results: [CacheUse] = [.hit, .stale, .revalidated, .miss, .bypass]

  public static func share(_ settings: Settings) throws(PluginError) -> CacheStore { CacheStore(settings) }

  public init(_ shared: CacheStore, _ services: any WorkerServices) {
    store = shared
    settings = shared.settings
    self.services = services
    let second = 1_000_000_000
    policy = CachePolicy(
      ttl: settings.ttl / second, staleWhileRevalidate: settings.staleWhileRevalidate / second,
      staleIfError: settings.staleIfError / second)
    keyNamesCaller = settings.key.contains { $0.namesCaller }
    uses = Self.results.map { services.counter(Self.requests, ["\($0.word)"]) }
    collapsed = services.counter(Self.waits, [])
    evictions = services.counter(Self.evicted, [])
    bytes = services.counter(Self.held, [])
    report()
  }

  /// Another instance takes over what this one has told the metric.
  deinit {
    bytes.add(-reported)
    store.giveBack(reported)
  }

  /// An instance that nobody has asked before has nothing stored.
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .proceed = verdict else { return nil }
    return exchange.cacheUse == .bypass
      ? "the cache has no part in it" : "its answer may be kept; nothing is taken to be stored"
  }

  private func report() {
    let change = store.takeUnreported()
    reported += change
    bytes.add(change)
  }

  func count(_ use: CacheUse, _ exchange: inout Exchange) {
    exchange.cacheUse = use
    if let index = Self.results.firstIndex(of: use) { uses[index].add() }
  }

  func countCollapsed() { collapsed.add() }

  // MARK: Calls

  func begin(_ call: CacheCall, _ exchange: inout Exchange) {
    lastCall &+= 1
    calls[lastCall] = call
    exchange.notes.set(lastCall, for: self)
  }

  func call(of exchange: borrowing Exchange) -> CacheCall? {
    guard let number = exchange.notes.value(of: self) else { return nil }
    return calls[number]
  }

  func forget(_ exchange: borrowing Exchange) -> CacheCall? {
    guard let number = exchange.notes.value(of: self) else { return nil }
    return calls.removeValue(forKey: number)
  }

  /// Lets those go on who wait for this call.
  func release(_ call: CacheCall) {
    guard let flight = call.flight else { return }
    call.flight = nil
    store.end(flight, call.key)
  }

  func insert(_ answer: CachedAnswer, _ call: CacheCall) {
    evictions.add(store.insert(answer, call.key, began: call.began))
    report()
  }
}

extension Cache: LogHook {
  public func onEnd(_ exchange: inout Exchange) {
    if let call = forget(exchange) { release(call) }
  }
}
