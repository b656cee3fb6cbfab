import Detection
import Kernel
import PluginKit

/// What guardrails make of the answer to one call.
final class GuardedAnswer: AnswerGuard {
  private let guardrails: Guardrails
  /// What stood for personal data in the request; nil where it is not put back.
  private let placeholders: Placeholders?
  /// A shadow counts each rule once for a call.
  private var shadowed: Set<String> = []

  init(_ guardrails: Guardrails, _ placeholders: Placeholders?) {
    self.guardrails = guardrails
    self.placeholders = placeholders
  }

  private var settings: Guardrails.Settings { guardrails.settings }

  var longestAnswer: (bytes: Int, rule: BrokenRule)? {
    guard let maximum = settings.answers.maximum, !settings.shadow else { return nil }
    return (maximum, guardrails.broken("answers.maximum"))
  }

  func makeFilter() -> any TextFilter {
    var filters: [any TextFilter] = []
    if !settings.answers.deny.isEmpty { filters.append(denying) }
    if !settings.mask.isEmpty { filters.append(masking) }
    if let placeholders, !placeholders.isEmpty { filters.append(RestoreFilter(placeholders)) }
    return FilterChain(filters)
  }

  private var denying: any TextFilter {
    DenyFilter(settings.answers.deny) { index in
      let rule = "answers.deny[\(index)]"
      if !self.settings.shadow { return self.guardrails.broken(rule) }
      if self.shadowed.insert(rule).inserted { self.guardrails.countBroken(rule) }
      return nil
    }
  }

  private var masking: any TextFilter {
    MaskFilter(guardrails.detectors) { kind, text in
      self.guardrails.countMasked(kind, "answer")
      return self.settings.shadow ? text : "[\(kind.rawValue)]"
    }
  }

  func answerWasDenied(_ rule: BrokenRule) {
    let own = "\(settings.label)/"
    if rule.name.hasPrefix(own) { guardrails.countBroken(String(rule.name.dropFirst(own.count))) }
  }
}
