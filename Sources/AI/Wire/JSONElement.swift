import Kernel

/// One value of a JSON document that was received: a view into it.
public struct JSONElement: Sendable {
  let tape: JSONTape
  let index: Int

  private init(_ tape: JSONTape, _ index: Int) {
    self.tape = tape
    self.index = index
  }

  /// Takes a document apart.
  public init(parsing bytes: [UInt8]) throws(MalformedJSON) {
    tape = try JSONTape(bytes)
    index = 0
  }

  public init(parsing text: String) throws(MalformedJSON) { try self.init(parsing: Array(text.utf8)) }

  private var entry: JSONTape.Entry { tape.entries[index] }

  public var isNull: Bool { entry.kind == .null }
  public var isObject: Bool { entry.kind == .object }
  public var isArray: Bool { entry.kind == .array }
  public var isString: Bool { entry.kind == .string }

  /// Where it stands in the document.
  public var range: Range<Int> { entry.start..<entry.end }

  /// As it was written.
  public var literal: String { String(decoding: tape.bytes[range], as: UTF8.self) }

  /// The document that it is of.
  public var document: [UInt8] { tape.bytes }

  public var string: String? {
    let entry = entry
    guard entry.kind == .string else { return nil }
    let content = tape.bytes[entry.start + 1..<entry.end - 1]
    return entry.isEscaped ? Self.unescape(content) : String(decoding: content, as: UTF8.self)
  }

  /// A number as it was written.
  public var number: JSONNumber? { entry.kind == .number ? JSONNumber(literal) : nil }

  public var integer: Int? {
    let entry = entry
    guard entry.kind == .number else { return nil }
    let bytes = tape.bytes
    let isNegative = bytes[entry.start] == UInt8(ascii: "-")
    let first = entry.start + (isNegative ? 1 : 0)
    // So many digits fit.
    guard entry.end - first <= 18 else { return Int(literal) }
    var value = 0
    for index in first..<entry.end {
      guard case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[index] else { return nil }
      value = value &* 10 &+ Int(bytes[index] &- UInt8(ascii: "0"))
    }
    return isNegative ? -value : value
  }

  public var flag: Bool? {
    switch entry.kind {
    case .yes: true
    case .no: false
    default: nil
    }
  }

  /// The elements of an array; none of anything else.
  public var elements: [JSONElement] {
    guard entry.kind == .array else { return [] }
    var found: [JSONElement] = []
    var child = index + 1
    while child < entry.next {
      found.append(JSONElement(tape, child))
      child = tape.entries[child].next
    }
    return found
  }

  /// The members of an object in their order; none of anything else.
  public var members: [(name: String, value: JSONElement)] {
    guard entry.kind == .object else { return [] }
    var found: [(name: String, value: JSONElement)] = []
    var child = index + 1
    while child < entry.next {
      found.append((JSONElement(tape, child).string ?? "", JSONElement(tape, child + 1)))
      child = tape.entries[child + 1].next
    }
    return found
  }

  /// The member of this name, unless it is null: `null` and absent mean the same in every dialect.
  public subscript(name: String) -> JSONElement? {
    let wanted = name.utf8Span.span
    let (tapeEntries, tapeBytes) = (tape.entries, tape.bytes)
    let entries = tapeEntries.span
    let bytes = tapeBytes.span
    guard entries[index].kind == .object else { return nil }
    let end = entries[index].next
    var child = index + 1
    while child < end {
      let entry = entries[child]
      // Names are read in place, unless they have escapes.
      let isWanted =
        entry.isEscaped
        ? JSONElement(tape, child).string == name
        : entry.end - entry.start - 2 == wanted.count
          && ByteScan.equal(bytes.extracting(entry.start + 1..<entry.end - 1), wanted)
      if isWanted { return entries[child + 1].kind == .null ? nil : JSONElement(tape, child + 1) }
      child = entries[child + 1].next
    }
    return nil
  }

  /// Where a member's name stands, and where the member does with the comma that parts it from the others.
  func place(of name: String) -> (name: Range<Int>, whole: Range<Int>)? {
    guard entry.kind == .object else { return nil }
    var (child, previous): (Int, Int?) = (index + 1, nil)
    while child < entry.next {
      let (key, value) = (JSONElement(tape, child), JSONElement(tape, child + 1))
      let next = tape.entries[child + 1].next
      if key.string == name {
        let end = next < entry.next ? tape.entries[next].start : value.range.upperBound
        let start = next < entry.next ? key.range.lowerBound : previous ?? key.range.lowerBound
        return (key.range, start..<end)
      }
      (child, previous) = (next, value.range.upperBound)
    }
    return nil
  }

  /// Refuses an object in which a name stands twice, which two readers could read differently.
  func requireUniqueNames() throws(MalformedJSON) {
    let entries = tape.entries
    guard entries[index].kind == .object else { return }
    let end = entries[index].next
    var place = index + 1
    var count = 0
    while place < end {
      if count == Self.fewMembers { return try requireUniqueByHash() }
      var earlier = index + 1
      while earlier < place {
        if isSame(earlier, place) {
          throw MalformedJSON(problem: .repeated, offset: entries[place + 1].start)
        }
        earlier = entries[earlier + 1].next
      }
      place = entries[place + 1].next
      count += 1
    }
  }

  /// So many names are compared with each other sooner than hashed.
  private static let fewMembers = 24

  private func isSame(_ a: Int, _ b: Int) -> Bool {
    let (one, other) = (tape.entries[a], tape.entries[b])
    if one.isEscaped || other.isEscaped { return JSONElement(tape, a).string == JSONElement(tape, b).string }
    guard one.end - one.start == other.end - other.start else { return false }
    let bytes = tape.bytes
    return ByteScan.equal(
      bytes.span.extracting(one.start..<one.end), bytes.span.extracting(other.start..<other.end))
  }

  private func requireUniqueByHash() throws(MalformedJSON) {
    var seen: Set<String> = []
    for (name, value) in members where !seen.insert(name).inserted {
      throw MalformedJSON(problem: .repeated, offset: value.range.lowerBound)
    }
  }

  /// Where it stands, as error messages say it: `messages[0].content`. Empty for the document itself.
  public var path: String {
    var text = ""
    var current = 0
    while current != index {
      var child = current + 1
      var place = 0
      let isObject = tape.entries[current].kind == .object
      while true {
        let value = isObject ? child + 1 : child
        if index < tape.entries[value].next {
          if isObject {
            if !text.isEmpty { text += "." }
            text += JSONElement(tape, child).string ?? ""
          } else {
            text += "[\(place)]"
          }
          current = value
          break
        }
        child = tape.entries[value].next
        place += 1
      }
    }
    return text
  }

  /// Text without its escapes, which the parser has checked.
  static func unescape(_ content: ArraySlice<UInt8>) -> String {
    var units: [UInt8] = []
    units.reserveCapacity(content.count)
    var index = content.startIndex
    while index < content.endIndex {
      guard content[index] == UInt8(ascii: "\\") else {
        units.append(content[index])
        index += 1
        continue
      }
      let letter = content[index + 1]
      index += 2
      switch letter {
      case UInt8(ascii: "n"): units.append(0x0A)
      case UInt8(ascii: "r"): units.append(0x0D)
      case UInt8(ascii: "t"): units.append(0x09)
      case UInt8(ascii: "b"): units.append(0x08)
      case UInt8(ascii: "f"): units.append(0x0C)
      case UInt8(ascii: "u"): append(codePoint(content, at: &index), to: &units)
      default: units.append(letter)
      }
    }
    return String(decoding: units, as: UTF8.self)
  }

  /// - Parameter index: behind `\u`; moved behind the digits, of a surrogate's second half too.
  private static func codePoint(_ content: ArraySlice<UInt8>, at index: inout Int) -> UInt32 {
    let first = UInt32(JSONTape.codeUnit(content.span, at: index - content.startIndex) ?? 0xFFFD)
    index += 4
    guard 0xD800...0xDBFF ~= first, index + 6 <= content.endIndex else { return first }
    let second = UInt32(JSONTape.codeUnit(content.span, at: index + 2 - content.startIndex) ?? 0xFFFD)
    index += 6
    return 0x10000 + (first - 0xD800) << 10 + (second &- 0xDC00)
  }

  private static func append(_ codePoint: UInt32, to units: inout [UInt8]) {
    units += Array(String(Character(Unicode.Scalar(codePoint) ?? "\u{FFFD}")).utf8)
  }
}

/// A number as it was written, so that passing it on changes nothing.
public struct JSONNumber: Sendable, Equatable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public let literal: String

  public init(_ literal: String) { self.literal = literal }
  public init(floatLiteral value: Double) { literal = "\(value)" }
  public init(integerLiteral value: Int) { literal = "\(value)" }
}
