import Foreign
public import JSON
public import Kernel

/// What a value violates.
public struct SchemaViolation: Sendable {
  /// The value, as a node of the document.
  public let node: Int
  public let keyword: StaticString
  /// What is asked for, in words.
  public let detail: String
}

/// Validates documents by a schema, one after another, with bounded effort.
///
/// All violations are found, up to `most`. Where one of several schemas is enough, only that none of them fits is one.
public struct SchemaValidator: ~Copyable {
  let schema: Schema
  public private(set) var violations: [SchemaViolation] = []
  /// Values that keywords of schemas in progress have seen, where that matters.
  var seen: [Int] = []
  /// The resources that evaluation has come through, the outermost first, where that matters.
  private(set) var scope: [UInt32] = []
  /// For patterns.
  var workspace = RegularExpression.Workspace()
  private var depth = 0
  private var effort = 0
  /// How much of it one document may take.
  private var mostEffort = 0
  /// Something was not decided: a schema that does not fit for that reason must not make another one fit.
  private(set) var isExhausted = false

  /// Violations that are told of one document.
  public static let most = 100
  private static let deepest = 400
  /// Schemas that are applied to parts of one document, for each of its values and in all, which bounds the time that
  /// a hostile one takes.
  private static let mostEffort = (each: 500, least: 20_000, all: 2_000_000)

  public init(_ schema: Schema) { self.schema = schema }

  /// Whether a document is what the schema asks for; `violations` tells otherwise.
  public mutating func validate(_ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> Bool {
    if !violations.isEmpty { violations.removeAll(keepingCapacity: true) }
    if !seen.isEmpty { seen.removeAll(keepingCapacity: true) }
    if !scope.isEmpty { scope.removeAll(keepingCapacity: true) }
    (depth, effort, isExhausted) = (0, 0, false)
    mostEffort = min(Self.mostEffort.least + Self.mostEffort.each * document.count, Self.mostEffort.all)
    let program = schema.program
    let subject = Subject(
      nodes: program.nodes.span, rules: program.rules.span, schemas: program.schemas.span,
      objects: program.objects.span, slots: program.names.slots.span, texts: program.names.texts.span, bytes: bytes)
    let isValid = evaluate(0, 0, document, subject, tells: true)
    if isValid, isExhausted { violate(0, "$ref", Self.undecided, true) }
    return isValid && !isExhausted
  }

  private static let undecided = "is nested too deeply, or takes too long to check"

  /// Notes that something could not be decided, whatever it is taken for.
  mutating func exhaust() { isExhausted = true }

  /// Appends what is violated as a JSON array of pointers (RFC 6901), keywords and sentences.
  public func append(violationsOf document: borrowing JSONDocument, _ bytes: Span<UInt8>, to out: inout ByteBuffer) {
    out.append("[")
    for (index, violation) in violations.enumerated() {
      out.append(index > 0 ? ",{\"pointer\":" : "{\"pointer\":")
      document.append(pointerTo: violation.node, in: bytes, to: &out)
      out.append(",\"keyword\":\"")
      out.append(violation.keyword)
      out.append("\",\"detail\":")
      out.append(json: violation.detail)
      out.append("}")
    }
    out.append("]")
  }

  /// Applies a schema to a value.
  ///
  /// - Parameter tells: whether violations are noted; otherwise the first one ends it.
  mutating func evaluate(
    _ index: UInt32, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject, tells: Bool
  ) -> Bool {
    effort &+= 1
    if depth >= Self.deepest || effort > mostEffort {
      exhaust()
      violate(node, "$ref", Self.undecided, tells)
      return false
    }
    let schema = subject.nodes[Int(index)]
    if self.schema.tracksEvaluation || self.schema.tracksResources {
      return evaluate(tracked: schema, node, document, subject, tells: tells)
    }
    depth &+= 1
    let isValid = meets(schema.rules, node, document, subject, since: 0, tells: tells)
    depth &-= 1
    return isValid
  }

  /// Applies a schema, and keeps account of what it has seen and which resources it came through.
  private mutating func evaluate(
    tracked schema: SchemaNode, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject,
    tells: Bool
  ) -> Bool {
    let entersResource = scope.last != schema.resource
    if entersResource { scope.append(schema.resource) }
    let start = seen.count
    depth &+= 1
    let isValid = meets(schema.rules, node, document, subject, since: start, tells: tells)
    depth &-= 1
    if !isValid, seen.count > start { seen.removeLast(seen.count - start) }
    if entersResource { scope.removeLast() }
    return isValid
  }

  /// Applies a schema to a part of the value at hand, which is noted as seen.
  @inline(__always)
  mutating func evaluate(
    _ index: UInt32, child: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject, tells: Bool
  ) -> Bool {
    if !schema.tracksEvaluation { return evaluate(index, child, document, subject, tells: tells) }
    let start = seen.count
    let isValid = evaluate(index, child, document, subject, tells: tells)
    if seen.count > start { seen.removeLast(seen.count - start) }
    seen.append(child)
    return isValid
  }

  /// Tries a schema without telling of violations; what it has seen counts only if it fits.
  mutating func fits(
    _ index: UInt32, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Bool {
    evaluate(index, node, document, subject, tells: false)
  }

  @inline(never)
  mutating func violate(_ node: Int, _ keyword: StaticString, _ detail: @autoclosure () -> String, _ tells: Bool) {
    if tells, violations.count < Self.most {
      violations.append(SchemaViolation(node: node, keyword: keyword, detail: detail()))
    }
  }

  mutating func violate(_ node: Int, _ rule: SchemaRule, _ tells: Bool) {
    let wording = schema.program.wordings[Int(rule.wording)]
    violate(node, wording.keyword, wording.detail, tells)
  }

  /// Checks what a schema asks of values of this kind, in order.
  @inline(__always)
  private mutating func meets(
    _ rules: Indexes, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject, since start: Int,
    tells: Bool
  ) -> Bool {
    let bit = SchemaType.bit(document.kind(node))
    var isValid = true
    var index = Int(rules.start)
    while index < Int(rules.end) {
      let rule = subject.rules[index]
      index &+= 1
      if rule.kinds & bit == 0 { continue }
      if case .plainNumber(let low, let high, let isWhole, let skips) = rule.check {
        if let number = PlainNumber(document.text(node, in: subject.bytes)), number.value >= low, number.value <= high,
          number.isWhole || !isWhole
        {
          index &+= Int(skips)
        }
        continue
      }
      if check(rule, node, document, subject, since: start, tells: tells) { continue }
      isValid = false
      if !tells { break }
    }
    return isValid
  }

  @inline(__always)
  private mutating func check(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject,
    since start: Int, tells: Bool
  ) -> Bool {
    switch rule.check {
    case .members(let index): return checkMembers(index, node, document, subject, tells: tells)
    case .elements(let first, let rest): return checkElements(first, rest, node, document, subject, tells: tells)
    case .length(let least, let most):
      if Self.isWithin(least, most, node, document, subject) { return true }
    case .start(let start):
      if Self.begins(node, with: start, document, subject) { return true }
    case .oneOfTexts(let table):
      if holds(node, table, document, subject) { return true }
    case .all, .any, .one, .not, .condition, .reference, .dynamicReference:
      return checkCombination(rule, node, document, subject, tells: tells)
    case .contains, .uniqueElements, .elementCount, .unevaluatedElements:
      return checkArray(rule, node, document, subject, since: start, tells: tells)
    case .memberCount, .memberNamed, .dependentMembers, .dependentSchema, .names, .unevaluatedMembers:
      return checkObject(rule, node, document, subject, since: start, tells: tells)
    default:
      if checkValue(rule, node, document, subject) { return true }
    }
    violate(node, rule, tells)
    return false
  }
}

/// The bytes of a document and the tables that are walked, for as long as it is validated.
struct Subject: ~Escapable {
  let nodes: Span<SchemaNode>
  let rules: Span<SchemaRule>
  let schemas: Span<UInt32>
  let objects: Span<ObjectRules>
  let slots: Span<NameSlot>
  /// Of the names in `slots`.
  let texts: Span<UInt8>
  let bytes: Span<UInt8>

  @_lifetime(copy nodes, copy rules, copy schemas, copy objects, copy slots, copy texts, copy bytes)
  init(
    nodes: Span<SchemaNode>, rules: Span<SchemaRule>, schemas: Span<UInt32>, objects: Span<ObjectRules>,
    slots: Span<NameSlot>, texts: Span<UInt8>, bytes: Span<UInt8>
  ) {
    self.nodes = nodes
    self.rules = rules
    self.schemas = schemas
    self.objects = objects
    self.slots = slots
    self.texts = texts
    self.bytes = bytes
  }

  /// The number of a text of the document in a table; nil for those that are not in it.
  @inline(__always)
  func number(of node: Int, in table: NameTable, _ document: borrowing JSONDocument) -> Int? {
    let range = document.range(node)
    if document.isEscaped(node) { return number(ofEscaped: document.content(node, in: bytes), in: table) }
    return slots.find(range.lowerBound &+ 1..<range.upperBound &- 1, of: bytes, in: table, texts).map { Int($0) }
  }

  private func number(ofEscaped content: Span<UInt8>, in table: NameTable) -> Int? {
    var decoded = ByteBuffer(capacity: content.count)
    JSONString.append(decoding: content, to: &decoded)
    return slots.find(0..<decoded.count, of: decoded.span, in: table, texts).map { Int($0) }
  }
}
