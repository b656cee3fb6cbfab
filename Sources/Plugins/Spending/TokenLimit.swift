public import Configuration
import Kernel
public import PluginKit

/// Limits how many tokens of models a caller may use in a period.
public final class TokenLimit: Plugin {
  private let spending: Spending

  public static let section = SpendingSettings.section(
    "token_limit", .tokens, "Limits how many tokens of models a caller may use, prompts and answers together.",
    amount: "tokens", "How many a key may use in a minute, hour, day or month of the clock in UTC.")

  public static let metrics = [decisions]

  private static let decisions = PluginMetric(
    "sluice_token_limit_decisions", .counter, labels: ["limit", "decision"],
    "Calls of models that a token_limit decided on; decision is admitted, refused, or shadowed: refused but for shadow mode."
  )

  public static func share(_ settings: SpendingSettings) throws(PluginError) -> SpendingBook {
    try SpendingBook("token_limit", settings)
  }

  public static func stores(of settings: SpendingSettings) -> [String] {
    settings.store == .shared ? [SpendingSettings.Store.shared.rawValue] : []
  }

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

extension TokenLimit: ModelCallHook {
  public func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    if call.isAnswered { return .proceed }
    let amount = call.inputTokens + (call.outputTokens ?? spending.settings.answer)
    switch await spending.reserve(amount, &exchange) {
    case .admitted(let reservation):
      call.hold(TokenReservation(reservation))
      return .proceed
    case .refused: return spending.refuse(.tokenLimitExceeded, "token limit", neverFits: false, &exchange)
    case .neverFits: return spending.refuse(.tokenLimitExceeded, "token limit", neverFits: true, &exchange)
    case .failed(let fault): return .fail(fault)
    }
  }
}

/// Tokens that were set aside for a call.
private final class TokenReservation: ModelReservation {
  private let reservation: Spending.Reservation

  init(_ reservation: Spending.Reservation) { self.reservation = reservation }

  func use(_ outcome: ModelOutcome) -> Fault? {
    reservation.count(used: outcome.inputTokens + outcome.outputTokens) ? nil : .tokenLimitExceeded
  }

  func settle(_ outcome: ModelOutcome) {
    reservation.settle(used: outcome.isHit ? 0 : outcome.inputTokens + outcome.outputTokens)
  }
}

extension Fault {
  public static let tokenLimitExceeded = Fault(
    .policy, 429, "token_limit_exceeded", "There are not enough tokens left for this call.")
}
