import JSON
import Kernel

/// Rules about the members of an object.
extension SchemaValidator {
  /// Checks each member by the schema for its name, and that those that must be there are.
  mutating func checkMembers(
    _ index: UInt32, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject, tells: Bool
  ) -> Bool {
    let rules = subject.objects[Int(index)]
    var isValid = true
    var found: UInt64 = 0
    var name = node &+ 1
    let end = document.next(node)
    while name < end {
      let value = name &+ 1
      var schema = SchemaRule.none
      if let number = subject.number(of: name, in: rules.names, document) {
        schema = subject.schemas[Int(rules.schemas) &+ number]
        let bit: UInt64 = 1 << UInt64(number)
        if found & bit != 0, schema != SchemaRule.none {
          violate(name, "properties", "this name stands twice in one object", tells)
          isValid = false
        }
        found |= bit
      }
      var isOther = schema == SchemaRule.none
      if rules.patterns.count > 0,
        !checkPatterns(rules.patterns, name, document, subject, isOther: &isOther, tells: tells)
      {
        isValid = false
      }
      if isOther { schema = rules.additional }
      if schema != SchemaRule.none, !evaluate(schema, child: value, document, subject, tells: tells) { isValid = false }
      if !isValid, !tells { return false }
      name = document.next(value)
    }
    if rules.required & ~found != 0 {
      tellMissing(rules.required & ~found, rules.names, node, tells)
      return false
    }
    return isValid
  }

  /// Checks a member by each schema whose pattern its name matches; if one does, it is not one of the others.
  private mutating func checkPatterns(
    _ patterns: Indexes, _ name: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject,
    isOther: inout Bool, tells: Bool
  ) -> Bool {
    var isValid = true
    for index in stride(from: Int(patterns.start), to: Int(patterns.end), by: 2) {
      let pattern = schema.program.patterns[Int(subject.schemas[index])]
      if !matches(pattern, name, document, subject.bytes) { continue }
      isOther = false
      if !evaluate(subject.schemas[index + 1], child: name + 1, document, subject, tells: tells) { isValid = false }
    }
    return isValid
  }

  @inline(never)
  private mutating func tellMissing(_ missing: UInt64, _ names: NameTable, _ node: Int, _ tells: Bool) {
    for number in 0..<ObjectRules.mostRequired where missing >> UInt64(number) & 1 != 0 {
      tellMissing(schema.program.names.text(number, in: names), "required", node, tells)
    }
  }

  private mutating func tellMissing(_ name: [UInt8], _ keyword: StaticString, _ node: Int, _ tells: Bool) {
    violate(node, keyword, "`\(String(decoding: name, as: UTF8.self))` is missing", tells)
  }

  mutating func checkObject(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject,
    since start: Int, tells: Bool
  ) -> Bool {
    switch rule.check {
    case .memberCount(let least, let most):
      let count = countMembers(of: node, document)
      if least <= count, count <= most { return true }
      violate(node, rule, tells)
      return false
    case .memberNamed(let name): return require(name, rule, node, document, subject, tells)
    case .dependentMembers(let names):
      let names = names.range
      guard find(subject.schemas[names.lowerBound], node, document, subject) != nil else { return true }
      var isValid = true
      for index in names.dropFirst() where !require(subject.schemas[index], rule, node, document, subject, tells) {
        isValid = false
      }
      return isValid
    case .dependentSchema(let name, let schema):
      return find(name, node, document, subject) == nil || evaluate(schema, node, document, subject, tells: tells)
    case .names(let schema):
      var isValid = true
      var name = node + 1
      while name < document.next(node) {
        if !evaluate(schema, name, document, subject, tells: tells) { isValid = false }
        name = document.next(name + 1)
      }
      return isValid
    case .unevaluatedMembers(let schema):
      var isValid = true
      var name = node + 1
      while name < document.next(node) {
        if !seen[start...].contains(name + 1), !evaluate(schema, child: name + 1, document, subject, tells: tells) {
          isValid = false
        }
        name = document.next(name + 1)
      }
      return isValid
    default: return true
    }
  }

  private mutating func require(
    _ name: UInt32, _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument,
    _ subject: borrowing Subject, _ tells: Bool
  ) -> Bool {
    if find(name, node, document, subject) != nil { return true }
    let keyword = schema.program.wordings[Int(rule.wording)].keyword
    tellMissing(schema.program.texts[Int(name)], keyword, node, tells)
    return false
  }

  private func find(
    _ name: UInt32, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Int? {
    let name = schema.program.texts[Int(name)]
    var candidate = node + 1
    while candidate < document.next(node) {
      if document.equals(candidate, name.span, in: subject.bytes) { return candidate + 1 }
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
}
