public import Configuration

/// When a target that fails several times in a row is left out, and for how long.
public struct OutlierSettings: Sendable, Equatable {
  /// Failures without a success between them: answers from 500, resets, timeouts.
  public var consecutiveFailures = 5
  public var ejectFor: Nanoseconds = .seconds(10)
  /// At most this share of the targets is out at a time, rounded down.
  public var maximum = 0.5

  static let section = Section(
    "outlier_ejection", OutlierSettings(), "When a target that fails several times in a row is left out for a while.",
    [
      Keyword(
        "consecutive_failures", \.consecutiveFailures, .integer(in: 1...1000),
        "Failures without a success between them: answers of 500 to 599, resets, timeouts."),
      Keyword("eject_for", \.ejectFor, .duration(in: .milliseconds(10) ... .hours(1)), "How long it gets no calls."),
      Keyword(
        "maximum", \.maximum, .ratio, "The share of the targets that may be out at a time so, rounded down."),
    ])
}

/// When a call without an answer is made once more beside the first.
public struct HedgeSettings: Sendable, Equatable {
  /// From the end of the request.
  public var after: Nanoseconds = .milliseconds(500)
  /// Further calls at a time.
  public var maximum = 1

  static let section = Section(
    "hedge", HedgeSettings(),
    "Asks another target too when an answer is late; the first answer is taken. Only for safe methods without a body.",
    shorthand: "after",
    [
      Keyword(
        "after", \.after, .duration(in: .milliseconds(1) ... .minutes(1)), required: true,
        "How long to wait for the answer; the next further call is made as much later."),
      Keyword(
        "maximum", \.maximum, .integer(in: 1...4), "Further calls at a time; the budget of `retries` holds for them."),
    ])
}
