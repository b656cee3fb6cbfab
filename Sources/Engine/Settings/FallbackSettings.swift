import Configuration

/// What becomes of a call that its upstream cannot answer, or answers with an error.
public struct FallbackSettings: Sendable, Equatable {
  public enum Cause: Sendable, Equatable {
    case circuitOpen
    case connectFailure
    case reset
    case timeout
    /// Of the upstream's answer, or of the fault that stands for one.
    case status(Int)

    /// As the configuration writes it.
    var text: String {
      switch self {
      case .circuitOpen: "circuit_open"
      case .connectFailure: "connect_failure"
      case .reset: "reset"
      case .timeout: "timeout"
      case .status(let status): String(status)
      }
    }
  }

  public enum Way: Sendable, Equatable {
    case respond(RespondSettings)
    /// Index into the gateway's upstreams.
    case upstream(Int)
  }

  public var when: [Cause]
  public var way: Way

  static let usual: [Cause] = [.circuitOpen, .status(502), .status(503), .status(504)]
}

/// A fallback as it is written, before the name in it is looked up.
public struct FallbackDraft: Sendable {
  public var when = FallbackSettings.usual
  public var respond: RespondSettings?
  public var upstream: UpstreamReference?

  static let section = Section(
    "fallback", FallbackDraft(), "What becomes of a call that the upstream cannot answer, or answers with an error.",
    [
      Keyword(
        "when", \.when, .list(of: .cause, minimum: 1, maximum: 64),
        "In which cases: circuit_open, connect_failure, reset, timeout, or a status of 500 to 599, the upstream's own or "
          + "that of the gateway's fault."),
      Keyword("respond", \.respond, .section(RespondSettings.section), "The answer instead."),
      Keyword(
        "upstream", \.upstream, .upstreamReference,
        "The upstream that gets the call instead: a name, or a target's URL. A body must have come with the head."),
    ],
    check: { fallback, node, reading in
      guard (fallback.respond == nil) == (fallback.upstream == nil) else { return }
      reading.error(
        fallback.respond == nil ? "this fallback does nothing" : "a fallback goes one way", at: node.position,
        expected: "`respond` or `upstream`")
    })
}

extension ValueType where Value == FallbackSettings.Cause {
  fileprivate static var cause: ValueType {
    let words: [FallbackSettings.Cause] = [.circuitOpen, .connectFailure, .reset, .timeout]
    let shape = ScalarShape(
      "cause of a fallback",
      expectation: "\(words.map(\.text).joined(separator: ", ")), or a status from 500 to 599",
      schema: [
        (
          "anyOf",
          .array([
            .object([("enum", .array(words.map { .string($0.text) }))]),
            .object([("type", .string("integer")), ("minimum", .integer(500)), ("maximum", .integer(599))]),
          ])
        )
      ], choices: words.map(\.text))
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      if let word = words.first(where: { $0.text == text }) { return word }
      guard text.utf8.count == 3, text.utf8.first == UInt8(ascii: "5"), let code = Int(text) else { throw .malformed }
      return .status(code)
    }
  }
}
