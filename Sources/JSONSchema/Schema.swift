import Foreign
import JSON
import Kernel

/// A JSON Schema of draft 2020-12, compiled once and shared by all that validate with it.
///
/// References are resolved when it is compiled, so validating follows indexes. `format` and the vocabularies of content and
/// meta-data say nothing that is checked, as the specification has it by default.
public final class Schema: Sendable {
  let nodes: [SchemaNode]
  /// Of each resource (a document or part with an `$id` of its own): where its dynamic anchors lead.
  let dynamicAnchors: [[String: Int]]
  /// Whether anything asks which members and elements other keywords have seen.
  let tracksEvaluation: Bool

  /// - Parameter text: of the schema.
  public init(_ text: [UInt8]) throws(SchemaMistake) {
    var compiler = SchemaCompiler(text)
    try compiler.compile()
    nodes = compiler.nodes
    dynamicAnchors = compiler.dynamicAnchors
    tracksEvaluation = compiler.tracksEvaluation
  }
}

/// Why a text is no schema that can be used, and where that shows.
public struct SchemaMistake: Error, Equatable {
  public let message: String
  /// In bytes of the schema's text.
  public let offset: Int
}

/// One schema: what it asks of a value, in the order in which that is checked.
struct SchemaNode: Sendable {
  var rules: [SchemaRule] = []
  /// The resource that it belongs to.
  var resource = 0
}

struct SchemaRule: Sendable {
  enum Kind: Sendable {
    /// The schema `false`.
    case nothing
    case type(UInt8)
    case oneOfValues([JSONLiteral])
    case minimum(DecimalNumber, isExclusive: Bool)
    case maximum(DecimalNumber, isExclusive: Bool)
    case multipleOf(DecimalNumber)
    case length(ClosedRange<Int>)
    case pattern(RegularExpression)
    case elementCount(ClosedRange<Int>)
    case memberCount(ClosedRange<Int>)
    case uniqueElements
    case contains(Int, ClosedRange<Int>)
    case elements([Int], rest: Int?)
    case required([[UInt8]])
    case dependentRequired([(name: [UInt8], others: [[UInt8]])])
    case dependentSchemas([(name: [UInt8], schema: Int)])
    case members(MemberRules)
    case names(Int)
    case all([Int])
    case any([Int])
    case one([Int])
    case not(Int)
    case condition(Int, then: Int?, otherwise: Int?)
    case reference(Int)
    case dynamicReference(Int, anchor: String)
    case unevaluatedElements(Int)
    case unevaluatedMembers(Int)
  }

  var kind: Kind
  /// The keyword that asks for it.
  var keyword: StaticString
  /// What is asked for, in words.
  var detail: String
}

struct MemberRules: Sendable {
  var named: [(name: [UInt8], schema: Int)] = []
  var patterns: [(pattern: RegularExpression, schema: Int)] = []
  var additional: Int?
}

/// Types as bits, for lists of them.
enum SchemaType {
  static let names: [(name: String, bit: UInt8)] = [
    ("null", 1), ("boolean", 2), ("object", 4), ("array", 8), ("number", 16), ("string", 32), ("integer", 64),
  ]
  static let number: UInt8 = 16
  static let integer: UInt8 = 64

  static func bit(_ kind: JSONDocument.Kind) -> UInt8 {
    switch kind {
    case .null: 1
    case .yes, .no: 2
    case .object: 4
    case .array: 8
    case .number: 16
    case .string: 32
    }
  }
}
