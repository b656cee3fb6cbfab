// long: one recursive descent, whose steps are read together
import JSON
import Kernel

/// What is wrong with a text that should be JSON.
public struct MalformedJSON: Error, Equatable, Sendable {
  public enum Problem: String, Sendable {
    case unexpected = "unexpected character"
    case tooDeep = "nested too deeply"
    case truncated = "ends too early"
    case invalidText = "text that is not UTF-8"
    case repeated = "a member that stands twice"
  }

  public let problem: Problem
  /// Bytes from the start.
  public let offset: Int
}

/// A JSON document (RFC 8259) that was received, taken apart once and read in place.
///
/// One entry for each value, in the order of the text: so that a member is found without a tree of objects, and a part
/// that only passes through (a schema, arguments) is copied as it was written.
final class JSONTape: Sendable {
  enum Kind: UInt8 { case object, array, string, number, yes, no, null }

  struct Entry {
    var kind: Kind
    /// Whether a string has escapes.
    var isEscaped = false
    var start: Int
    var end: Int
    /// The entry behind the value and all that is in it.
    var next: Int
  }

  let bytes: [UInt8]
  let entries: [Entry]

  static let deepest = 128

  init(_ bytes: [UInt8]) throws(MalformedJSON) {
    self.bytes = bytes
    var parser = Parser(count: bytes.count)
    try parser.document(bytes.span)
    entries = parser.entries
  }

  private struct Parser {
    var entries: [Entry] = []
    var position = 0
    private var depth = 0

    /// Few octets to a value in short documents; long ones are mostly texts.
    init(count: Int) { entries.reserveCapacity(16 + min(count / 8, 512) + count / 256) }

    mutating func document(_ text: Span<UInt8>) throws(MalformedJSON) {
      try value(text)
      skipSpace(text)
      if position < text.count { throw failure(.unexpected) }
    }

    private func failure(_ problem: MalformedJSON.Problem) -> MalformedJSON {
      MalformedJSON(problem: problem, offset: position)
    }

    private mutating func skipSpace(_ text: Span<UInt8>) {
      while position < text.count {
        switch text[position] {
        case 0x20, 0x0A, 0x0D, 0x09: position += 1
        default: return
        }
      }
    }

    private mutating func value(_ text: Span<UInt8>) throws(MalformedJSON) {
      skipSpace(text)
      guard position < text.count else { throw failure(.truncated) }
      switch text[position] {
      case UInt8(ascii: "{"): try container(text, .object, closing: UInt8(ascii: "}"))
      case UInt8(ascii: "["): try container(text, .array, closing: UInt8(ascii: "]"))
      case UInt8(ascii: "\""): try string(text)
      case UInt8(ascii: "t"): try word("true", .yes, text)
      case UInt8(ascii: "f"): try word("false", .no, text)
      case UInt8(ascii: "n"): try word("null", .null, text)
      default: try number(text)
      }
    }

    private mutating func container(_ text: Span<UInt8>, _ kind: Kind, closing: UInt8) throws(MalformedJSON) {
      let index = entries.count
      entries.append(Entry(kind: kind, start: position, end: 0, next: 0))
      depth += 1
      if depth > JSONTape.deepest { throw failure(.tooDeep) }
      position += 1
      skipSpace(text)
      if position < text.count, text[position] == closing {
        position += 1
      } else {
        try members(text, kind, closing: closing)
      }
      depth -= 1
      entries[index].end = position
      entries[index].next = entries.count
    }

    private mutating func members(_ text: Span<UInt8>, _ kind: Kind, closing: UInt8) throws(MalformedJSON) {
      while true {
        if kind == .object {
          skipSpace(text)
          guard position < text.count else { throw failure(.truncated) }
          guard text[position] == UInt8(ascii: "\"") else { throw failure(.unexpected) }
          try string(text)
          skipSpace(text)
          guard position < text.count else { throw failure(.truncated) }
          guard text[position] == UInt8(ascii: ":") else { throw failure(.unexpected) }
          position += 1
        }
        try value(text)
        skipSpace(text)
        guard position < text.count else { throw failure(.truncated) }
        position += 1
        switch text[position - 1] {
        case UInt8(ascii: ","): continue
        case closing: return
        default:
          position -= 1
          throw failure(.unexpected)
        }
      }
    }

    private mutating func string(_ text: Span<UInt8>) throws(MalformedJSON) {
      let start = position
      let (end, isEscaped) = try JSONTape.endOfString(text, from: start + 1)
      position = end + 1
      entries.append(Entry(kind: .string, isEscaped: isEscaped, start: start, end: position, next: entries.count + 1))
    }

    private mutating func number(_ text: Span<UInt8>) throws(MalformedJSON) {
      let start = position
      take(UInt8(ascii: "-"), text)
      if !take(UInt8(ascii: "0"), text) { try digits(text) }
      if take(UInt8(ascii: "."), text) { try digits(text) }
      if take(UInt8(ascii: "e"), text) || take(UInt8(ascii: "E"), text) {
        if !take(UInt8(ascii: "+"), text) { take(UInt8(ascii: "-"), text) }
        try digits(text)
      }
      entries.append(Entry(kind: .number, start: start, end: position, next: entries.count + 1))
    }

    private mutating func digits(_ text: Span<UInt8>) throws(MalformedJSON) {
      let start = position
      while position < text.count, text[position] &- 0x30 < 10 { position += 1 }
      if position == start { throw failure(position == text.count ? .truncated : .unexpected) }
    }

    @discardableResult
    private mutating func take(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
      guard position < text.count, text[position] == byte else { return false }
      position += 1
      return true
    }

    private mutating func word(_ word: StaticString, _ kind: Kind, _ text: Span<UInt8>) throws(MalformedJSON) {
      let length = word.utf8CodeUnitCount
      guard position + length <= text.count else { throw failure(.truncated) }
      guard ByteScan.equal(text.extracting(position..<position + length), ByteScan.bytes(of: word)) else {
        throw failure(.unexpected)
      }
      entries.append(Entry(kind: kind, start: position, end: position + length, next: entries.count + 1))
      position += length
    }
  }
}
