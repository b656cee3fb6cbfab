import Foreign
import JSON
import Kernel

/// Rules about a value by itself.
extension SchemaValidator {
  func checkValue(
    _ rule: SchemaRule, _ node: Int, _ document: borrowing JSONDocument, _ subject: borrowing Subject
  ) -> Bool {
    let program = schema.program
    let text = document.text(node, in: subject.bytes)
    switch rule.check {
    case .whole: return DecimalNumber(text).isInteger
    case .oneOfValues(let literals):
      return program.literals[literals.range].contains { $0.equals(node, of: document, subject.bytes) }
    case .minimum(let index, let isExclusive):
      let (bound, value) = (program.numbers[Int(index)], DecimalNumber(text))
      return isExclusive ? bound < value : !(value < bound)
    case .maximum(let index, let isExclusive):
      let (bound, value) = (program.numbers[Int(index)], DecimalNumber(text))
      return isExclusive ? value < bound : !(bound < value)
    case .multipleOf(let index): return DecimalNumber(text).isMultiple(of: program.numbers[Int(index)])
    case .pattern(let index): return matches(program.patterns[Int(index)], node, document, subject.bytes)
    default: return false
    }
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
    var count = 0
    for index in text.indices where text[index] & 0xC0 != 0x80 { count &+= 1 }
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
