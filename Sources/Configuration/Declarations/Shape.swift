/// What may stand at a place of the configuration: all that the schema and the reference need to know.
public indirect enum Shape: Sendable {
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
public struct ScalarShape: Sendable {
  /// `duration`
  public var noun: String
  /// `a duration such as 250ms, 30s or 2h`
  public var expectation: String
  /// JSON Schema for it, apart from values with `${…}`.
  public var schema: [(String, JSONText)]
  /// The words that it is one of, when they can be counted.
  public var choices: [String]
  /// Whether it must not be seen.
  public var isSecret: Bool

  public init(
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
public final class SectionShape: Sendable {
  /// What one of it is called in messages: `route`, `limits`.
  public let name: String
  public let help: String
  public let keywords: [KeywordShape]
  /// The keyword whose value may stand instead of the mapping.
  public let shorthand: KeywordShape?

  init(name: String, help: String, keywords: [KeywordShape], shorthand: KeywordShape?) {
    self.name = name
    self.help = help
    self.keywords = keywords
    self.shorthand = shorthand
  }
}

/// What a keyword declares.
public struct KeywordShape: Sendable {
  public var name: String
  public var help: String
  public var shape: Shape
  public var isRequired: Bool
  /// As the configuration would write it; nil when there is none.
  public var defaultText: String?
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
