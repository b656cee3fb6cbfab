import Foreign
import JSON

/// What each keyword asks for.
extension SchemaCompiler {
  /// The rules of a schema: those that ask what others have seen come last.
  mutating func rules(of node: Int) throws(SchemaMistake) -> [SchemaRule] {
    var rules: [SchemaRule] = []
    if document.kind(node) == .yes { return [] }
    if document.kind(node) == .no {
      add(.never, SchemaType.any, "false", "nothing may stand here", to: &rules)
      return rules
    }
    try addReferences(of: node, to: &rules)
    try addValues(of: node, to: &rules)
    try addTexts(of: node, to: &rules)
    try addObjects(of: node, to: &rules)
    try addArrays(of: node, to: &rules)
    try addCombinations(of: node, to: &rules)
    if let child = try member("unevaluatedItems", of: node) {
      noteTracking()
      add(.unevaluatedElements(try schema(at: child)), SchemaType.bit(.array), "unevaluatedItems", to: &rules)
    }
    if let child = try member("unevaluatedProperties", of: node) {
      noteTracking()
      add(.unevaluatedMembers(try schema(at: child)), SchemaType.bit(.object), "unevaluatedProperties", to: &rules)
    }
    return rules
  }

  /// - Parameter kinds: of values about which it says something.
  mutating func add(
    _ check: SchemaRule.Check, _ kinds: UInt8, _ keyword: StaticString, _ detail: String = "",
    to rules: inout [SchemaRule]
  ) {
    let wording = SchemaProgram.add(SchemaProgram.Wording(keyword: keyword, detail: detail), to: &program.wordings)
    rules.append(SchemaRule(check: check, kinds: kinds, wording: wording))
  }

  private mutating func addReferences(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    if let place = try member("$ref", of: node) {
      let target = try resolve(string(place), from: node, place)
      add(.reference(try schema(at: target)), SchemaType.any, "$ref", to: &rules)
    }
    guard let place = try member("$dynamicRef", of: node) else { return }
    let text = string(place)
    let target = try resolve(text, from: node, place)
    let compiled = try schema(at: target)
    let anchor = String(text.split(separator: "#", omittingEmptySubsequences: false).last ?? "")
    guard hasDynamicAnchor(anchor, target) else {
      return add(.reference(compiled), SchemaType.any, "$dynamicRef", to: &rules)
    }
    let name = SchemaProgram.add(anchor, to: &program.anchors)
    add(.dynamicReference(compiled, anchor: name), SchemaType.any, "$dynamicRef", to: &rules)
  }

  private mutating func addValues(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    let isWhole = try addType(of: node, to: &rules)
    try addNumbers(of: node, isWhole: isWhole, to: &rules)
    if let value = try member("enum", of: node) {
      guard document.kind(value) == .array else { throw mistake("`enum` is a list", value) }
      let check = values(children(value))
      add(check, SchemaType.any, "enum", "must be one of \(shown(value))", to: &rules)
    }
    if let value = try member("const", of: node) {
      add(values([value]), SchemaType.any, "const", "must be \(shown(value))", to: &rules)
    }
  }

  /// Texts are found like names; others are compared one by one.
  private mutating func values(_ nodes: [Int]) -> SchemaRule.Check {
    if nodes.allSatisfy({ document.kind($0) == .string }) {
      return .oneOfTexts(program.names.add(nodes.map { bytes($0) }))
    }
    return .oneOfValues(SchemaProgram.add(nodes.map { literal($0) }, to: &program.literals))
  }

  /// Whether numbers must be whole.
  private mutating func addType(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) -> Bool {
    guard let value = try member("type", of: node) else { return false }
    let names = document.kind(value) == .array ? children(value) : [value]
    var allowed: UInt8 = 0
    for name in names {
      guard let type = SchemaType.names.first(where: { $0.name == string(name) }) else {
        throw mistake("there is no type \(shown(name))", name)
      }
      allowed |= type.bits
    }
    let number = SchemaType.bit(.number)
    let isWhole = allowed & SchemaType.integer != 0 && allowed & number == 0
    if isWhole { allowed |= number }
    let refused = SchemaType.any & ~allowed
    if refused != 0 { add(.never, refused, "type", Self.detail(names.map { string($0) }), to: &rules) }
    return isWhole
  }

  private static func detail(_ types: [String]) -> String { "must be " + types.joined(separator: " or ") }

  private mutating func addTexts(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    let kinds = SchemaType.bit(.string)
    try addCounts("minLength", "maxLength", of: node, kinds, "characters", to: &rules) { .length($0, $1) }
    guard let value = try member("pattern", of: node) else { return }
    let expression = try expression(value)
    let check: SchemaRule.Check =
      if let start = Self.plainStart(of: expression.pattern) {
        .start(program.names.add(text: start))
      } else {
        .pattern(SchemaProgram.add(expression, to: &program.patterns))
      }
    add(check, kinds, "pattern", "must match \(shown(value))", to: &rules)
  }

  /// What a text begins with when it matches a pattern that asks for no more, as `^/` or `^https://`.
  private static func plainStart(of pattern: String) -> [UInt8]? {
    let start = Array(pattern.utf8.dropFirst())
    let special = Array("\\^$.|?*+()[]{}".utf8)
    return pattern.utf8.first == UInt8(ascii: "^") && !start.contains(where: special.contains) ? start : nil
  }

  func expression(_ node: Int) throws(SchemaMistake) -> RegularExpression {
    guard document.kind(node) == .string else { throw mistake("a pattern is a text", node) }
    do throws(RegularExpression.Mistake) { return try RegularExpression(string(node)) } catch {
      throw mistake("\(shown(node)) is no pattern that can be used: \(error.message)", node)
    }
  }

  mutating func addCounts(
    _ least: StaticString, _ most: StaticString, of node: Int, _ kinds: UInt8, _ unit: String,
    to rules: inout [SchemaRule], _ check: (Int, Int) -> SchemaRule.Check
  ) throws(SchemaMistake) {
    if let value = try member("\(least)", of: node) {
      let count = try count(value)
      add(check(count, .max), kinds, least, "must have at least \(count) \(unit)", to: &rules)
    }
    if let value = try member("\(most)", of: node) {
      let count = try count(value)
      add(check(0, count), kinds, most, "must have at most \(count) \(unit)", to: &rules)
    }
  }

  /// A whole number of things: `2.0` is one.
  private func count(_ node: Int) throws(SchemaMistake) -> Int {
    let number = try number(node)
    guard number.isInteger, let value = number.count else { throw mistake("a count belongs here, from 0", node) }
    return value
  }

  private mutating func addArrays(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    let kinds = SchemaType.bit(.array)
    try addCounts("minItems", "maxItems", of: node, kinds, "elements", to: &rules) { .elementCount($0, $1) }
    if let value = try member("uniqueItems", of: node), document.kind(value) == .yes {
      add(.uniqueElements, kinds, "uniqueItems", "must not have the same element twice", to: &rules)
    }
    var first: [UInt32] = []
    if let list = try member("prefixItems", of: node) {
      for child in children(list) { first.append(try schema(at: child)) }
    }
    let rest = try optionalSchema("items", of: node)
    if !first.isEmpty || rest != SchemaRule.none {
      let first = SchemaProgram.add(first, to: &program.schemas)
      add(.elements(first, rest: rest), kinds, "items", to: &rules)
    }
    guard let value = try member("contains", of: node) else { return }
    var least = 1
    var most = Int.max
    if let bound = try member("minContains", of: node) { least = try count(bound) }
    if let bound = try member("maxContains", of: node) { most = try count(bound) }
    // A lower bound above the upper one is a schema that no list meets.
    let detail = "must contain \(most == .max ? "at least \(least)" : "\(least) to \(most)") elements of a kind"
    add(.contains(try schema(at: value), least, most), kinds, "contains", detail, to: &rules)
  }

  private mutating func addCombinations(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    if let list = try member("allOf", of: node) { add(.all(try schemas(list)), SchemaType.any, "allOf", to: &rules) }
    if let list = try member("anyOf", of: node) {
      add(.any(try schemas(list)), SchemaType.any, "anyOf", "must be at least one of several things", to: &rules)
    }
    if let list = try member("oneOf", of: node) {
      add(.one(try schemas(list)), SchemaType.any, "oneOf", "must be exactly one of several things", to: &rules)
    }
    if let value = try member("not", of: node) {
      add(.not(try schema(at: value)), SchemaType.any, "not", "must not be what is excluded here", to: &rules)
    }
    guard let value = try member("if", of: node) else { return }
    let condition = try schema(at: value)
    let then = try optionalSchema("then", of: node)
    let otherwise = try optionalSchema("else", of: node)
    add(.condition(condition, then: then, otherwise: otherwise), SchemaType.any, "if", to: &rules)
  }

  mutating func optionalSchema(_ name: String, of node: Int) throws(SchemaMistake) -> UInt32 {
    guard let value = try member(name, of: node) else { return SchemaRule.none }
    return try schema(at: value)
  }

  private mutating func schemas(_ list: Int) throws(SchemaMistake) -> Indexes {
    guard document.kind(list) == .array else { throw mistake("a list of schemas belongs here", list) }
    var found: [UInt32] = []
    for child in children(list) { found.append(try schema(at: child)) }
    return SchemaProgram.add(found, to: &program.schemas)
  }
}
