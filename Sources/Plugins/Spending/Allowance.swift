import Configuration

/// So much in a period of the clock: `200000/min`, `50/day`.
struct Allowance: Sendable, Equatable {
  /// Periods begin with the minute, the hour, the day and the month, in UTC.
  enum Period: String, Sendable, CaseIterable {
    case minute = "min"
    case hour = "h"
    case day, month

    /// When the period ends in which a moment lies; both in seconds since 1970.
    func end(of seconds: Int) -> Int {
      switch self {
      case .minute: (seconds / 60 + 1) * 60
      case .hour: (seconds / 3600 + 1) * 3600
      case .day: CalendarTime.endOfDay(seconds)
      case .month: CalendarTime.endOfMonth(seconds)
      }
    }
  }

  /// What is counted.
  enum Unit: String, Sendable {
    case tokens
    /// Billionths of a USD: exact for every price, and an integer holds nine thousand million USD of them.
    case nanousd
  }

  var amount: Int
  var period: Period
  var unit: Unit

  /// As the configuration has it.
  var text: String { "\(amountText)/\(period.rawValue)" }

  /// The amount alone, in tokens or USD.
  var amountText: String { unit == .tokens ? "\(amount)" : Self.dollars(amount) }

  static func dollars(_ nano: Int) -> String {
    var decimals = String(String(nano % 1_000_000_000 + 1_000_000_000).dropFirst())
    while decimals.hasSuffix("0") { decimals.removeLast() }
    return decimals.isEmpty ? "\(nano / 1_000_000_000)" : "\(nano / 1_000_000_000).\(decimals)"
  }

  private static let most = 1_000_000_000_000

  init(amount: Int, period: Period, unit: Unit) {
    self.amount = amount
    self.period = period
    self.unit = unit
  }

  /// Nil when the text is none.
  init?(_ text: String, _ unit: Unit) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let period = Period(rawValue: String(parts[1])) else { return nil }
    let amount = unit == .tokens ? Self.whole(parts[0]) : Self.nano(parts[0])
    guard let amount, amount > 0 else { return nil }
    self.init(amount: amount, period: period, unit: unit)
  }

  private static func whole(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let value = Int(text), value <= most else {
      return nil
    }
    return value
  }

  /// USD with at most six decimals, as billionths.
  private static func nano(_ text: Substring) -> Int? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let dollars = whole(parts[0]), dollars <= 1_000_000 else { return nil }
    if parts.count == 1 { return dollars * 1_000_000_000 }
    guard (1...6).contains(parts[1].utf8.count),
      let part = whole(parts[1] + String(repeating: "0", count: 6 - parts[1].utf8.count))
    else { return nil }
    return dollars * 1_000_000_000 + part * 1000
  }
}

extension ValueType where Value == Allowance {
  static func allowance(_ unit: Allowance.Unit) -> ValueType {
    let shape =
      unit == .tokens
      ? ScalarShape(
        "tokens in a period",
        expectation: "a number of tokens in a period, such as 200000/min, 1000000/h or 5000000/day",
        schema: [("type", .string("string")), ("pattern", .string("^[0-9]+/(min|h|day|month)$"))])
      : ScalarShape(
        "USD in a period", expectation: "USD in a period, such as 0.50/h, 50/day or 1000/month",
        schema: [("type", .string("string")), ("pattern", .string("^[0-9]+([.][0-9]{1,6})?/(min|h|day|month)$"))])
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      guard let allowance = Allowance(text, unit) else { throw .malformed }
      return allowance
    }
  }
}
