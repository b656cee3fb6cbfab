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
    var name: String?
    var namesRule = true
    var shadow = false

    var label: String { name ?? "guardrails" }

    var hasRules: Bool {
      !deny.isEmpty || !allow.isEmpty || !mask.isEmpty || maximum != nil || !answers.deny.isEmpty
        || answers.maximum != nil
    }
  }

  struct AnswerRules: Sendable {
    var deny: [RegularExpression] = []
    var maximum: Int?
  }

  let settings: Settings
  let detectors: DetectorSet
  private let passed: PluginCounter
  /// By the rule, as errors name it.
  private let blocked: [String: PluginCounter]
  private let masked: [String: PluginCounter]

  public static let metrics = [decisions, values]

  private static let decisions = PluginMetric(
    "sluice_guardrails_decisions", .counter, labels: ["guardrails", "rule", "decision"],
    "Calls of models that guardrails decided on; decision is passed, blocked, or shadowed: blocked but for shadow mode."
  )
  private static let values = PluginMetric(
    "sluice_guardrails_masked", .counter, labels: ["guardrails", "direction", "kind"],
    "Personal data that guardrails masked, or would have but for shadow mode; direction is request or answer.")

  public init(_ settings: Settings, _ services: any WorkerServices) {
    self.settings = settings
    detectors = DetectorSet(settings.mask)
    passed = services.counter(Self.decisions, [settings.label, "", "passed"])
    let rules =
      ["maximum", "allow", "answers.maximum"] + settings.deny.indices.map { "deny[\($0)]" }
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

  func countMasked(_ kind: Detector, _ direction: String) { masked[direction + kind.rawValue]?.add() }
}

extension Guardrails: ModelCallHook {
  public func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    if let rule = rule(brokenBy: call) {
      countBroken(rule)
      if !settings.shadow {
        let rule = broken(rule)
        exchange.brokenRule = rule.name
        exchange.faultNote = rule.note
        return .fail(.guardrail)
      }
    } else {
      passed.add()
    }
    let placeholders = settings.restore && !settings.shadow ? Placeholders() : nil
    if !settings.mask.isEmpty, !mask(call, placeholders) {
      exchange.faultNote = "What is personal in it cannot be masked."
      return .fail(.guardrail)
    }
    if !settings.mask.isEmpty || !settings.answers.deny.isEmpty || settings.answers.maximum != nil {
      call.guardAnswer(GuardedAnswer(self, placeholders))
    }
    return .proceed
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
}
