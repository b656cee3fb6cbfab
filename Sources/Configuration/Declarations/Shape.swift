/// What may stand at a place of the configuration: all that the schema and the reference need to know.
package indirect enum Shape: Sendable {
  case scalar(ScalarShape)
  /// Also one element alone.
  case list(of: Shape)
  /// Keys that the author chooses; `key` says what they name.
  case map(key: String, of: Shape)
  case section(SectionShape)
  /// A mapping with exactly one of these keys.
  case oneOf([(name: String, shape: Shape)])
  case either([Shape])
  /// Anything that YAML can say.
  case anything
}

/// A kind of scalar.
package struct ScalarShape: Sendable {
  /// `duration`
  package var noun: String
  /// `a duration such as 250ms, 30s or 2h`
  package var expectation: String
  /// JSON Schema for it, apart from values with `${…}`.
  package var schema: [(String, JSONText)]
  /// The words that it is one of, when they can be counted.
  package var choices: [String]
  /// Whether it must not be seen.
  package var isSecret: Bool

  package init(
    _ noun: String, expectation: String, schema: [(String, JSONText)] = [("type", .string("string"))],
    choices: [String] = [], isSecret: Bool = false
  ) {
    self.noun = noun
    self.expectation = expectation
    self.schema = schema
    self.choices = choices
    self.isSecret = isSecret
  }
}

/// What a section declares, without the types of its values.
package final class SectionShape: Sendable {
  /// What one of it is called in messages: `route`, `limits`.
  package let name: String
  package let help: String
  package let keywords: [KeywordShape]
  /// What may stand instead of the mapping.
  package let shorthand: Shape?

  init(name: String, help: String, keywords: [KeywordShape], shorthand: Shape?) {
    self.name = name
    self.help = help
    self.keywords = keywords
    self.shorthand = shorthand
  }
}

/// What a keyword declares.
package struct KeywordShape: Sendable {
  package var name: String
  package var help: String
  package var shape: Shape
  package var isRequired: Bool
  /// As the configuration would write it; nil when there is none.
  package var defaultText: String?
}

extension Shape {
  /// The names of all keywords below that hold a secret.
  var secretKeys: Set<String> {
    switch self {
    case .scalar, .anything: []
    case .list(let element): element.secretKeys
    case .map(_, let value): value.secretKeys
    case .oneOf(let members): members.reduce(into: []) { $0.formUnion($1.shape.secretKeys) }
    case .either(let shapes): shapes.reduce(into: []) { $0.formUnion($1.secretKeys) }
    case .section(let section):
      section.keywords.reduce(into: []) { keys, keyword in
        if keyword.shape.isSecret { keys.insert(keyword.name) }
        keys.formUnion(keyword.shape.secretKeys)
      }
    }
  }

  private var isSecret: Bool {
    switch self {
    case .scalar(let scalar): scalar.isSecret
    case .list(let element): element.isSecret
    case .map(_, let value): value.isSecret
    default: false
    }
  }
}
