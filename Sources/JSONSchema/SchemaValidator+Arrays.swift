import JSON

/// Rules about the elements of an array.
extension SchemaValidator {
  /// Checks the first elements by a schema each, and the rest by one.
  mutating func checkElements(
    _ first: Indexes, _ rest: UInt32, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject,
    tells: Bool
  ) -> Bool {
    var isValid = true
    var child = node &+ 1
    let end = document.next(node)
    var place = Int(first.start)
    while child < end {
      let schema = place < Int(first.end) ? subject.schemas[place] : rest
      if schema != SchemaRule.none, !evaluate(schema, child: child, document, subject, tells: tells) {
        isValid = false
        if !tells { return false }
      }
      place &+= 1
      child = document.next(child)
    }
    return isValid
  }

  mutating func checkArray(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject,
    since start: Int, tells: Bool
  ) -> Bool {
    var isValid = true
    switch rule.check {
    case .unevaluatedElements(let schema):
      var child = node + 1
      while child < document.next(node) {
        if !seen[start...].contains(child), !evaluate(schema, child: child, document, subject, tells: tells) {
          isValid = false
        }
        child = document.next(child)
      }
      return isValid
    case .contains(let candidate, let least, let most):
      let count = count(candidate, node, document, subject)
      isValid = least <= count && count <= most
    case .elementCount(let least, let most):
      let count = countElements(of: node, document)
      isValid = least <= count && count <= most
    case .uniqueElements: isValid = UniqueElements.holds(node, document, subject.bytes)
    default: return true
    }
    if !isValid { violate(node, rule, tells) }
    return isValid
  }

  /// How many elements a schema fits, which are noted as seen.
  private mutating func count(
    _ candidate: UInt32, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Int {
    var count = 0
    var child = node + 1
    while child < document.next(node) {
      if fits(candidate, child, document, subject) {
        count += 1
        if schema.tracksEvaluation { seen.append(child) }
      }
      child = document.next(child)
    }
    return count
  }

  private func countElements(of node: Int, _ document: borrowing JSONDocument) -> Int {
    var count = 0
    var child = node &+ 1
    let end = document.next(node)
    while child < end {
      count &+= 1
      child = document.next(child)
    }
    return count
  }
}
