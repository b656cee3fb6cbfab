public import Configuration
import Detection
import Foreign

extension Guardrails {
  public static let section = Section(
    "guardrails", Settings(),
    "Refuses calls of models and their answers by what their texts say, and masks personal data in both.",
    rules,
    check: { settings, node, reading in
      if !settings.hasRules {
        reading.error(
          "these guardrails have no rule", at: node.position,
          expected: "`deny`, `allow`, `mask`, `maximum`, `answers`, `moderation` or `topics`")
      }
      if settings.restore, settings.mask.isEmpty {
        reading.error("there is nothing to restore", at: node.position, expected: "`mask` with what is to be masked")
      }
    })

  private static let rules: [Keyword<Settings>] = [
    Keyword(
      "deny", \.deny, .list(of: .caselessExpression, maximum: 256),
      "Regular expressions, in which case does not matter; a text that one of them is found in is refused."),
    Keyword(
      "allow", \.allow, .list(of: .caselessExpression, maximum: 256),
      "Regular expressions, one of which must be found in each text that a user said; `deny` comes first."),
    Keyword(
      "mask", \.mask, .list(of: .choice), "Personal data that the model does not get, and that no answer has."),
    Keyword(
      "restore", \.restore, .boolean,
      "What was masked in a request gets a number, such as [EMAIL_1], and stands in the answer again."),
    Keyword("answers", \.answers, .section(answers), "What the model's answers may say."),
    Keyword(
      "maximum", \.maximum, .size(in: 1...(1 << 30)), "How long all texts of a call may be together."),
    Keyword(
      "moderation", \.moderation, .section(moderation),
      "Asks a moderation, of the gateway's models or by its URL, about what users and models say."),
    Keyword(
      "topics", \.topics, .section(topics),
      "Asks a model whether what the user said last is about what it may be about."),
    Keyword("name", \.name, .limitName, "What the rules are called in errors and metrics; unset: guardrails."),
    Keyword("names_rule", \.namesRule, .boolean, "Whether the caller is told which rule it was, by its place."),
    Keyword("shadow", \.shadow, .boolean, "Counts what would be refused, and refuses nothing."),
  ]

  private static let answers = Section(
    "answers", AnswerRules(), "What the model's answers may say, whole or in a stream.",
    [
      Keyword(
        "deny", \.deny, .list(of: .caselessExpression, maximum: 256),
        "Regular expressions, in which case does not matter; an answer that one of them is found in is withheld."),
      Keyword("maximum", \.maximum, .size(in: 1...(1 << 30)), "How much the model may write in one answer."),
    ])
}

extension ValueType where Value == RegularExpression {
  private static let caseless = "(?i)"

  fileprivate static var caselessExpression: ValueType {
    .scalar(
      ScalarShape("expression", expectation: "a regular expression"),
      text: { String($0.pattern.dropFirst(caseless.count)) }
    ) { text throws(ScalarMistake) in
      do throws(RegularExpression.Mistake) {
        let expression = try RegularExpression(caseless + text)
        guard case .found = expression.search("".utf8Span.span) else { return expression }
      } catch {
        throw .other("`\(text)` is no expression: \(error.message)", at: max(0, error.offset - caseless.utf8.count))
      }
      throw .other(
        "`\(text)` matches nothing at all, and so everywhere", expected: "an expression that needs a character")
    }
  }
}
