import Foreign
import Kernel
public import PluginKit

/// Refuses calls of models by what their texts say.
public final class Guardrails: Plugin {
  public struct Settings: Sendable {
    var deny: [RegularExpression] = []
    var maximum: Int?
    var name: String?
    var shadow = false

    var label: String { name ?? "guardrails" }
  }

  private let settings: Settings
  private let passed: PluginCounter
  /// By the rule, as errors name it.
  private let blocked: [String: PluginCounter]

  public static let metrics = [decisions]

  private static let decisions = PluginMetric(
    "sluice_guardrails_decisions", .counter, labels: ["guardrails", "rule", "decision"],
    "Calls of models that guardrails decided on; decision is passed, blocked, or shadowed: blocked but for shadow mode."
  )

  public init(_ settings: Settings, _ services: any WorkerServices) {
    self.settings = settings
    passed = services.counter(Self.decisions, [settings.label, "", "passed"])
    let rules = ["maximum"] + settings.deny.indices.map { Self.rule($0) }
    blocked = Dictionary(
      uniqueKeysWithValues: rules.map { rule in
        (rule, services.counter(Self.decisions, [settings.label, rule, settings.shadow ? "shadowed" : "blocked"]))
      })
  }

  /// What the expression at this place is called: its own words would say how to get around it.
  private static func rule(_ index: Int) -> String { "deny[\(index)]" }
}

extension Guardrails: ModelCallHook {
  public func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    guard let rule = broken(by: call.texts) else {
      passed.add()
      return .proceed
    }
    blocked[rule]?.add()
    if settings.shadow { return .proceed }
    exchange.faultNote = "The rule is `\(rule)` of `\(settings.label)`."
    return .fail(.guardrail)
  }

  /// The first rule that the texts break.
  private func broken(by texts: [String]) -> String? {
    if let maximum = settings.maximum, texts.reduce(0, { $0 + $1.utf8.count }) > maximum { return "maximum" }
    for (index, expression) in settings.deny.enumerated() {
      for text in texts {
        switch expression.search(text.utf8Span.span) {
        case .absent: continue
        // What takes too long to look through is not let by.
        case .found, .exhausted: return Self.rule(index)
        }
      }
    }
    return nil
  }
}

extension Fault {
  public static let guardrail = Fault(
    .policy, 403, "guardrail", "The texts of this call break a rule of the gateway's.", isFinal: true)
}
