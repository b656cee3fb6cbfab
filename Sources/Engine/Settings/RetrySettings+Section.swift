public import Configuration

extension RetrySettings {
  public static let section = Section(
    "retries", RetrySettings(), "When a call is tried on another target.",
    [
      Keyword("maximum", \.maximum, .integer(in: 0...10), "Further attempts after the first; 0 turns them off."),
      Keyword(
        "when", .list(of: .retryReason, maximum: 64),
        "What is tried again: connect_failure, reset, or a status of 500 to 599.",
        get: \.reasons, set: { $0.reasons = $1 }),
      Keyword(
        "methods", \.methods, .list(of: .method, maximum: 16),
        "Requests that may be sent twice; whatever was not sent yet is tried again in any case."),
      Keyword(
        "budget", \.budget, .ratio,
        "Retries beside the calls of the last ten seconds; three at a time are always allowed."),
    ])

  /// What is tried again, as the configuration lists it.
  enum Reason: Sendable, Equatable {
    case connectFailure
    case reset
    case status(Int)

    var text: String {
      switch self {
      case .connectFailure: "connect_failure"
      case .reset: "reset"
      case .status(let code): String(code)
      }
    }
  }

  private var reasons: [Reason] {
    get {
      (onConnectFailure ? [.connectFailure] : []) + (onReset ? [.reset] : []) + statuses.map { .status($0) }
    }
    set {
      onConnectFailure = newValue.contains(.connectFailure)
      onReset = newValue.contains(.reset)
      statuses = newValue.compactMap { if case .status(let code) = $0 { code } else { nil } }
    }
  }
}

extension ValueType where Value == RetrySettings.Reason {
  fileprivate static var retryReason: ValueType {
    let words = ["connect_failure", "reset"]
    let shape = ScalarShape(
      "reason to try again", expectation: "connect_failure, reset, or a status from 500 to 599",
      schema: [
        (
          "anyOf",
          .array([
            .object([("enum", .array(words.map { .string($0) }))]),
            .object([("type", .string("integer")), ("minimum", .integer(500)), ("maximum", .integer(599))]),
          ])
        )
      ], choices: words)
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      switch text {
      case "connect_failure": return .connectFailure
      case "reset": return .reset
      default:
        guard text.utf8.count == 3, text.utf8.first == UInt8(ascii: "5"), let code = Int(text) else { throw .malformed }
        return .status(code)
      }
    }
  }
}
