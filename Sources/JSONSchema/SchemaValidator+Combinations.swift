import JSON

/// Rules that are made of other schemas.
extension SchemaValidator {
  mutating func checkCombination(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject, tells: Bool
  ) -> Bool {
    switch rule.check {
    case .reference(let target): return evaluate(target, node, document, subject, tells: tells)
    case .dynamicReference(let target, let anchor):
      let name = schema.program.anchors[Int(anchor)]
      let outermost = scope.lazy.compactMap { [schema] in schema.dynamicAnchors[Int($0)][name] }.first
      return evaluate(outermost.map { UInt32($0) } ?? target, node, document, subject, tells: tells)
    case .all(let schemas):
      var isValid = true
      for index in schemas.range where !evaluate(subject.schemas[index], node, document, subject, tells: tells) {
        isValid = false
        if !tells { break }
      }
      return isValid
    case .any(let schemas):
      if count(schemas, node, document, subject, isOneEnough: true) > 0 { return true }
    case .one(let schemas):
      if count(schemas, node, document, subject, isOneEnough: false) == 1 { return true }
    case .not(let excluded):
      let start = seen.count
      let fits = fits(excluded, node, document, subject)
      if seen.count > start { seen.removeLast(seen.count - start) }
      if !fits { return true }
    case .condition(let condition, let then, let otherwise):
      let next = fits(condition, node, document, subject) ? then : otherwise
      return next == SchemaRule.none || evaluate(next, node, document, subject, tells: tells)
    default: return true
    }
    violate(node, rule, tells)
    return false
  }

  /// How many of several schemas fit.
  private mutating func count(
    _ schemas: Indexes, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject,
    isOneEnough: Bool
  ) -> Int {
    var count = 0
    for index in schemas.range where fits(subject.schemas[index], node, document, subject) {
      count += 1
      // What any of them has seen counts, so that the first that fits is not enough where that matters.
      if isOneEnough, !schema.tracksEvaluation { break }
    }
    return count
  }
}
