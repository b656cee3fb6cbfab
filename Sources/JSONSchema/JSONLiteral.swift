import JSON
import Kernel

/// A value that a schema compares with, apart from the schema's text.
indirect enum JSONLiteral: Sendable {
  case null
  case boolean(Bool)
  case number(DecimalNumber)
  /// Decoded.
  case string([UInt8])
  case array([JSONLiteral])
  case object([(name: [UInt8], value: JSONLiteral)])

  init(_ node: Int, of document: borrowing JSONDocument, _ bytes: Span<UInt8>) {
    switch document.kind(node) {
    case .null: self = .null
    case .yes: self = .boolean(true)
    case .no: self = .boolean(false)
    case .number: self = .number(DecimalNumber(document.text(node, in: bytes)))
    case .string: self = .string(Self.decoded(node, of: document, bytes))
    case .array:
      var elements: [JSONLiteral] = []
      var child = node + 1
      while child < document.next(node) {
        elements.append(JSONLiteral(child, of: document, bytes))
        child = document.next(child)
      }
      self = .array(elements)
    case .object:
      var members: [(name: [UInt8], value: JSONLiteral)] = []
      var name = node + 1
      while name < document.next(node) {
        members.append((Self.decoded(name, of: document, bytes), JSONLiteral(name + 1, of: document, bytes)))
        name = document.next(name + 1)
      }
      self = .object(members)
    }
  }

  static func decoded(_ node: Int, of document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> [UInt8] {
    var text = ByteBuffer(capacity: 64)
    JSONString.append(decoding: document.content(node, in: bytes), to: &text)
    return text.span.indices.map { text.span[$0] }
  }

  /// Whether a value of a document is this one; the order of members and the way numbers are written do not matter.
  func equals(_ node: Int, of document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> Bool {
    switch (self, document.kind(node)) {
    case (.null, .null), (.boolean(true), .yes), (.boolean(false), .no): return true
    case (.number(let number), .number): return number == DecimalNumber(document.text(node, in: bytes))
    case (.string(let text), .string): return document.equals(node, text.span, in: bytes)
    case (.array(let elements), .array):
      var child = node + 1
      for element in elements {
        guard child < document.next(node), element.equals(child, of: document, bytes) else { return false }
        child = document.next(child)
      }
      return child == document.next(node)
    case (.object(let members), .object):
      var count = 0
      var name = node + 1
      while name < document.next(node) {
        count += 1
        name = document.next(name + 1)
      }
      if count != members.count { return false }
      for member in members {
        guard let found = try? document.member(member.name.span, of: node, in: bytes),
          member.value.equals(found, of: document, bytes)
        else { return false }
      }
      return true
    default: return false
    }
  }
}
