public import Configuration
import Foreign

extension Guardrails {
  public static let section = Section(
    "guardrails", Settings(), "Refuses calls of models by what their texts say.",
    [
      Keyword(
        "deny", \.deny, .list(of: .caselessExpression, maximum: 256),
        "Regular expressions, in which case does not matter; a text that one of them is found in is refused."),
      Keyword(
        "maximum", \.maximum, .size(in: 1...(1 << 30)), "How long all texts of a call may be together."),
      Keyword("name", \.name, .limitName, "What the rules are called in errors and metrics; unset: guardrails."),
      Keyword("shadow", \.shadow, .boolean, "Counts what would be refused, and refuses nothing."),
    ],
    check: { settings, node, reading in
      if settings.deny.isEmpty, settings.maximum == nil {
        reading.error("these guardrails have no rule", at: node.position, expected: "`deny` or `maximum`")
      }
    })
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
