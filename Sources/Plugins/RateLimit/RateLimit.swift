import Configuration
import HTTP
import Kernel
public import PluginKit

/// Refuses requests of callers that ask more often than they may.
///
/// The buckets are shared by all workers, so that the limit holds for the gateway as a whole, exactly. Admitting costs
/// one look into the table and one compare-and-swap.
public final class RateLimit: Plugin {
  private let limiter: RateLimiter
  private let services: any WorkerServices
  // Of the limiter, at hand: a request should not walk from object to object.
  private let table: ArrivalTable
  private let key: LimitKey
  private let interval: UInt64
  private let tolerance: UInt64
  private let admitted: PluginCounter
  private let refused: PluginCounter
  private let evicted: PluginCounter
  private let writesFields: Bool
  /// For `RateLimit`: what is the same in each, and the whole.
  private let prefix: [UInt8]
  private var line = ByteBuffer(capacity: 128)

  public static let metrics = [decisions, evictions]

  private static let decisions = PluginMetric(
    "sluice_rate_limit_decisions", .counter, labels: ["limit", "decision"],
    "Requests that a rate limit decided on; decision is admitted, refused, or shadowed: refused but for shadow mode.")
  private static let evictions = PluginMetric(
    "sluice_rate_limit_evicted_keys", .counter, labels: ["limit"],
    "Keys whose bucket was given up for another while it was not full; raise keys when this grows.")

  public static func share(_ settings: Settings) throws(PluginError) -> RateLimiter {
    try RateLimiter(settings, now: Clock.monotonic)
  }

  public init(_ shared: RateLimiter, _ services: any WorkerServices) {
    limiter = shared
    self.services = services
    table = shared.table
    key = shared.key
    interval = shared.interval
    tolerance = shared.tolerance
    let settings = shared.settings
    admitted = services.counter(Self.decisions, [settings.label, "admitted"])
    refused = services.counter(Self.decisions, [settings.label, settings.shadow ? "shadowed" : "refused"])
    evicted = services.counter(Self.evictions, [settings.label])
    writesFields = settings.headers && !settings.shadow
    prefix = Array("\"\(settings.label)\";r=".utf8)
  }

  public static func stores(of settings: Settings) -> [String] {
    settings.store == .shared ? [Store.shared.rawValue] : []
  }

  public private(set) lazy var hooks: [AnyObject] =
    limiter.settings.store == .local
    ? [self] : [SharedRateLimit(self, limiter, services.store(Store.shared.rawValue))]
}

extension RateLimit {
  /// A sample has the place of few keys: it is one.
  public static func rehearsal(of settings: Settings) -> Settings {
    var settings = settings
    settings.keys = 1024
    return settings
  }

  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    let settings = limiter.settings
    let bucket = settings.bucket == settings.rate.count ? "" : ", \(settings.bucket) at once"
    return "\(settings.rate.text)\(bucket) for \(key.words(for: exchange)), whose bucket is taken to be full"
      + (settings.shadow ? "; in shadow mode, which refuses nothing" : "")
  }
}

extension RateLimit: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    let now = limiter.time(services.now)
    switch table.charge(key.hash(in: exchange), now: now, interval: interval, tolerance: tolerance) {
    case .admitted(let arrival, let others):
      if others > 0 { evicted.add(others) }
      return decide(isAdmitted: true, ahead: arrival &- now, &exchange)
    case .refused(let arrival): return decide(isAdmitted: false, ahead: arrival &- now, &exchange)
    }
  }

  /// - Parameter ahead: how long until the bucket is full again, in the limiter's unit.
  func decide(isAdmitted: Bool, ahead: UInt64, _ exchange: inout Exchange) -> Verdict {
    if isAdmitted {
      admitted.add()
      if writesFields { exchange.notes.set(ahead, for: self) }
      return .proceed
    }
    refused.add()
    if limiter.settings.shadow { return .proceed }
    if writesFields { exchange.notes.set(ahead, for: self) }
    var fault = Fault.rateLimited
    fault.retryAfter = limiter.wait(ahead)
    return .fail(fault)
  }
}

extension RateLimit: ResponseHeadHook {
  /// Writes the fields of draft-ietf-httpapi-ratelimit-headers-10, one item of each for each limit.
  public func onResponseHead(_ exchange: inout Exchange) {
    guard writesFields, let ahead = exchange.notes.value(of: self) else { return }
    let prefix = prefix
    line.removeAll()
    line.append(prefix.span)
    line.append(decimal: limiter.remaining(ahead))
    line.append(";t=")
    line.append(decimal: RateLimiter.seconds(ahead))
    exchange.response.addHeaders(limiter.policy)
    Self.add(line, to: &exchange.response)
  }

  private static func add(_ line: borrowing ByteBuffer, to response: inout ResponseMessage) {
    response.addHeader(named: "RateLimit", line.span)
  }
}

extension Fault {
  public static let rateLimited = Fault(
    .policy, 429, "rate_limited", "Too many requests; try again after the time that Retry-After says.")
}
