import Configuration
import Kernel
import PluginKit

/// The same quota with its counts in a shared store, so that it holds for several gateways together.
///
/// The period is part of the key, and the count expires with it. While the store is away the local counts are charged, if
/// there is a file for them, or the call is refused: the store's settings say which.
final class SharedQuota: AsyncRequestHeadHook, ResponseHeadHook {
  private let local: Quota
  private let book: QuotaBook
  private let store: (any SharedStore)?
  private let prefix: String
  private var key = ByteBuffer(capacity: 128)

  init(_ local: Quota, _ book: QuotaBook, _ store: (any SharedStore)?) {
    self.local = local
    self.book = book
    self.store = store
    let settings = book.settings
    let values = settings.key.map(\.text).joined(separator: ",")
    prefix = "sluice:quota:\(settings.label):\(settings.per.rawValue):\(values):"
  }

  func onRequestHead(_ exchange: inout Exchange) async -> Verdict {
    let settings = book.settings
    let end = local.end(for: exchange)
    do throws(StoreError) {
      guard let store else { throw StoreError.away }
      key.removeAll()
      key.append(prefix)
      key.append(decimal: end)
      Self.append(book.key, of: exchange, to: &key)
      // An hour more, for gateways whose clocks are late.
      let answer = try await store.run(Self.script, key: Self.bytes(key), [settings.limit, end + 3600])
      guard answer.count == 2 else { throw StoreError.refused }
      return local.decide(isAdmitted: answer[0] == 1, used: answer[1], &exchange)
    } catch {
      if settings.shadow { return .proceed }
      return store?.fallsBackToLocal == true && book.ledger != nil
        ? local.onRequestHead(&exchange) : .fail(.storeUnavailable)
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

  private static let script = StoreScript(
    """
    local used = tonumber(redis.call('GET', KEYS[1]) or 0)
    if used >= tonumber(ARGV[1]) then return {0, used} end
    used = redis.call('INCR', KEYS[1])
    if used == 1 then redis.call('EXPIREAT', KEYS[1], ARGV[2]) end
    return {1, used}
    """)
}
