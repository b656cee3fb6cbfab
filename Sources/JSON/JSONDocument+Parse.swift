import Kernel

extension JSONDocument {
  /// Parses one document, in place of an earlier one; its grammar is checked to the last byte, UTF-8 too.
  ///
  /// It goes through the bytes once, without recursion. What is open needs no list: until it is closed, the node of an
  /// object or array says in `next` which one it lies in.
  ///
  /// - Parameter bytes: fewer than 4 GiB.
  public mutating func parse(_ bytes: Span<UInt8>) throws(JSONError) {
    precondition(bytes.count < Int(UInt32.max))
    nodes.removeAll()
    var index = 0
    var open = Open()
    values: while true {
      try Self.skipSpace(bytes, &index)
      if open.isObject {
        try parseName(bytes, &index)
        try Self.skipSpace(bytes, &index)
      }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") {
        try parseString(bytes, &index)
      } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        try begin(&open, byte, at: index)
        index &+= 1
        try Self.skipSpace(bytes, &index)
        if bytes[index] != open.end { continue values }
      } else {
        try parseScalar(bytes, &index)
      }
      // Behind a value: others follow, or what it lies in ends.
      while open.depth > 0 {
        try Self.skipSpace(bytes, &index)
        let byte = bytes[index]
        index &+= 1
        if byte == open.end {
          close(&open, at: index)
        } else if byte == UInt8(ascii: ","), nodes.count &- 1 != open.node {
          continue values
        } else {
          throw JSONError(.unexpectedByte, at: index &- 1)
        }
      }
      return try requireEnd(bytes, index)
    }
  }

  /// The innermost object or array that is open.
  private struct Open {
    var depth = 0
    var node = 0
    var isObject = false
    /// What closes it.
    var end: UInt8 = 0
  }

  @inline(__always)
  private mutating func begin(_ open: inout Open, _ byte: UInt8, at index: Int) throws(JSONError) {
    if open.depth == Self.deepest { throw JSONError(.tooDeep, at: index) }
    let outer = UInt32(truncatingIfNeeded: open.node)
    open.depth &+= 1
    open.node = nodes.count
    open.isObject = byte == UInt8(ascii: "{")
    // Either bracket is closed by the character two behind it.
    open.end = byte &+ 2
    nodes.append(
      Node(start: UInt32(truncatingIfNeeded: index), end: 0, next: outer, kind: open.isObject ? .object : .array))
  }

  @inline(__always)
  private mutating func close(_ open: inout Open, at end: Int) {
    let outer = Int(nodes[open.node].next)
    nodes[open.node].end = UInt32(truncatingIfNeeded: end)
    nodes[open.node].next = UInt32(truncatingIfNeeded: nodes.count)
    open.depth &-= 1
    open.node = outer
    open.isObject = open.depth > 0 && nodes[outer].kind == .object
    open.end = open.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
  }

  private func requireEnd(_ bytes: Span<UInt8>, _ start: Int) throws(JSONError) {
    var index = start
    while index < bytes.count {
      if !Self.isSpace(bytes[index]) { throw JSONError(.trailingBytes, at: index) }
      index &+= 1
    }
  }

  @inline(__always)
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

  /// Moves to the next byte that is no white space, of which there must be one.
  @inline(__always)
  private static func skipSpace(_ bytes: Span<UInt8>, _ index: inout Int) throws(JSONError) {
    while true {
      if index >= bytes.count { throw JSONError(.truncated, at: bytes.count) }
      let byte = bytes[index]
      if byte > 0x20 || !isSpace(byte) { return }
      index &+= 1
    }
  }

  @inline(__always)
  private mutating func append(_ kind: Kind, _ start: Int, _ end: Int, isEscaped: Bool = false) {
    nodes.append(
      Node(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
        next: UInt32(truncatingIfNeeded: nodes.count &+ 1), kind: kind, isEscaped: isEscaped))
  }

  /// Reads a name and the colon behind it.
  @inline(__always)
  private mutating func parseName(_ bytes: Span<UInt8>, _ index: inout Int) throws(JSONError) {
    if bytes[index] != UInt8(ascii: "\"") { throw JSONError(.unexpectedByte, at: index) }
    try parseString(bytes, &index)
    try Self.skipSpace(bytes, &index)
    if bytes[index] != UInt8(ascii: ":") { throw JSONError(.unexpectedByte, at: index) }
    index &+= 1
  }

  @inline(__always)
  private mutating func parseString(_ bytes: Span<UInt8>, _ index: inout Int) throws(JSONError) {
    let start = index
    var isEscaped = false
    index = ByteScan.endOfPlainJSON(in: bytes, from: start &+ 1)
    if index >= bytes.count || bytes[index] != UInt8(ascii: "\"") {
      index = try Self.endOfString(in: bytes, from: index, &isEscaped)
    }
    index &+= 1
    append(.string, start, index, isEscaped: isEscaped)
  }

  /// Where the quote stands that ends a string, behind whatever is not plain in it.
  @inline(never)
  private static func endOfString(
    in bytes: Span<UInt8>, from start: Int, _ isEscaped: inout Bool
  ) throws(JSONError) -> Int {
    var index = start
    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
      let byte = bytes[index]
      if byte >= 0x80 {
        let sequence = UTF8Sequence(at: index, of: bytes)
        if !sequence.isValid { throw JSONError(.invalidUTF8, at: index) }
        index &+= sequence.length
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
        index = try JSONString.endOfEscape(in: bytes, at: index)
      } else {
        throw JSONError(.controlCharacter, at: index)
      }
      index = ByteScan.endOfPlainJSON(in: bytes, from: index)
    }
    if index >= bytes.count { throw JSONError(.truncated, at: bytes.count) }
    return index
  }

  @inline(__always)
  private mutating func parseScalar(_ bytes: Span<UInt8>, _ index: inout Int) throws(JSONError) {
    let start = index
    switch bytes[start] {
    case UInt8(ascii: "t"):
      index = try Self.end(of: "true", in: bytes, at: start)
      append(.yes, start, index)
    case UInt8(ascii: "f"):
      index = try Self.end(of: "false", in: bytes, at: start)
      append(.no, start, index)
    case UInt8(ascii: "n"):
      index = try Self.end(of: "null", in: bytes, at: start)
      append(.null, start, index)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      index = try JSONNumber.end(in: bytes, from: start)
      append(.number, start, index)
    default: throw JSONError(.unexpectedByte, at: start)
    }
  }

  private static func end(of word: StaticString, in bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    let expected = ByteScan.bytes(of: word)
    for offset in expected.indices {
      guard start &+ offset < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
      if bytes[start &+ offset] != expected[offset] { throw JSONError(.unexpectedByte, at: start &+ offset) }
    }
    return start &+ expected.count
  }
}
