import Configuration
import Kernel
public import PluginKit

/// Somebody else who says whether what users said may pass.
protocol GuardrailJudge: AnyObject {
  /// As rules and metrics call it.
  var name: String { get }
  /// Whether calls pass while nobody answers.
  var mayBeAway: Bool { get }
  /// - Returns: what it says, and whether it had said so before.
  func judge(_ call: ModelCall, _ services: any WorkerServices) async -> (Judgement, isKept: Bool)
}

enum Judgement: Sendable {
  case passed
  /// For the operator: what it was, in a word.
  case blocked(String)
  case unavailable

  var word: String {
    switch self {
    case .passed: "passed"
    case .blocked: "blocked"
    case .unavailable: "unavailable"
    }
  }
}

/// What becomes of calls while a judge does not answer.
enum WithoutJudge: String, Sendable, CaseIterable { case refuse, allow }

/// What a moderation is asked about.
enum ModeratedTexts: String, Sendable, CaseIterable { case requests, answers }

struct ModerationSettings: Sendable {
  var model: String?
  var url: ServiceURL?
  var authority: AuthoritySettings?
  var secret: Secret?
  var of: [ModeratedTexts] = [.requests]
  var categories: [String] = []
  var timeout = Nanoseconds.seconds(3)
  var unavailable = WithoutJudge.refuse
}

struct TopicSettings: Sendable {
  var model = ""
  var about = ""
  var ttl = Nanoseconds.minutes(10)
  var timeout = Nanoseconds.seconds(5)
  var unavailable = WithoutJudge.refuse
}

extension Guardrails {
  private static let modelExpectation = "a name under `models`, or PROVIDER/MODEL"

  static let moderation = Section(
    "moderation", ModerationSettings(), "Who says whether what users and models said may pass.",
    [
      Keyword(
        "model", \.model, .text("model", expectation: modelExpectation, limit: 256),
        "A model of moderation of a provider that speaks OpenAI's dialect."),
      Keyword(
        "url", \.url, .serviceURL, "A service of your own that answers as OpenAI's `/v1/moderations` does."),
      Keyword(
        "authority", \.authority, .authority,
        "Who must have signed the certificate of the URL: PEM. Unset: whom the system trusts."),
      Keyword("secret", \.secret, .secret, "What the URL gets as `Authorization: Bearer`."),
      Keyword(
        "of", \.of, .list(of: .choice),
        "What it is asked about: `requests`, what users say; `answers`, what models say, of which nothing passes before."
      ),
      Keyword(
        "categories", \.categories,
        .list(of: .text("category", expectation: "a category, such as violence", limit: 100), maximum: 64),
        "The categories that may not be; unset: whatever is flagged."),
      Keyword("timeout", \.timeout, .duration(in: .milliseconds(1) ... .minutes(1)), "How long it may take."),
      Keyword("unavailable", \.unavailable, .choice, "What becomes of calls while nobody answers."),
    ],
    check: { settings, node, reading in
      if (settings.model == nil) == (settings.url == nil) {
        reading.error(
          "a moderation has one of `model` and `url`", at: node.position,
          expected: "`model: openai/omni-moderation-latest`")
      }
      if settings.of.isEmpty {
        reading.error(
          "this moderation is asked about nothing", at: node.position, expected: "`of: [requests, answers]`")
      }
    })

  static let topics = Section(
    "topics", TopicSettings(), "Who says whether what users say is about what it may be about.",
    [
      Keyword(
        "model", \.model, .text("model", expectation: modelExpectation, limit: 256), required: true,
        "Who is asked, with a prompt to answer yes or no."),
      Keyword(
        "about", \.about, .text("topics", expectation: "what calls may be about, in words", limit: 4000),
        required: true,
        "What calls may be about, in words for the model."),
      Keyword(
        "ttl", \.ttl, .duration(in: .seconds(1) ... .hours(24)), "How long the answer to the same text is remembered."),
      Keyword("timeout", \.timeout, .duration(in: .milliseconds(1) ... .minutes(1)), "How long it may take."),
      Keyword("unavailable", \.unavailable, .choice, "What becomes of calls while nobody answers."),
    ])
}

extension Guardrails.Settings: ModelAskingSettings, ServiceCalling {
  public var models: [String] { [moderation?.model, topics?.model].compactMap { $0 } }
  public var services: [ServiceCall] { moderation?.service.map { [$0] } ?? [] }
}

extension ModerationSettings {
  var service: ServiceCall? { url.map { ServiceCall($0, authority: authority) } }
}
