import Kernel

extension JSONDocument {
  /// Parses one document, in place of an earlier one; its grammar is checked to the last byte, UTF-8 too.
  ///
  /// - Parameter bytes: fewer than 4 GiB.
  public mutating func parse(_ bytes: Span<UInt8>) throws(JSONError) {
    precondition(bytes.count < Int(UInt32.max))
    var parser = JSONParser(nodes: nodes, open: open)
    nodes = []
    open = []
    defer {
      nodes = parser.nodes
      open = parser.open
    }
    try parser.parse(bytes)
  }
}

/// Builds the index, token by token, without recursion: what is open is a list of bounded length.
private struct JSONParser {
  var nodes: [JSONDocument.Node]
  var open: [UInt32]
  private var index = 0

  private enum Expected { case value, firstElement, firstName, name, end }

  init(nodes: consuming [JSONDocument.Node], open: consuming [UInt32]) {
    self.nodes = nodes
    self.open = open
    self.nodes.removeAll(keepingCapacity: true)
    self.open.removeAll(keepingCapacity: true)
  }

  mutating func parse(_ bytes: Span<UInt8>) throws(JSONError) {
    var expected = Expected.value
    while true {
      try skipSpace(bytes)
      switch expected {
      case .value: expected = try parseValue(bytes)
      case .firstElement:
        if bytes[index] == UInt8(ascii: "]") { expected = close() } else { expected = try parseValue(bytes) }
      case .firstName:
        if bytes[index] == UInt8(ascii: "}") { expected = close() } else { expected = try parseName(bytes) }
      case .name: expected = try parseName(bytes)
      case .end:
        guard let container = open.last else { return try requireEnd(bytes) }
        let isObject = nodes[Int(container)].kind == .object
        switch bytes[index] {
        case UInt8(ascii: ","):
          index &+= 1
          expected = isObject ? .name : .value
        case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject: expected = close()
        default: throw JSONError(.unexpectedByte, at: index)
        }
      }
      if case .end = expected, open.isEmpty {
        skipSpaceToEnd(bytes)
        return try requireEnd(bytes)
      }
    }
  }

  private func requireEnd(_ bytes: Span<UInt8>) throws(JSONError) {
    if index < bytes.count { throw JSONError(.trailingBytes, at: index) }
  }

  /// Moves to the next byte that is no white space, of which there must be one.
  @inline(__always)
  private mutating func skipSpace(_ bytes: Span<UInt8>) throws(JSONError) {
    skipSpaceToEnd(bytes)
    if index >= bytes.count { throw JSONError(.truncated, at: bytes.count) }
  }

  @inline(__always)
  private mutating func skipSpaceToEnd(_ bytes: Span<UInt8>) {
    while index < bytes.count {
      let byte = bytes[index]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      index &+= 1
    }
  }

  private mutating func close() -> Expected {
    index &+= 1
    let container = Int(open.removeLast())
    nodes[container].end = UInt32(truncatingIfNeeded: index)
    nodes[container].next = UInt32(truncatingIfNeeded: nodes.count)
    return .end
  }

  private mutating func parseName(_ bytes: Span<UInt8>) throws(JSONError) -> Expected {
    if bytes[index] != UInt8(ascii: "\"") { throw JSONError(.unexpectedByte, at: index) }
    try parseString(bytes)
    try skipSpace(bytes)
    if bytes[index] != UInt8(ascii: ":") { throw JSONError(.unexpectedByte, at: index) }
    index &+= 1
    return .value
  }

  private mutating func parseValue(_ bytes: Span<UInt8>) throws(JSONError) -> Expected {
    switch bytes[index] {
    case UInt8(ascii: "\""): try parseString(bytes)
    case UInt8(ascii: "{"): return try begin(.object, .firstName)
    case UInt8(ascii: "["): return try begin(.array, .firstElement)
    case UInt8(ascii: "t"): try parseWord("true", .yes, bytes)
    case UInt8(ascii: "f"): try parseWord("false", .no, bytes)
    case UInt8(ascii: "n"): try parseWord("null", .null, bytes)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      let start = index
      index = try JSONNumber.end(in: bytes, from: index)
      append(.number, from: start)
    default: throw JSONError(.unexpectedByte, at: index)
    }
    return .end
  }

  private mutating func begin(_ kind: JSONDocument.Kind, _ expected: Expected) throws(JSONError) -> Expected {
    if open.count == JSONDocument.deepest { throw JSONError(.tooDeep, at: index) }
    open.append(UInt32(truncatingIfNeeded: nodes.count))
    let start = index
    index &+= 1
    append(kind, from: start)
    return expected
  }

  @inline(__always)
  private mutating func append(_ kind: JSONDocument.Kind, from start: Int, escaped: Bool = false) {
    nodes.append(
      JSONDocument.Node(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: index),
        next: UInt32(truncatingIfNeeded: nodes.count &+ 1), kind: kind, isEscaped: escaped))
  }

  private mutating func parseWord(
    _ word: StaticString, _ kind: JSONDocument.Kind, _ bytes: Span<UInt8>
  ) throws(JSONError) {
    let expected = ByteScan.bytes(of: word)
    for offset in expected.indices {
      guard index + offset < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
      if bytes[index + offset] != expected[offset] { throw JSONError(.unexpectedByte, at: index + offset) }
    }
    let start = index
    index += expected.count
    append(kind, from: start)
  }

  private mutating func parseString(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = index
    var escaped = false
    index &+= 1
    while true {
      index = ByteScan.endOfPlainJSON(in: bytes, from: index)
      if index >= bytes.count { throw JSONError(.truncated, at: bytes.count) }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") {
        index &+= 1
        return append(.string, from: start, escaped: escaped)
      }
      if byte >= 0x80 {
        let sequence = UTF8Sequence(at: index, of: bytes)
        if !sequence.isValid { throw JSONError(.invalidUTF8, at: index) }
        index &+= sequence.length
      } else if byte == UInt8(ascii: "\\") {
        escaped = true
        index = try JSONString.endOfEscape(in: bytes, at: index)
      } else {
        throw JSONError(.controlCharacter, at: index)
      }
    }
  }
}
