import Foreign
import JSON
import Kernel

/// Rules about a value by itself.
extension SchemaValidator {
  mutating func checkValue(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Bool {
    let text = document.text(node, in: subject.bytes)
    switch rule.check {
    case .whole: return DecimalNumber(text).isInteger
    case .oneOfValues(let literals):
      return schema.program.literals[literals.range].contains { $0.equals(node, of: document, subject.bytes) }
    case .minimum(let index, let isExclusive):
      let (bound, value) = (schema.program.numbers[Int(index)], DecimalNumber(text))
      return isExclusive ? bound < value : !(value < bound)
    case .maximum(let index, let isExclusive):
      let (bound, value) = (schema.program.numbers[Int(index)], DecimalNumber(text))
      return isExclusive ? value < bound : !(bound < value)
    case .multipleOf(let index): return DecimalNumber(text).isMultiple(of: schema.program.numbers[Int(index)])
    case .pattern(let index): return matches(schema.program.patterns[Int(index)], node, document, subject.bytes)
    default: return false
    }
  }

  /// Whether a text begins with another.
  @inline(__always)
  static func begins(
    _ node: Int, with start: Indexes, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Bool {
    let content = document.content(node, in: subject.bytes)
    let start = subject.texts.extracting(start.range)
    if !document.isEscaped(node) { return begins(content, with: start) }
    var decoded = ByteBuffer(capacity: content.count)
    JSONString.append(decoding: content, to: &decoded)
    return begins(decoded.span, with: start)
  }

  @inline(__always)
  private static func begins(_ text: Span<UInt8>, with start: Span<UInt8>) -> Bool {
    text.count >= start.count && ByteScan.equal(text.extracting(first: start.count), start)
  }

  /// Whether a text is one of a table.
  @inline(__always)
  func holds(
    _ node: Int, _ table: NameTable, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Bool {
    document.kind(node) == .string && subject.number(of: node, in: table, document) != nil
  }

  /// Whether the length of a text is within bounds, in characters (Unicode scalars), as the specification counts.
  @inline(__always)
  static func isWithin(
    _ least: Int, _ most: Int, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Bool {
    let content = document.content(node, in: subject.bytes)
    // A character has one to four bytes, so that most texts need not be gone through.
    if !document.isEscaped(node), content.count <= most, content.count &+ 3 >= least &* 4 { return true }
    let length = length(of: content, isEscaped: document.isEscaped(node))
    return least <= length && length <= most
  }

  @inline(never)
  private static func length(of content: Span<UInt8>, isEscaped: Bool) -> Int {
    if !isEscaped { return scalars(content) }
    var decoded = ByteBuffer(capacity: content.count)
    JSONString.append(decoding: content, to: &decoded)
    return scalars(decoded.span)
  }

  private static func scalars(_ text: Span<UInt8>) -> Int {
    // Bytes that continue a character have the highest bit and not the next: eight at once.
    var continuing = 0
    var index = 0
    while index < text.count {
      let word = ByteScan.word(in: text, at: index)
      continuing &+= (word & (~word &<< 1) & 0x8080_8080_8080_8080).nonzeroBitCount
      index &+= 8
    }
    return text.count &- continuing
  }

  /// A pattern that takes more than it may does not match, and the document does not fit.
  mutating func matches(
    _ pattern: RegularExpression, _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) -> Bool {
    let content = document.content(node, in: bytes)
    if !document.isEscaped(node) { return isFound(pattern, content) }
    var decoded = ByteBuffer(capacity: content.count)
    JSONString.append(decoding: content, to: &decoded)
    return isFound(pattern, decoded.span)
  }

  private mutating func isFound(_ pattern: RegularExpression, _ text: Span<UInt8>) -> Bool {
    switch pattern.search(text, in: &workspace) {
    case .found: return true
    case .absent: return false
    case .exhausted:
      exhaust()
      return false
    }
  }
}
