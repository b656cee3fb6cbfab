import Configuration
import HTTP
import Kernel
import PluginKit

/// The same limit with its buckets in a shared store, so that it holds for several gateways together.
///
/// The store does the whole charge in one step, by its own clock, so gateways need not agree on the time. While it is
/// away, the buckets of this gateway's memory are charged, or the call is refused: the store's settings say which.
final class SharedRateLimit: AsyncRequestHeadHook, ResponseHeadHook {
  /// The limit with buckets of its own.
  private let local: RateLimit
  private let limiter: RateLimiter
  private let store: (any SharedStore)?
  private let prefix: [UInt8]
  /// In nanoseconds.
  private let arguments: [Int]
  private var key = ByteBuffer(capacity: 128)

  init(_ local: RateLimit, _ limiter: RateLimiter, _ store: (any SharedStore)?) {
    self.local = local
    self.limiter = limiter
    self.store = store
    let settings = limiter.settings
    let values = settings.key.map(\.text).joined(separator: ",")
    prefix = Array("sluice:rate_limit:\(settings.label):\(settings.bucket):\(values)".utf8)
    arguments = [
      max(1, Int(limiter.interval / RateLimiter.unit)), max(1, Int(limiter.tolerance / RateLimiter.unit)),
    ]
  }

  func onRequestHead(_ exchange: inout Exchange) async -> Verdict {
    guard let store else { return local.onRequestHead(&exchange) }
    let prefix = prefix
    key.removeAll()
    key.append(prefix.span)
    Self.append(limiter.key, of: exchange, to: &key)
    do throws(StoreError) {
      let answer = try await store.run(Self.script, key: Self.bytes(key), arguments)
      guard answer.count == 2 else { throw StoreError.refused }
      return local.decide(isAdmitted: answer[0] == 1, ahead: UInt64(max(0, answer[1])) * RateLimiter.unit, &exchange)
    } catch {
      if store.fallsBackToLocal || limiter.settings.shadow { return local.onRequestHead(&exchange) }
      return .fail(.storeUnavailable)
    }
  }

  func onResponseHead(_ exchange: inout Exchange) { local.onResponseHead(&exchange) }

  private static func append(_ key: LimitKey, of exchange: borrowing Exchange, to out: inout ByteBuffer) {
    key.append(of: exchange, to: &out)
  }

  private static func bytes(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    let span = buffer.span
    return Array(copying: span)
  }

  /// GCRA as in `ArrivalTable`, in microseconds of the store's clock; answers whether it admits, and how far ahead the
  /// bucket is, in nanoseconds. A bucket that is full again needs no entry, so the entry expires then.
  private static let script = StoreScript(
    """
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local interval = ARGV[1] / 1000
    local arrival = tonumber(redis.call('GET', KEYS[1]) or 0)
    if arrival < now then arrival = now end
    local next = arrival + interval
    if next - now > ARGV[2] / 1000 + 0.5 then return {0, math.floor((arrival - now) * 1000)} end
    redis.call('SET', KEYS[1], string.format('%.3f', next), 'PX', math.ceil((next - now) / 1000) + 1)
    return {1, math.floor((next - now) * 1000)}
    """)
}
