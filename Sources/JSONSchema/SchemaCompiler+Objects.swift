import JSON

/// What is asked of objects.
extension SchemaCompiler {
  mutating func addObjects(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    let kinds = SchemaType.bit(.object)
    try addCounts("minProperties", "maxProperties", of: node, kinds, "members", to: &rules) { .memberCount($0, $1) }
    try addMembers(of: node, to: &rules)
    if let map = try member("dependentRequired", of: node) {
      for (name, value) in members(map) {
        var names: [UInt32] = []
        for name in [name] + children(value) { names.append(SchemaProgram.add(bytes(name), to: &program.texts)) }
        let indexes = SchemaProgram.add(names, to: &program.schemas)
        add(.dependentMembers(indexes), kinds, "dependentRequired", to: &rules)
      }
    }
    if let map = try member("dependentSchemas", of: node) {
      for (name, value) in members(map) {
        let name = SchemaProgram.add(bytes(name), to: &program.texts)
        add(.dependentSchema(name, try schema(at: value)), kinds, "dependentSchemas", to: &rules)
      }
    }
    if let value = try member("propertyNames", of: node) {
      add(.names(try schema(at: value)), kinds, "propertyNames", to: &rules)
    }
  }

  /// Gathers what is asked of members by their names, so that one walk through an object checks it all.
  private mutating func addMembers(of node: Int, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    let kinds = SchemaType.bit(.object)
    var object = ObjectRules()
    // Those that must be there come first, as only the first numbers have a bit.
    var names = NumberedNames()
    if let list = try member("required", of: node) {
      for child in children(list) {
        let name = bytes(child)
        if names.all.count < ObjectRules.mostRequired || names.contains(name) {
          object.required |= 1 << UInt64(names.number(of: name))
        } else {
          add(.memberNamed(SchemaProgram.add(name, to: &program.texts)), kinds, "required", to: &rules)
        }
      }
    }
    var schemas = Array(repeating: SchemaRule.none, count: names.all.count)
    if let map = try member("properties", of: node) {
      for (name, value) in members(map) {
        let number = names.number(of: bytes(name))
        if number == schemas.count { schemas.append(SchemaRule.none) }
        schemas[number] = try schema(at: value)
      }
    }
    if let map = try member("patternProperties", of: node) {
      var patterns: [UInt32] = []
      for (name, value) in members(map) {
        patterns.append(SchemaProgram.add(try expression(name), to: &program.patterns))
        patterns.append(try schema(at: value))
      }
      object.patterns = SchemaProgram.add(patterns, to: &program.schemas)
    }
    object.additional = try optionalSchema("additionalProperties", of: node)
    if names.all.isEmpty, object.patterns.count == 0, object.additional == SchemaRule.none { return }
    object.names = program.names.add(names.all)
    object.schemas = SchemaProgram.add(schemas, to: &program.schemas).start
    add(.members(SchemaProgram.add(object, to: &program.objects)), kinds, "properties", to: &rules)
  }
}

/// Different names, numbered in the order in which they come.
private struct NumberedNames {
  private(set) var all: [[UInt8]] = []
  private var numbers: [[UInt8]: Int] = [:]

  func contains(_ name: [UInt8]) -> Bool { numbers[name] != nil }

  mutating func number(of name: [UInt8]) -> Int {
    if let number = numbers[name] { return number }
    numbers[name] = all.count
    all.append(name)
    return all.count - 1
  }
}
