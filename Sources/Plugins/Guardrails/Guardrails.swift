import Detection
import Foreign
import Kernel
public import PluginKit

/// Refuses calls of models and their answers by what their texts say, and masks personal data in both.
public final class Guardrails: Plugin {
  public struct Settings: Sendable {
    var deny: [RegularExpression] = []
    var allow: [RegularExpression] = []
    var mask: [Detector] = []
    var restore = false
    var answers = AnswerRules()
    var maximum: Int?
    var moderation: ModerationSettings?
    var topics: TopicSettings?
    var name: String?
    var namesRule = true
    var shadow = false

    var label: String { name ?? "guardrails" }

    /// Whether any rule needs to know what a request says.
    var looksAtTexts: Bool { !deny.isEmpty || !allow.isEmpty || !mask.isEmpty || moderates(.requests) }

    func moderates(_ texts: ModeratedTexts) -> Bool { moderation?.of.contains(texts) == true }

    /// Whether any rule needs to know what an answer says.
    var looksAtAnswers: Bool {
      !mask.isEmpty || !answers.deny.isEmpty || answers.maximum != nil || moderates(.answers)
    }

    var hasRules: Bool {
      !deny.isEmpty || !allow.isEmpty || !mask.isEmpty || maximum != nil || !answers.deny.isEmpty
        || answers.maximum != nil || moderation != nil || topics != nil
    }
  }

  struct AnswerRules: Sendable {
    var deny: [RegularExpression] = []
    var maximum: Int?
  }

  let settings: Settings
  let services: any WorkerServices
  let detectors: DetectorSet
  private let passed: PluginCounter
  /// By the rule, as errors name it.
  private let blocked: [String: PluginCounter]
  private let masked: [String: PluginCounter]

  /// Who is asked about requests.
  private let judges: [any GuardrailJudge]
  /// Who is asked about answers.
  let moderation: Moderation?
  private let judgements: [String: PluginCounter]

  public static let metrics = [decisions, values, asked]

  private static let decisions = PluginMetric(
    "sluice_guardrails_decisions", .counter, labels: ["guardrails", "rule", "decision"],
    "Calls of models that guardrails decided on; decision is passed, blocked, or shadowed: blocked but for shadow mode."
  )
  private static let values = PluginMetric(
    "sluice_guardrails_masked", .counter, labels: ["guardrails", "direction", "kind"],
    "Personal data that guardrails masked, or would have but for shadow mode; direction is request or answer.")

  private static let asked = PluginMetric(
    "sluice_guardrails_judgements", .counter, labels: ["guardrails", "judge", "result"],
    "What a moderation or a check of topics said; result is passed, blocked, cached: it had said so before, or unavailable."
  )

  public init(_ settings: Settings, _ services: any WorkerServices) {
    self.settings = settings
    self.services = services
    let moderation = settings.moderation.map { Moderation($0) }
    let topics = settings.topics.map { TopicCheck($0) }
    let ofRequests: [(any GuardrailJudge)?] = [settings.moderates(.requests) ? moderation : nil, topics]
    judges = ofRequests.compactMap { $0 }
    self.moderation = settings.moderates(.answers) ? moderation : nil
    var judgements: [String: PluginCounter] = [:]
    for judge in [moderation?.name, topics?.name].compactMap({ $0 }) {
      for result in ["passed", "blocked", "cached", "unavailable"] {
        judgements[judge + result] = services.counter(Self.asked, [settings.label, judge, result])
      }
    }
    self.judgements = judgements
    detectors = DetectorSet(settings.mask)
    passed = services.counter(Self.decisions, [settings.label, "", "passed"])
    let rules =
      ["maximum", "tokens", "allow", "answers.maximum", "answers.moderation", "moderation", "topics"]
      + settings.deny.indices.map { "deny[\($0)]" }
      + settings.answers.deny.indices.map { "answers.deny[\($0)]" }
    blocked = Dictionary(
      uniqueKeysWithValues: rules.map { rule in
        (rule, services.counter(Self.decisions, [settings.label, rule, settings.shadow ? "shadowed" : "blocked"]))
      })
    var masked: [String: PluginCounter] = [:]
    for direction in ["request", "answer"] {
      for kind in settings.mask.map(\.rawValue) {
        masked[direction + kind] = services.counter(Self.values, [settings.label, direction, kind])
      }
    }
    self.masked = masked
  }

  /// A rule by its place, which does not say how to get around it.
  func broken(_ rule: String) -> BrokenRule {
    BrokenRule(
      name: "\(settings.label)/\(rule)",
      note: settings.namesRule ? "The rule is `\(rule)` of `\(settings.label)`." : "")
  }

  /// Counts that a rule was broken.
  func countBroken(_ rule: String) { blocked[rule]?.add() }

  /// Counts what a judge said.
  func count(_ judgement: Judgement, of judge: String) { judgements[judge + judgement.word]?.add() }

  func countMasked(_ kind: Detector, _ direction: String) { masked[direction + kind.rawValue]?.add() }
}

extension Guardrails: ModelCallHook {
  public var readsTexts: Bool { true }

  public func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    let rule = rule(brokenBy: call)
    if let rule, let fault = refuse(rule, &exchange) { return .fail(fault) }
    let placeholders = settings.restore && !settings.shadow ? Placeholders() : nil
    if !settings.mask.isEmpty, !mask(call, placeholders) {
      exchange.faultNote = "What is personal in it cannot be masked."
      return .fail(.guardrail)
    }
    if rule == nil, let fault = await judge(call, &exchange) { return .fail(fault) }
    if settings.looksAtAnswers { call.guardAnswer(GuardedAnswer(self, placeholders, call.asker)) }
    return .proceed
  }

  /// Counts a broken rule; the fault that it is, but for shadow mode.
  private func refuse(_ rule: String, _ exchange: inout Exchange, detail: String = "") -> Fault? {
    countBroken(rule)
    if settings.shadow { return nil }
    let broken = broken(rule)
    exchange.brokenRule = broken.name + detail
    exchange.faultNote = broken.note
    return .guardrail
  }

  /// Asks the judges, one after the other: what they get is masked already.
  private func judge(_ call: ModelCall, _ exchange: inout Exchange) async -> Fault? {
    for judge in judges {
      let (judgement, isKept) = await judge.judge(call, services)
      if isKept { judgements[judge.name + "cached"]?.add() } else { count(judgement, of: judge.name) }
      switch judgement {
      case .passed: break
      case .blocked(let why): return refuse(judge.name, &exchange, detail: why.isEmpty ? "" : ":\(why)")
      case .unavailable:
        if judge.mayBeAway || settings.shadow { break }
        exchange.brokenRule = "\(settings.label)/\(judge.name)"
        return .unjudged
      }
    }
    passed.add()
    return nil
  }

  private func mask(_ call: ModelCall, _ placeholders: Placeholders?) -> Bool {
    if let placeholders { for text in call.texts { placeholders.avoid(text) } }
    return call.filterTexts { [detectors] in
      MaskFilter(detectors) { kind, text in
        self.countMasked(kind, "request")
        if self.settings.shadow { return text }
        return placeholders?.name(of: text, kind) ?? "[\(kind.rawValue)]"
      }
    }
  }

  /// The first rule that the texts break.
  private func rule(brokenBy call: ModelCall) -> String? {
    if let maximum = settings.maximum, call.texts.reduce(0, { $0 + $1.utf8.count }) > maximum { return "maximum" }
    if call.saysTokens, settings.looksAtTexts { return "tokens" }
    for (index, expression) in settings.deny.enumerated() {
      // What takes too long to look through is not let by.
      if call.texts.contains(where: { expression.search($0.utf8Span.span) != .absent }) { return "deny[\(index)]" }
    }
    if settings.allow.isEmpty { return nil }
    let isAllowed = call.userTexts.allSatisfy { text in settings.allow.contains { $0.isFound(in: text) } }
    return isAllowed ? nil : "allow"
  }
}

extension RegularExpression {
  fileprivate func isFound(in text: String) -> Bool {
    if case .found = search(text.utf8Span.span) { true } else { false }
  }
}

extension Fault {
  public static let guardrail = Fault(
    .policy, 403, "guardrail", "The texts of this call break a rule of the gateway's.", isFinal: true)
  /// Nobody says whether it may pass.
  public static let unjudged = Fault(
    .upstream, 503, "guardrail_unavailable",
    "Whoever judges the texts of this call does not answer at the moment; try again later.", retryAfter: 1)
}
