/// What is known of a model of Anthropic's by its name; nothing of one that somebody named otherwise.
struct ClaudeModel {
  private let version: (major: Int, minor: Int)?

  /// - Parameter name: with the version before or behind the family's: `claude-sonnet-4-5-20250929`, `claude-3-7-sonnet-…`,
  ///   `eu.anthropic.claude-opus-4-6-v1`.
  init(_ name: String) {
    guard let start = name.firstRange(of: "claude-")?.upperBound else {
      version = nil
      return
    }
    let words = name[start...].split { $0 == "-" || $0 == "." || $0 == "@" || $0 == ":" }
    let numbers = words.map { $0.utf8.count <= 2 ? Int($0) : nil }
    guard let place = numbers.firstIndex(where: { $0 != nil }), let major = numbers[place] else {
      version = nil
      return
    }
    version = (major, place + 1 < numbers.count ? numbers[place + 1] ?? 0 : 0)
  }

  /// Whether it is told how hard to think, and not in how many tokens; so is one whose version nobody knows.
  var thinksByEffort: Bool { version.map { $0 >= (4, 6) } ?? true }

  /// Whether it can be asked for an answer's schema at Bedrock too.
  /// (https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html)
  var knowsSchemas: Bool { version.map { $0 >= (4, 5) } ?? false }

  /// Whether it refuses to be told in how many tokens to think, and how to draw the next one.
  /// (https://platform.claude.com/docs/en/about-claude/models/migration-guide)
  var decidesAlone: Bool { version.map { $0 >= (4, 7) } ?? false }

  /// Notes what it cannot be told of how to draw the next token.
  func note(_ sampling: Sampling, _ lost: inout Inexpressible) {
    if decidesAlone {
      lost.add(.topK, if: sampling.topK)
      // One is all of them, as it is unasked.
      if let topP = sampling.topP, Double(topP.literal) != 1 { lost.add(.topP) }
    }
    if let temperature = sampling.temperature, !allows(temperature) { lost.add(.temperature) }
  }

  /// Whether it may be told this temperature: none beyond 1, which is its own.
  func allows(_ temperature: JSONNumber) -> Bool {
    guard let value = Double(temperature.literal) else { return true }
    return decidesAlone ? value == 1 : value <= 1
  }
}
