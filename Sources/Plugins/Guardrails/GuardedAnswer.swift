import Detection
import Kernel
import PluginKit

/// What guardrails make of the answer to one call.
final class GuardedAnswer: AnswerGuard {
  private let guardrails: Guardrails
  /// What stood for personal data in the request; nil where it is not put back.
  private let placeholders: Placeholders?
  private let asker: (any ModelAsking)?
  /// A shadow counts each rule once for a call.
  private var shadowed: Set<String> = []
  /// What the moderation is told: the texts of the answer, none of them twice.
  private var texts: [String] = []

  init(_ guardrails: Guardrails, _ placeholders: Placeholders?, _ asker: (any ModelAsking)?) {
    self.guardrails = guardrails
    self.placeholders = placeholders
    self.asker = asker
  }

  private var settings: Guardrails.Settings { guardrails.settings }

  var longestAnswer: (bytes: Int, rule: BrokenRule)? {
    guard let maximum = settings.answers.maximum, !settings.shadow else { return nil }
    return (maximum, guardrails.broken("answers.maximum"))
  }

  var judgesAnswer: Bool { guardrails.moderation != nil }

  func answerBegins() { texts = [] }

  func makeFilter() -> any TextFilter {
    var filters: [any TextFilter] = []
    if !settings.answers.deny.isEmpty { filters.append(denying) }
    if !settings.mask.isEmpty { filters.append(masking) }
    // What is personal does not reach the moderation: neither what the model knows, nor what is put back.
    if judgesAnswer { filters.append(NotingFilter { [unowned self] in note($0) }) }
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

  /// Some dialects say a text piece by piece and then once more.
  private func note(_ text: String) { if !text.isEmpty, !texts.contains(text) { texts.append(text) } }

  func judgeAnswer() async -> AnswerJudgement {
    guard let moderation = guardrails.moderation else { return .passed }
    let text = texts.joined(separator: "\n")
    let judgement = await moderation.judge(text.isEmpty ? [] : [text], asker, guardrails.services)
    guardrails.count(judgement, of: moderation.name)
    let rule = guardrails.broken("answers.\(moderation.name)")
    switch judgement {
    case .passed: return .passed
    case .blocked(let category):
      if settings.shadow {
        guardrails.countBroken("answers.\(moderation.name)")
        return .passed
      }
      return .denied(category.isEmpty ? rule : BrokenRule(name: "\(rule.name):\(category)", note: rule.note))
    case .unavailable: return moderation.mayBeAway || settings.shadow ? .passed : .unjudged(rule, .unjudged)
    }
  }

  func answerWasDenied(_ rule: BrokenRule) {
    let own = "\(settings.label)/"
    guard rule.name.hasPrefix(own) else { return }
    // What a judge said more is for the log.
    guardrails.countBroken(String(rule.name.dropFirst(own.count).prefix { $0 != ":" }))
  }
}

/// Lets a text pass and notes it.
final class NotingFilter: TextFilter {
  private let note: (String) -> Void
  private var text: [UInt8] = []

  init(_ note: @escaping (String) -> Void) { self.note = note }

  var broken: BrokenRule? { nil }

  func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
    for index in piece.indices {
      text.append(piece[index])
      out.append(piece[index])
    }
    guard isEnd else { return }
    note(String(decoding: text, as: UTF8.self))
    text = []
  }
}
