import Foreign
import JSON
import Kernel

/// Rules about the parts of a value, and rules that are made of others.
extension SchemaValidator {
  mutating func checkCombination(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, tells: Bool
  ) -> Bool {
    switch rule.kind {
    case .reference(let target): return evaluate(target, node, document, bytes, tells: tells)
    case .dynamicReference(let target, let anchor):
      let outermost = scope.lazy.compactMap { [schema] in schema.dynamicAnchors[$0][anchor] }.first
      return evaluate(outermost ?? target, node, document, bytes, tells: tells)
    case .all(let schemas):
      var isValid = true
      for schema in schemas where !evaluate(schema, node, document, bytes, tells: tells) {
        isValid = false
        if !tells { break }
      }
      return isValid
    case .any(let schemas):
      var isAny = false
      // What any of them has seen counts, so that the first that fits is not enough where that matters.
      for candidate in schemas where fits(candidate, node, document, bytes) {
        isAny = true
        if !schema.tracksEvaluation { break }
      }
      if !isAny { violate(node, rule.keyword, rule.detail, tells) }
      return isAny
    case .one(let schemas):
      var count = 0
      for candidate in schemas where fits(candidate, node, document, bytes) { count += 1 }
      if count != 1 { violate(node, rule.keyword, rule.detail, tells) }
      return count == 1
    case .not(let excluded):
      let start = seen.count
      let fits = fits(excluded, node, document, bytes)
      if seen.count > start { seen.removeLast(seen.count - start) }
      if fits { violate(node, rule.keyword, rule.detail, tells) }
      return !fits
    case .condition(let condition, let then, let otherwise):
      guard let next = fits(condition, node, document, bytes) ? then : otherwise else { return true }
      return evaluate(next, node, document, bytes, tells: tells)
    default: return true
    }
  }

  mutating func checkObject(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, since start: Int,
    tells: Bool
  ) -> Bool {
    switch rule.kind {
    case .members(let rules): return checkMembers(rules, node, document, bytes, tells: tells)
    case .memberCount(let range):
      if range.contains(countMembers(of: node, document)) { return true }
      violate(node, rule.keyword, rule.detail, tells)
      return false
    case .required(let names): return require(names, rule, node, document, bytes, tells: tells)
    case .dependentRequired(let entries):
      var isValid = true
      for entry in entries where find(entry.name, node, document, bytes) != nil {
        if !require(entry.others, rule, node, document, bytes, tells: tells) { isValid = false }
      }
      return isValid
    case .dependentSchemas(let entries):
      var isValid = true
      for entry in entries where find(entry.name, node, document, bytes) != nil {
        if !evaluate(entry.schema, node, document, bytes, tells: tells) { isValid = false }
      }
      return isValid
    case .names(let schema):
      var isValid = true
      var name = node + 1
      while name < document.next(node) {
        if !evaluate(schema, name, document, bytes, tells: tells) { isValid = false }
        name = document.next(name + 1)
      }
      return isValid
    case .unevaluatedMembers(let schema):
      var isValid = true
      var name = node + 1
      while name < document.next(node) {
        if !seen[start...].contains(name + 1), !evaluate(schema, child: name + 1, document, bytes, tells: tells) {
          isValid = false
        }
        name = document.next(name + 1)
      }
      return isValid
    default: return true
    }
  }

  private mutating func checkMembers(
    _ rules: MemberRules, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, tells: Bool
  ) -> Bool {
    var isValid = true
    var found: UInt64 = 0
    var name = node + 1
    let end = document.next(node)
    while name < end {
      let value = name + 1
      var isKnown = false
      for index in rules.named.indices {
        let wanted = rules.named[index].name
        if !document.equals(name, wanted.span, in: bytes) { continue }
        isKnown = true
        let bit: UInt64 = index < 64 ? 1 << UInt64(index) : 0
        if found & bit != 0 {
          violate(name, "properties", "this name stands twice in one object", tells)
          isValid = false
        }
        found |= bit
        if !evaluate(rules.named[index].schema, child: value, document, bytes, tells: tells) { isValid = false }
      }
      for pattern in rules.patterns where matches(pattern.pattern, name, document, bytes) {
        isKnown = true
        if !evaluate(pattern.schema, child: value, document, bytes, tells: tells) { isValid = false }
      }
      if !isKnown, let additional = rules.additional,
        !evaluate(additional, child: value, document, bytes, tells: tells)
      {
        isValid = false
      }
      if !isValid, !tells { return false }
      name = document.next(value)
    }
    return isValid
  }

  private mutating func require(
    _ names: [[UInt8]], _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>,
    tells: Bool
  ) -> Bool {
    var isValid = true
    for name in names where find(name, node, document, bytes) == nil {
      violate(node, rule.keyword, "`\(String(decoding: name, as: UTF8.self))` \(rule.detail)", tells)
      isValid = false
    }
    return isValid
  }

  private func find(
    _ name: [UInt8], _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) -> Int? {
    var candidate = node + 1
    while candidate < document.next(node) {
      if document.equals(candidate, name.span, in: bytes) { return candidate + 1 }
      candidate = document.next(candidate + 1)
    }
    return nil
  }

  private func countMembers(of node: Int, _ document: borrowing JSONDocument) -> Int {
    var count = 0
    var name = node + 1
    while name < document.next(node) {
      count += 1
      name = document.next(name + 1)
    }
    return count
  }

  private func countElements(of node: Int, _ document: borrowing JSONDocument) -> Int {
    var count = 0
    var child = node + 1
    while child < document.next(node) {
      count += 1
      child = document.next(child)
    }
    return count
  }

  mutating func checkArray(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, since start: Int,
    tells: Bool
  ) -> Bool {
    var isValid = true
    var child = node + 1
    let end = document.next(node)
    var count = 0
    switch rule.kind {
    case .elements(let first, let rest):
      while child < end {
        if let schema = count < first.count ? first[count] : rest,
          !evaluate(schema, child: child, document, bytes, tells: tells)
        {
          isValid = false
          if !tells { return false }
        }
        count += 1
        child = document.next(child)
      }
      return isValid
    case .unevaluatedElements(let schema):
      while child < end {
        if !seen[start...].contains(child), !evaluate(schema, child: child, document, bytes, tells: tells) {
          isValid = false
        }
        child = document.next(child)
      }
      return isValid
    case .contains(let candidate, let range):
      while child < end {
        if fits(candidate, child, document, bytes) {
          count += 1
          if schema.tracksEvaluation { seen.append(child) }
        }
        child = document.next(child)
      }
      isValid = range.contains(count)
    case .elementCount(let range): isValid = range.contains(countElements(of: node, document))
    case .uniqueElements: isValid = UniqueElements.holds(node, document, bytes)
    default: return true
    }
    if !isValid { violate(node, rule.keyword, rule.detail, tells) }
    return isValid
  }
}
