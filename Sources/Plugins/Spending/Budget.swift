public import Configuration
import Kernel
public import PluginKit

/// Limits what a caller's calls of models may cost in a period.
public final class Budget: Plugin {
  private let spending: Spending

  public static let section = SpendingSettings.section(
    "budget", .nanousd, "Limits what a caller's calls of models may cost.", amount: "usd",
    "How many USD a key may spend in a minute, hour, day or month of the clock in UTC.")

  public static let metrics = [decisions]

  private static let decisions = PluginMetric(
    "sluice_budget_decisions", .counter, labels: ["budget", "decision"],
    "Calls of models that a budget decided on; decision is admitted, refused, or shadowed: refused but for shadow mode."
  )

  public static func share(_ settings: SpendingSettings) throws(PluginError) -> SpendingBook {
    try SpendingBook("budget", settings)
  }

  public static func stores(of settings: SpendingSettings) -> [String] {
    settings.store == .shared ? [SpendingSettings.Store.shared.rawValue] : []
  }

  public static func needsPrices(_ settings: SpendingSettings) -> Bool { true }

  /// A sample spends nothing, so the counts that outlast the process are not looked at.
  public static func rehearsal(of settings: SpendingSettings) -> SpendingSettings {
    var settings = settings
    settings.file = nil
    return settings
  }

  public init(_ book: SpendingBook, _ services: any WorkerServices) {
    spending = Spending(book, services, Self.decisions)
  }
}

extension Budget: ModelCallHook {
  public func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    if call.isAnswered { return .proceed }
    guard let price = call.price else {
      // What cannot be counted must not slip by; in shadow mode nothing is refused.
      return spending.settings.shadow ? .proceed : .fail(.noPrice)
    }
    let amount = price.cost(input: call.inputTokens, output: call.outputTokens ?? spending.settings.answer)
    switch await spending.reserve(amount, &exchange) {
    case .admitted(let reservation):
      call.hold(CostReservation(reservation, price))
      return .proceed
    case .refused: return spending.refuse(.budgetSpent, "budget", neverFits: false, &exchange)
    case .neverFits: return spending.refuse(.budgetSpent, "budget", neverFits: true, &exchange)
    case .failed(let fault): return .fail(fault)
    }
  }
}

/// Money that was set aside for a call.
private final class CostReservation: ModelReservation {
  private let reservation: Spending.Reservation
  private let price: TokenPrice

  init(_ reservation: Spending.Reservation, _ price: TokenPrice) {
    self.reservation = reservation
    self.price = price
  }

  func settle(_ outcome: ModelOutcome) { reservation.settle(used: outcome.isHit ? 0 : cost(of: outcome)) }

  func use(_ outcome: ModelOutcome) -> Fault? {
    reservation.count(used: cost(of: outcome)) ? nil : .budgetSpent
  }

  /// Where another model answered, which has no price, the tokens count as those of the one that was chosen.
  private func cost(of outcome: ModelOutcome) -> Int {
    outcome.cost ?? price.cost(input: outcome.inputTokens, output: outcome.outputTokens)
  }
}

extension Fault {
  /// Its word is the one that clients of OpenAI know: trying again soon does not help.
  public static let budgetSpent = Fault(
    .policy, 429, "insufficient_quota", "There is not enough left of the budget for this call.", isFinal: true)
  public static let noPrice = Fault(
    .policy, 403, "no_price", "This model has no price, and a budget holds here: ask for one that has.")
}
