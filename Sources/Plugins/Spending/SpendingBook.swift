import Configuration
import Kernel
public import PluginKit

/// What all workers share of one limit on what calls of models use up.
public final class SpendingBook: Sendable {
  /// The plugin's name.
  let kind: String
  let settings: SpendingSettings
  let key: LimitKey
  let ledger: SpendingLedger

  init(_ kind: String, _ settings: SpendingSettings) throws(PluginError) {
    self.kind = kind
    self.settings = settings
    key = LimitKey(settings.key, seed: 0)
    ledger = try SpendingLedger(settings.store == .local ? settings.file : nil, keys: settings.keys)
  }

  deinit { ledger.close() }
}

extension SpendingBook: SpendSource {
  public func spend(now: Int) -> SpendReport {
    let end = settings.allowance.period.end(of: now)
    let amounts = ledger.amounts(end: end).map { (key: Self.readable($0.key), used: $0.used) }
    return SpendReport(
      kind: kind, name: settings.label, unit: settings.allowance.unit.rawValue, limit: settings.allowance.amount,
      end: end, isShared: settings.store == .shared, amounts: amounts.sorted { $0.used > $1.used })
  }

  /// The values of a key, without the bytes that stand before them.
  private static func readable(_ key: String) -> String {
    key.split(separator: "\u{1F}").map { $0.hasPrefix("\u{1E}") ? String($0.dropFirst()) : String($0) }
      .joined(separator: ", ")
  }
}
