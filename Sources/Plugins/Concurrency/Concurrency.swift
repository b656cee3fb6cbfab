public import Configuration
import Kernel
public import PluginKit

/// Limits how many requests of a key are under way at the same moment, on all workers together.
public final class Concurrency: Plugin {
  public struct Settings: Sendable {
    var maximum = 0
    var key: [RequestValue] = [.route]
    var name: String?
    var shadow = false

    /// What the limit is called where it has no name.
    var label: String { name ?? "\(maximum)" }
  }

  public static let section = Section(
    "concurrency", Settings(), "Limits how many requests are under way at the same moment.", shorthand: "maximum",
    [
      Keyword(
        "maximum", \.maximum, .integer(in: 1...CountTable.largestCount), required: true,
        "How many requests of one key may be under way."),
      Keyword(
        "key", \.key, .list(of: .requestValue, minimum: 1, maximum: 8),
        "Whose requests count together. A value that a request does not have is replaced by ip."),
      Keyword("name", \.name, .limitName, "What the limit is called in metrics; unset: the maximum."),
      Keyword("shadow", \.shadow, .boolean, "Counts what would be refused, and refuses nothing."),
    ])

  public static let metrics = [decisions, underWay]

  private static let decisions = PluginMetric(
    "sluice_concurrency_decisions", .counter, labels: ["limit", "decision"],
    "Requests that a concurrency limit decided on; decision is admitted, refused, shadowed (refused but for shadow "
      + "mode), or uncounted, where more keys than there is room for were under way.")
  private static let underWay = PluginMetric(
    "sluice_concurrency_under_way", .gauge, labels: ["limit"], "Requests that a concurrency limit counts at the moment."
  )

  private let limit: ConcurrencyLimit
  private let admitted: PluginCounter
  private let refused: PluginCounter
  private let uncounted: PluginCounter
  private let held: PluginCounter

  public static func share(_ settings: Settings) throws(PluginError) -> ConcurrencyLimit {
    try ConcurrencyLimit(settings)
  }

  public init(_ shared: ConcurrencyLimit, _ services: any WorkerServices) {
    limit = shared
    let label = shared.settings.label
    admitted = services.counter(Self.decisions, [label, "admitted"])
    refused = services.counter(Self.decisions, [label, shared.settings.shadow ? "shadowed" : "refused"])
    uncounted = services.counter(Self.decisions, [label, "uncounted"])
    held = services.counter(Self.underWay, [label])
  }
}

/// What all workers share of one limit.
public final class ConcurrencyLimit: Sendable {
  let settings: Concurrency.Settings
  let key: LimitKey
  let table: CountTable

  /// More than there are connections, as a rule; 4 MiB of address space.
  private static let keys = 1 << 16

  init(_ settings: Concurrency.Settings) throws(PluginError) {
    self.settings = settings
    key = LimitKey(settings.key)
    do { table = try CountTable(keys: Self.keys) } catch { throw PluginError("there is no memory for it (\(error))") }
  }
}

extension Concurrency {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    "\(limit.settings.maximum) at once for \(limit.key.words(for: exchange)), of which none is taken to be under way"
  }
}

extension Concurrency: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    switch limit.table.enter(limit.key.hash(in: exchange), maximum: limit.settings.maximum) {
    case .entered(let place):
      exchange.notes.set(UInt64(place), for: self)
      admitted.add()
      held.add()
      return .proceed
    case .full:
      uncounted.add()
      return .proceed
    case .refused:
      refused.add()
      return limit.settings.shadow ? .proceed : .fail(.tooManyAtOnce)
    }
  }
}

extension Concurrency: LogHook {
  /// Called once for each exchange, whatever became of it.
  public func onEnd(_ exchange: inout Exchange) {
    guard let place = exchange.notes.value(of: self) else { return }
    limit.table.leave(Int(place))
    held.add(-1)
  }
}

extension Fault {
  public static let tooManyAtOnce = Fault(
    .policy, 429, "too_many_at_once", "Too many requests are under way at once; wait for one of them to end.",
    retryAfter: 1)
}
