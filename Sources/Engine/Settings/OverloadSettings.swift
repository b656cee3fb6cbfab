public import Configuration

/// How much a request matters when not all can be served.
public enum Priority: String, Sendable, CaseIterable {
  case critical, normal, background
}

/// When requests are refused because the gateway itself cannot keep up.
public struct OverloadSettings: Sendable, Equatable {
  public var isOn = true
  /// The delay of requests in a worker's queue that is borne.
  public var queueDelay: Nanoseconds = .milliseconds(100)
  /// How long it must last, and how often more or less is refused.
  public var interval: Nanoseconds = .milliseconds(500)

  public init(isOn: Bool = true) { self.isOn = isOn }

  static let section = Section(
    "overload", OverloadSettings(),
    "When requests are refused because the gateway itself cannot keep up: background first, critical last.",
    shorthand: "shed",
    [
      Keyword("shed", \.isOn, .boolean, "Whether any is refused."),
      Keyword(
        "queue_delay", \.queueDelay, .duration(in: 1000 ... .minutes(1)),
        "How long requests may wait for their worker; when all of an interval they waited longer, some are refused."),
      Keyword(
        "interval", \.interval, .duration(in: .milliseconds(1) ... .minutes(1)),
        "How long that must last, and how often more or less is refused."),
    ])
}
