import Foreign
import JSON

/// What each keyword asks for.
extension SchemaCompiler {
  /// The rules of a schema: those that ask what others have seen come last.
  mutating func rules(of node: Int) throws(SchemaMistake) -> [SchemaRule] {
    if document.kind(node) == .yes { return [] }
    if document.kind(node) == .no {
      return [SchemaRule(kind: .nothing, keyword: "false", detail: "nothing may stand here")]
    }
    var rules: [SchemaRule] = []
    try addReferences(of: node, to: &rules)
    try addValues(of: node, to: &rules)
    try addBounds(of: node, to: &rules)
    try addObjects(of: node, to: &rules)
    try addArrays(of: node, to: &rules)
    try addCombinations(of: node, to: &rules)
    if let child = try member("unevaluatedItems", of: node) {
      noteTracking()
      rules.append(
        SchemaRule(kind: .unevaluatedElements(try schema(at: child)), keyword: "unevaluatedItems", detail: ""))
    }
    if let child = try member("unevaluatedProperties", of: node) {
      noteTracking()
      rules.append(
        SchemaRule(kind: .unevaluatedMembers(try schema(at: child)), keyword: "unevaluatedProperties", detail: ""))
    }
    return rules
  }

  private mutating func addReferences(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    if let place = try member("$ref", of: node) {
      let target = try resolve(string(place), from: node, place)
      rules.append(SchemaRule(kind: .reference(try schema(at: target)), keyword: "$ref", detail: ""))
    }
    guard let place = try member("$dynamicRef", of: node) else { return }
    let text = string(place)
    let target = try resolve(text, from: node, place)
    let compiled = try schema(at: target)
    let anchor = String(text.split(separator: "#", omittingEmptySubsequences: false).last ?? "")
    let kind: SchemaRule.Kind =
      hasDynamicAnchor(anchor, target) ? .dynamicReference(compiled, anchor: anchor) : .reference(compiled)
    rules.append(SchemaRule(kind: kind, keyword: "$dynamicRef", detail: ""))
  }

  private mutating func addValues(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    if let value = try member("type", of: node) {
      let names = document.kind(value) == .array ? children(value) : [value]
      var bits: UInt8 = 0
      for name in names {
        guard let type = SchemaType.names.first(where: { $0.name == string(name) }) else {
          throw mistake("there is no type \(shown(name))", name)
        }
        bits |= type.bit
      }
      let detail = "must be " + names.map { string($0) }.joined(separator: " or ")
      rules.append(SchemaRule(kind: .type(bits), keyword: "type", detail: detail))
    }
    if let value = try member("enum", of: node) {
      guard document.kind(value) == .array else { throw mistake("`enum` is a list", value) }
      let literals = children(value).map { literal($0) }
      rules.append(SchemaRule(kind: .oneOfValues(literals), keyword: "enum", detail: "must be one of \(shown(value))"))
    }
    if let value = try member("const", of: node) {
      rules.append(
        SchemaRule(kind: .oneOfValues([literal(value)]), keyword: "const", detail: "must be \(shown(value))"))
    }
  }

  private mutating func addBounds(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    if let value = try member("minimum", of: node) {
      let kind = SchemaRule.Kind.minimum(try number(value), isExclusive: false)
      rules.append(SchemaRule(kind: kind, keyword: "minimum", detail: "must be at least \(shown(value))"))
    }
    if let value = try member("exclusiveMinimum", of: node) {
      let kind = SchemaRule.Kind.minimum(try number(value), isExclusive: true)
      rules.append(SchemaRule(kind: kind, keyword: "exclusiveMinimum", detail: "must be more than \(shown(value))"))
    }
    if let value = try member("maximum", of: node) {
      let kind = SchemaRule.Kind.maximum(try number(value), isExclusive: false)
      rules.append(SchemaRule(kind: kind, keyword: "maximum", detail: "must be at most \(shown(value))"))
    }
    if let value = try member("exclusiveMaximum", of: node) {
      let kind = SchemaRule.Kind.maximum(try number(value), isExclusive: true)
      rules.append(SchemaRule(kind: kind, keyword: "exclusiveMaximum", detail: "must be less than \(shown(value))"))
    }
    if let value = try member("multipleOf", of: node) {
      let divisor = try number(value)
      if !divisor.isPositive { throw mistake("`multipleOf` is above zero", value) }
      rules.append(
        SchemaRule(kind: .multipleOf(divisor), keyword: "multipleOf", detail: "must be a multiple of \(shown(value))"))
    }
    try addCounts("minLength", "maxLength", of: node, "characters", to: &rules) { .length($0) }
    guard let value = try member("pattern", of: node) else { return }
    rules.append(
      SchemaRule(kind: .pattern(try expression(value)), keyword: "pattern", detail: "must match \(shown(value))"))
  }

  private func expression(_ node: Int) throws(SchemaMistake) -> RegularExpression {
    guard document.kind(node) == .string else { throw mistake("a pattern is a text", node) }
    do throws(RegularExpression.Mistake) { return try RegularExpression(string(node)) } catch {
      throw mistake("\(shown(node)) is no pattern that can be used: \(error.message)", node)
    }
  }

  private mutating func addCounts(
    _ least: StaticString, _ most: StaticString, of node: Int, _ unit: String, to rules: inout [SchemaRule],
    _ kind: (ClosedRange<Int>) -> SchemaRule.Kind
  ) throws(SchemaMistake) {
    if let value = try member("\(least)", of: node) {
      let count = try count(value)
      rules.append(
        SchemaRule(kind: kind(count...Int.max), keyword: least, detail: "must have at least \(count) \(unit)"))
    }
    if let value = try member("\(most)", of: node) {
      let count = try count(value)
      rules.append(SchemaRule(kind: kind(0...count), keyword: most, detail: "must have at most \(count) \(unit)"))
    }
  }

  /// A whole number of things: `2.0` is one.
  private func count(_ node: Int) throws(SchemaMistake) -> Int {
    let number = try number(node)
    guard number.isInteger, let value = number.count else { throw mistake("a count belongs here, from 0", node) }
    return value
  }

  private mutating func addObjects(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    try addCounts("minProperties", "maxProperties", of: node, "members", to: &rules) { .memberCount($0) }
    if let list = try member("required", of: node) {
      let names = children(list).map { bytes($0) }
      rules.append(SchemaRule(kind: .required(names), keyword: "required", detail: "is missing"))
    }
    if let map = try member("dependentRequired", of: node) {
      var entries: [(name: [UInt8], others: [[UInt8]])] = []
      for (name, value) in members(map) { entries.append((bytes(name), children(value).map { bytes($0) })) }
      rules.append(SchemaRule(kind: .dependentRequired(entries), keyword: "dependentRequired", detail: "is missing"))
    }
    if let map = try member("dependentSchemas", of: node) {
      var entries: [(name: [UInt8], schema: Int)] = []
      for (name, value) in members(map) { entries.append((bytes(name), try schema(at: value))) }
      rules.append(SchemaRule(kind: .dependentSchemas(entries), keyword: "dependentSchemas", detail: ""))
    }
    var rule = MemberRules()
    if let map = try member("properties", of: node) {
      for (name, value) in members(map) { rule.named.append((bytes(name), try schema(at: value))) }
    }
    if let map = try member("patternProperties", of: node) {
      for (name, value) in members(map) { rule.patterns.append((try expression(name), try schema(at: value))) }
    }
    if let value = try member("additionalProperties", of: node) { rule.additional = try schema(at: value) }
    if !rule.named.isEmpty || !rule.patterns.isEmpty || rule.additional != nil {
      rules.append(SchemaRule(kind: .members(rule), keyword: "properties", detail: ""))
    }
    if let value = try member("propertyNames", of: node) {
      rules.append(SchemaRule(kind: .names(try schema(at: value)), keyword: "propertyNames", detail: ""))
    }
  }

  private mutating func addArrays(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    try addCounts("minItems", "maxItems", of: node, "elements", to: &rules) { .elementCount($0) }
    if let value = try member("uniqueItems", of: node), document.kind(value) == .yes {
      rules.append(
        SchemaRule(kind: .uniqueElements, keyword: "uniqueItems", detail: "must not have the same element twice"))
    }
    var first: [Int] = []
    if let list = try member("prefixItems", of: node) {
      for child in children(list) { first.append(try schema(at: child)) }
    }
    var rest: Int?
    if let value = try member("items", of: node) { rest = try schema(at: value) }
    if !first.isEmpty || rest != nil {
      rules.append(SchemaRule(kind: .elements(first, rest: rest), keyword: "items", detail: ""))
    }
    guard let value = try member("contains", of: node) else { return }
    var least = 1
    var most = Int.max
    if let bound = try member("minContains", of: node) { least = try count(bound) }
    if let bound = try member("maxContains", of: node) { most = try count(bound) }
    // A lower bound above the upper one is a schema that no list meets.
    let range = least <= most ? least...most : Int.max...Int.max
    let detail = "must contain \(most == .max ? "at least \(least)" : "\(least) to \(most)") elements of a kind"
    rules.append(SchemaRule(kind: .contains(try schema(at: value), range), keyword: "contains", detail: detail))
  }

  private mutating func addCombinations(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    if let list = try member("allOf", of: node) {
      rules.append(SchemaRule(kind: .all(try schemas(list)), keyword: "allOf", detail: ""))
    }
    if let list = try member("anyOf", of: node) {
      rules.append(
        SchemaRule(kind: .any(try schemas(list)), keyword: "anyOf", detail: "must be at least one of several things"))
    }
    if let list = try member("oneOf", of: node) {
      rules.append(
        SchemaRule(kind: .one(try schemas(list)), keyword: "oneOf", detail: "must be exactly one of several things"))
    }
    if let value = try member("not", of: node) {
      rules.append(
        SchemaRule(kind: .not(try schema(at: value)), keyword: "not", detail: "must not be what is excluded here"))
    }
    guard let condition = try member("if", of: node) else { return }
    let then = try optionalSchema("then", of: node)
    let otherwise = try optionalSchema("else", of: node)
    rules.append(
      SchemaRule(
        kind: .condition(try schema(at: condition), then: then, otherwise: otherwise), keyword: "if", detail: ""))
  }

  private mutating func optionalSchema(_ name: String, of node: Int) throws(SchemaMistake) -> Int? {
    guard let value = try member(name, of: node) else { return nil }
    return try schema(at: value)
  }

  private mutating func schemas(_ list: Int) throws(SchemaMistake) -> [Int] {
    guard document.kind(list) == .array else { throw mistake("a list of schemas belongs here", list) }
    var found: [Int] = []
    for child in children(list) { found.append(try schema(at: child)) }
    return found
  }
}
