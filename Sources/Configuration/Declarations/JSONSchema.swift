/// JSON Schema (draft 2020-12) of a section, for editors: completion, types and help while writing.
public enum JSONSchema {
  /// The schema of a whole configuration.
  public static func document(of section: SectionShape, title: String) -> JSONText {
    guard case .object(let members) = object(section) else { return .null }
    return .object(
      [
        ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
        ("title", .string(title)),
      ] + members)
  }

  static func schema(of shape: Shape) -> JSONText {
    switch shape {
    case .anything: .boolean(true)
    case .scalar(let scalar): schema(of: scalar)
    case .list(let element):
      anyOf([schema(of: element), .object([("type", .string("array")), ("items", schema(of: element))])])
    case .map(_, let value):
      .object([("type", nullable), ("additionalProperties", schema(of: value))])
    case .section(let section):
      if let shorthand = section.shorthand {
        anyOf([schema(of: shorthand.shape), object(section)])
      } else {
        object(section)
      }
    case .oneOf(let members): members.isEmpty ? .boolean(false) : anyOf(members.map(only))
    case .either(let shapes): anyOf(shapes.map(schema))
    }
  }

  private static func object(_ section: SectionShape) -> JSONText {
    let required = section.keywords.filter(\.isRequired).map { JSONText.string($0.name) }
    var members: [(String, JSONText)] = [
      ("type", required.isEmpty ? nullable : .string("object")),
      ("description", .string(section.help)),
      ("properties", .object(section.keywords.map { ($0.name, property($0)) })),
      ("additionalProperties", .boolean(false)),
    ]
    if !required.isEmpty { members.append(("required", .array(required))) }
    return .object(members)
  }

  private static func property(_ keyword: KeywordShape) -> JSONText {
    guard case .object(let members) = schema(of: keyword.shape) else {
      return .object([("description", .string(keyword.help))])
    }
    var help = keyword.help
    if let text = keyword.defaultText { help += " Default: \(text)." }
    return .object([("description", .string(help))] + members.filter { $0.0 != "description" })
  }

  /// A value may come from the environment, and unquoted text may look like a number or a truth value.
  private static func schema(of scalar: ScalarShape) -> JSONText {
    if scalar.schema.count == 1, scalar.schema[0].1 == .string("string") {
      return .object([
        ("type", .array([.string("string"), .string("number"), .string("boolean")])),
        ("description", .string(scalar.expectation)),
      ])
    }
    return .object([
      ("description", .string(scalar.expectation)),
      (
        "anyOf",
        .array([
          .object(scalar.schema), .object([("type", .string("string")), ("pattern", .string(#"\$\{[A-Za-z_]"#))]),
        ])
      ),
    ])
  }

  private static func only(_ name: String, _ shape: Shape) -> JSONText {
    .object([
      ("type", .string("object")), ("properties", .object([(name, schema(of: shape))])),
      ("required", .array([.string(name)])), ("additionalProperties", .boolean(false)),
    ])
  }

  private static func anyOf(_ schemas: [JSONText]) -> JSONText {
    schemas.count == 1 ? schemas[0] : .object([("anyOf", .array(schemas))])
  }

  private static let nullable = JSONText.array([.string("object"), .string("null")])
}
