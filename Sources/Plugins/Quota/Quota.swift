import Configuration
import HTTP
import Kernel
public import PluginKit

/// What all workers share of one quota.
public final class QuotaBook: Sendable {
  let settings: Quota.Settings
  let key: LimitKey
  /// Nil where the counts are in a shared store alone.
  let ledger: QuotaLedger?
  /// Whether what is counted is written; not for sample requests.
  let keepsFile: Bool

  init(_ settings: Quota.Settings) throws(PluginError) {
    self.settings = settings
    ledger = try settings.file.map { path throws(PluginError) in try QuotaLedger(path, keys: settings.keys) }
    keepsFile = settings.keepsFile
    key = LimitKey(settings.key, seed: ledger?.seed ?? 0)
  }

  deinit { if keepsFile { ledger?.close() } }
}

/// Refuses requests of callers that have used what they may in a calendar day or month.
public final class Quota: Plugin {
  private let book: QuotaBook
  private let settings: Settings
  private let services: any WorkerServices
  private let admitted: PluginCounter
  private let refused: PluginCounter
  private let evicted: PluginCounter
  /// The end of the period at hand, in seconds since 1970.
  private var end = 0
  private let policies: [Period: RenderedFields]
  private var line = ByteBuffer(capacity: 128)

  public static let metrics = [decisions, evictions]

  private static let decisions = PluginMetric(
    "sluice_quota_decisions", .counter, labels: ["quota", "decision"],
    "Requests that a quota decided on; decision is admitted, refused, or shadowed: refused but for shadow mode.")
  private static let evictions = PluginMetric(
    "sluice_quota_evicted_keys", .counter, labels: ["quota"],
    "Keys whose count was given up for another; raise keys when this grows.")

  public static func share(_ settings: Settings) throws(PluginError) -> QuotaBook { try QuotaBook(settings) }

  public static func stores(of settings: Settings) -> [String] {
    settings.store == .shared ? [Store.shared.rawValue] : []
  }

  public init(_ book: QuotaBook, _ services: any WorkerServices) {
    self.book = book
    self.services = services
    settings = book.settings
    admitted = services.counter(Self.decisions, [settings.label, "admitted"])
    refused = services.counter(Self.decisions, [settings.label, settings.shadow ? "shadowed" : "refused"])
    evicted = services.counter(Self.evictions, [settings.label])
    let value = "\"\(settings.label)\";q=\(settings.limit)"
    policies = [
      .day: RenderedFields(("RateLimit-Policy", value + ";w=86400")),
      .month: RenderedFields(("RateLimit-Policy", value)),
    ]
    if book.keepsFile { book.ledger?.startWriting() }
  }

  public private(set) lazy var hooks: [AnyObject] =
    settings.store == .local ? [self] : [SharedQuota(self, book, services.store(Store.shared.rawValue))]

  /// The end of the period that a request belongs to.
  func end(for exchange: borrowing Exchange) -> Int {
    let now = exchange.began / 1_000_000_000
    if now >= end || now < end - 2 * settings.per.length { end = settings.per.end(of: now, in: settings.zone) }
    return end
  }

  /// - Parameter used: what the key has used, this request too if it is admitted.
  func decide(isAdmitted: Bool, used: Int, _ exchange: inout Exchange) -> Verdict {
    if settings.headers, !settings.shadow { exchange.notes.set(UInt64(used), for: self) }
    if isAdmitted {
      admitted.add()
      return .proceed
    }
    refused.add()
    if settings.shadow { return .proceed }
    var fault = Fault.quotaExceeded
    fault.retryAfter = max(1, end - exchange.began / 1_000_000_000)
    return .fail(fault)
  }
}

extension Quota {
  /// A sample is counted on from what the file says, and the file stays as it is.
  public static func rehearsal(of settings: Settings) -> Settings {
    var settings = settings
    settings.keepsFile = false
    return settings
  }

  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    let limit = "\(settings.limit) a \(settings.per.rawValue) for \(book.key.words(for: exchange))"
    guard let used = exchange.notes.value(of: self), book.ledger != nil else { return limit }
    return "\(limit), of which \(used) are used with this one, as the file has it"
  }
}

extension Quota: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    guard let ledger = book.ledger else { return .fail(.storeUnavailable) }
    let end = end(for: exchange)
    switch ledger.charge(book.key.hash(in: exchange), limit: settings.limit, end: end, period: settings.per.length) {
    case .admitted(let used, let others):
      if others > 0 { evicted.add(others) }
      return decide(isAdmitted: true, used: used, &exchange)
    case .refused: return decide(isAdmitted: false, used: settings.limit, &exchange)
    }
  }
}

extension Quota: ResponseHeadHook {
  /// Writes the fields of draft-ietf-httpapi-ratelimit-headers-10, as `rate_limit` does.
  public func onResponseHead(_ exchange: inout Exchange) {
    guard let used = exchange.notes.value(of: self), let policy = policies[settings.per] else { return }
    line.removeAll()
    line.append("\"")
    line.append(settings.label)
    line.append("\";r=")
    line.append(decimal: max(0, settings.limit - Int(used)))
    line.append(";t=")
    line.append(decimal: max(1, end - exchange.began / 1_000_000_000))
    exchange.response.addHeaders(policy)
    Self.add(line, to: &exchange.response)
  }

  private static func add(_ line: borrowing ByteBuffer, to response: inout ResponseMessage) {
    response.addHeader(named: "RateLimit", line.span)
  }
}

extension Fault {
  public static let quotaExceeded = Fault(
    .policy, 429, "quota_exceeded", "The quota of this period is used up; Retry-After says when the next one begins.")
}
