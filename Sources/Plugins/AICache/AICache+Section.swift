public import Configuration
public import PluginKit

extension AICache {
  public struct Settings: Sendable {
    enum Store: String, Sendable, CaseIterable { case local, shared }
    enum Mode: String, Sendable, CaseIterable { case exact, semantic }

    var mode = Mode.exact
    var ttl = Nanoseconds.minutes(10)
    var when = Condition()
    var isShared = false
    var size = 64 << 20
    var object = 1 << 20
    var store = Store.local
    var name: String?
    /// Of `semantic`: who says what a text means, and how near two must be.
    var embed: String?
    var threshold = 0.95
    var candidates = 1000
    var timeout = Nanoseconds.seconds(2)

    var label: String { name ?? "ai_cache" }
    /// A request that says no temperature has its provider's, which is drawn.
    var highest: Double? { when.temperature.flatMap(Double.init) }
  }

  struct Condition: Sendable {
    var temperature: String?
  }

  public static let section = Section(
    "ai_cache", Settings(), "Answers calls of models with what was answered to the same call before.", shorthand: "ttl",
    keeping + finding,
    check: { settings, node, reading in
      if settings.mode == .semantic, settings.embed == nil {
        reading.error(
          "a semantic cache needs a model that says what texts mean", at: node.position,
          expected: "`embed: openai/text-embedding-3-small`, or another one of yours")
      }
      if settings.mode == .exact, settings.embed != nil {
        reading.error("`embed` is of the mode semantic", at: node.position, expected: "`mode: semantic` beside it")
      }
    })

  private static let keeping: [Keyword<Settings>] = [
    Keyword(
      "mode", \.mode, .choice,
      "exact: to the same request, but for spaces and the order of members. semantic: also to one that means nearly the same."
    ),
    Keyword("ttl", \.ttl, .duration(in: .seconds(1) ... .hours(24 * 30)), "How long an answer is given again."),
    Keyword("when", \.when, .section(when), "Which calls are answered so; unset: all."),
    Keyword("shared", \.isShared, .boolean, "Whether one consumer gets what another was answered."),
    Keyword("size", \.size, .size(in: (1 << 16)...(1 << 36)), "Memory for all answers together."),
    Keyword("object", \.object, .size(in: 1...(8 << 20)), "The longest answer that is kept."),
    Keyword(
      "store", \.store, .choice,
      "Where answers are kept: local is this gateway's memory, shared beside it the store of that name, for several gateways."
    ),
    Keyword("name", \.name, .limitName, "What it is called in metrics; unset: ai_cache."),
  ]

  private static let finding: [Keyword<Settings>] = [
    Keyword(
      "embed", \.embed, .text("model", expectation: "a name under `models`, or PROVIDER/MODEL", limit: 256),
      "Of semantic: the model that turns what users say into vectors."),
    Keyword(
      "threshold", \.threshold, .ratio,
      "Of semantic: how near two questions must be, as the cosine of their vectors; 100% is the same direction."),
    Keyword(
      "candidates", \.candidates, .integer(in: 1...10_000),
      "Of semantic: how many kept questions one is held against, the latest ones."),
    Keyword(
      "timeout", \.timeout, .duration(in: .milliseconds(1) ... .minutes(1)),
      "Of semantic: how long the vector may take; without one the call goes on as a miss."),
  ]

  private static let when = Section(
    "when", Condition(), "Which calls are answered from the cache.",
    [
      Keyword(
        "temperature", \.temperature, .temperature,
        "The highest temperature that a call may say; one that says none is drawn, and not kept.")
    ])
}

extension AICache.Settings: ModelAskingSettings {
  public var models: [String] { mode == .semantic ? [embed].compactMap { $0 } : [] }
}
