import Foreign
import Kernel

/// A compiled schema: flat tables of plain values that refer to each other by index.
///
/// Rules are walked for every value of every document, so nothing in them is counted by reference. What only some of
/// them need (texts, numbers, patterns), or only those that are broken (words), stands in tables of its own.
struct SchemaProgram: Sendable {
  var nodes: [SchemaNode] = []
  var rules: [SchemaRule] = []
  /// What rules with several schemas, or several members, refer to.
  var schemas: [UInt32] = []
  var objects: [ObjectRules] = []
  var names = NameTables()

  var patterns: [RegularExpression] = []
  var literals: [JSONLiteral] = []
  var numbers: [DecimalNumber] = []
  var texts: [[UInt8]] = []
  var anchors: [String] = []
  var wordings: [Wording] = []

  /// How a rule is called, and what it asks for.
  struct Wording: Sendable {
    var keyword: StaticString
    var detail = ""
  }

  /// Makes a place in one of the tables.
  static func add<Element>(_ element: Element, to table: inout [Element]) -> UInt32 {
    table.append(element)
    return UInt32(table.count - 1)
  }

  static func add<Element>(_ elements: [Element], to table: inout [Element]) -> Indexes {
    let start = table.count
    table += elements
    return Indexes(start..<table.count)
  }
}

/// A part of a table.
struct Indexes: BitwiseCopyable, Sendable {
  var start: UInt32 = 0
  var end: UInt32 = 0

  init(_ range: Range<Int> = 0..<0) {
    start = UInt32(range.lowerBound)
    end = UInt32(range.upperBound)
  }

  var range: Range<Int> { Int(start)..<Int(end) }
  var count: Int { Int(end &- start) }
}

/// One schema: what it asks of a value, in the order in which that is checked.
struct SchemaNode: BitwiseCopyable, Sendable {
  var rules = Indexes()
  /// The resource that it belongs to.
  var resource: UInt32 = 0
}

/// One thing that a schema asks for.
struct SchemaRule: BitwiseCopyable, Sendable {
  /// What is checked of a value whose kind is among `kinds`. Numbers are indexes of tables.
  enum Check: BitwiseCopyable, Sendable {
    /// Nothing of these kinds may stand here.
    case never
    case whole
    /// Decides what follows for numbers of few digits: one that lies within meets the next `skips` rules.
    case plainNumber(low: Double, high: Double, isWhole: Bool, skips: UInt8)
    case minimum(UInt32, isExclusive: Bool)
    case maximum(UInt32, isExclusive: Bool)
    case multipleOf(UInt32)
    /// One of these texts, which are plain ones.
    case oneOfTexts(NameTable)
    case oneOfValues(Indexes)
    case length(Int, Int)
    case pattern(UInt32)
    /// These bytes among the texts of names.
    case start(Indexes)
    case elementCount(Int, Int)
    case uniqueElements
    case contains(UInt32, Int, Int)
    /// The first elements by a schema each, the rest by one.
    case elements(Indexes, rest: UInt32)
    case memberCount(Int, Int)
    case members(UInt32)
    case memberNamed(UInt32)
    /// The first is a name; if it is there, so must be the others.
    case dependentMembers(Indexes)
    case dependentSchema(UInt32, UInt32)
    case names(UInt32)
    case all(Indexes)
    case any(Indexes)
    case one(Indexes)
    case not(UInt32)
    case condition(UInt32, then: UInt32, otherwise: UInt32)
    case reference(UInt32)
    case dynamicReference(UInt32, anchor: UInt32)
    case unevaluatedElements(UInt32)
    case unevaluatedMembers(UInt32)
  }

  var check: Check
  var kinds: UInt8
  /// How it is worded.
  var wording: UInt32

  /// Stands for a schema that is not there.
  static let none = UInt32.max
}

/// What is asked of the members of an object: which there must be, and a schema for each.
struct ObjectRules: BitwiseCopyable, Sendable {
  /// The names that are known, numbered from 0; the schema of each, or none, is at `schemas` and its number.
  var names = NameTable()
  var schemas: UInt32 = 0
  /// The names that must be there, a bit each; only the first names have one.
  var required: UInt64 = 0
  /// Patterns of names, each followed by its schema.
  var patterns = Indexes()
  var additional = SchemaRule.none

  static let mostRequired = UInt64.bitWidth
}
