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
  public internal(set) var violations: [SchemaViolation] = []
  /// Values that keywords of schemas in progress have seen, where that matters.
  var seen: [Int] = []
  /// The resources that evaluation has come through, the outermost first.
  var scope: [Int] = []
  private var depth = 0
  private var effort = 0

  /// Violations that are told of one document.
  public static let most = 100
  private static let deepest = 400
  /// Schemas that are applied to parts of one document, which bounds the time that a hostile one takes.
  private static let mostEffort = 2_000_000

  public init(_ schema: Schema) { self.schema = schema }

  /// Whether a document is what the schema asks for; `violations` tells otherwise.
  public mutating func validate(_ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> Bool {
    violations.removeAll(keepingCapacity: true)
    seen.removeAll(keepingCapacity: true)
    scope.removeAll(keepingCapacity: true)
    (depth, effort) = (0, 0)
    return evaluate(0, 0, document, bytes, tells: true)
  }

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
    _ index: Int, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, tells: Bool
  ) -> Bool {
    effort += 1
    if depth >= Self.deepest || effort > Self.mostEffort {
      violate(node, "$ref", "is nested too deeply, or takes too long to check", tells)
      return false
    }
    depth += 1
    let resource = schema.nodes[index].resource
    let entersResource = scope.last != resource
    if entersResource { scope.append(resource) }
    let start = seen.count
    var isValid = true
    for rule in schema.nodes[index].rules {
      if check(rule, node, document, bytes, since: start, tells: tells) { continue }
      isValid = false
      if !tells { break }
    }
    if !isValid, seen.count > start { seen.removeLast(seen.count - start) }
    if entersResource { scope.removeLast() }
    depth -= 1
    return isValid
  }

  /// Applies a schema to a part of the value at hand, which is noted as seen.
  mutating func evaluate(
    _ index: Int, child: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, tells: Bool
  ) -> Bool {
    let start = seen.count
    let isValid = evaluate(index, child, document, bytes, tells: tells)
    if schema.tracksEvaluation {
      if seen.count > start { seen.removeLast(seen.count - start) }
      seen.append(child)
    }
    return isValid
  }

  /// Tries a schema without telling of violations; what it has seen counts only if it fits.
  mutating func fits(_ index: Int, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> Bool {
    evaluate(index, node, document, bytes, tells: false)
  }

  mutating func violate(_ node: Int, _ keyword: StaticString, _ detail: @autoclosure () -> String, _ tells: Bool) {
    if tells, violations.count < Self.most {
      violations.append(SchemaViolation(node: node, keyword: keyword, detail: detail()))
    }
  }

  private mutating func check(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, since start: Int,
    tells: Bool
  ) -> Bool {
    switch rule.kind {
    case .elements, .contains, .uniqueElements, .elementCount, .unevaluatedElements:
      return document.kind(node) != .array || checkArray(rule, node, document, bytes, since: start, tells: tells)
    case .members, .names, .required, .dependentRequired, .dependentSchemas, .memberCount, .unevaluatedMembers:
      return document.kind(node) != .object || checkObject(rule, node, document, bytes, since: start, tells: tells)
    case .all, .any, .one, .not, .condition, .reference, .dynamicReference:
      return checkCombination(rule, node, document, bytes, tells: tells)
    default:
      if meets(rule, node, document, bytes) { return true }
      violate(node, rule.keyword, rule.detail, tells)
      return false
    }
  }

  /// Rules about a value by itself.
  private func meets(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) -> Bool {
    let kind = document.kind(node)
    switch rule.kind {
    case .type(let bits):
      if SchemaType.bit(kind) & bits != 0 { return true }
      return kind == .number && bits & SchemaType.integer != 0 && number(node, document, bytes).isInteger
    case .oneOfValues(let literals): return literals.contains { $0.equals(node, of: document, bytes) }
    case .minimum(let bound, let isExclusive):
      if kind != .number { return true }
      let value = number(node, document, bytes)
      return isExclusive ? bound < value : !(value < bound)
    case .maximum(let bound, let isExclusive):
      if kind != .number { return true }
      let value = number(node, document, bytes)
      return isExclusive ? value < bound : !(bound < value)
    case .multipleOf(let divisor): return kind != .number || number(node, document, bytes).isMultiple(of: divisor)
    case .length(let range): return kind != .string || range.contains(length(node, document, bytes))
    case .pattern(let pattern): return kind != .string || matches(pattern, node, document, bytes)
    default: return false
    }
  }

  private func number(_ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> DecimalNumber {
    DecimalNumber(document.text(node, in: bytes))
  }

  /// In characters (Unicode scalars), as the specification counts.
  private func length(_ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> Int {
    let content = document.content(node, in: bytes)
    if !document.isEscaped(node) { return Self.scalars(content) }
    var decoded = ByteBuffer(capacity: content.count)
    JSONString.append(decoding: content, to: &decoded)
    return Self.scalars(decoded.span)
  }

  private static func scalars(_ text: Span<UInt8>) -> Int {
    var count = 0
    for index in text.indices where text[index] & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// A pattern that takes more than it may does not match.
  func matches(
    _ pattern: RegularExpression, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) -> Bool {
    let content = document.content(node, in: bytes)
    if !document.isEscaped(node) { return Self.isFound(pattern, content) }
    var decoded = ByteBuffer(capacity: content.count)
    JSONString.append(decoding: content, to: &decoded)
    return Self.isFound(pattern, decoded.span)
  }

  private static func isFound(_ pattern: RegularExpression, _ text: Span<UInt8>) -> Bool {
    if case .found = pattern.search(text) { true } else { false }
  }
}
