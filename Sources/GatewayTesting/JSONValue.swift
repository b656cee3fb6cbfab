/// A JSON document as RFC 8259 defines it, and nothing more lenient: what a test trusts when it reads a log line.
package enum JSONValue: Equatable, Sendable {
  case null
  case flag(Bool)
  case number(String)
  case text(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  package struct Malformed: Error {
    package let offset: Int
  }

  package init(parsing text: some StringProtocol) throws(Malformed) {
    var parser = Parser(bytes: Array(text.utf8))
    self = try parser.document()
  }

  package static func == (a: JSONValue, b: JSONValue) -> Bool { String(describing: a) == String(describing: b) }

  /// The members' names in their order.
  package var keys: [String] {
    if case .object(let members) = self { return members.map(\.key) }
    return []
  }

  package subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { return members.first { $0.key == key }?.value }
    return nil
  }

  package var string: String? {
    if case .text(let text) = self { return text }
    return nil
  }

  package var integer: Int? {
    if case .number(let digits) = self { return Int(digits) }
    return nil
  }

  private struct Parser {
    let bytes: [UInt8]
    var index = 0

    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func document() throws(Malformed) -> JSONValue {
      let value = try value()
      space()
      guard index == bytes.count else { throw Malformed(offset: index) }
      return value
    }

    mutating func value() throws(Malformed) -> JSONValue {
      space()
      switch next {
      case UInt8(ascii: "{"): return .object(try members())
      case UInt8(ascii: "["): return .array(try elements())
      case UInt8(ascii: "\""): return .text(try string())
      case UInt8(ascii: "t"): return try word("true", .flag(true))
      case UInt8(ascii: "f"): return try word("false", .flag(false))
      case UInt8(ascii: "n"): return try word("null", .null)
      default: return .number(try number())
      }
    }

    mutating func members() throws(Malformed) -> [(key: String, value: JSONValue)] {
      var found: [(key: String, value: JSONValue)] = []
      index += 1
      space()
      if take("}") { return found }
      repeat {
        space()
        let key = try string()
        space()
        guard take(":"), !found.contains(where: { $0.key == key }) else { throw Malformed(offset: index) }
        found.append((key, try value()))
        space()
      } while take(",")
      guard take("}") else { throw Malformed(offset: index) }
      return found
    }

    mutating func elements() throws(Malformed) -> [JSONValue] {
      var found: [JSONValue] = []
      index += 1
      space()
      if take("]") { return found }
      repeat {
        found.append(try value())
        space()
      } while take(",")
      guard take("]") else { throw Malformed(offset: index) }
      return found
    }

    mutating func string() throws(Malformed) -> String {
      guard take("\"") else { throw Malformed(offset: index) }
      var units: [UInt8] = []
      while let byte = next, byte != UInt8(ascii: "\"") {
        index += 1
        if byte < 0x20 { throw Malformed(offset: index) }
        if byte != UInt8(ascii: "\\") {
          units.append(byte)
        } else {
          units.append(contentsOf: String(Character(try escape())).utf8)
        }
      }
      guard take("\""), let text = String(validating: units, as: UTF8.self) else { throw Malformed(offset: index) }
      return text
    }

    mutating func escape() throws(Malformed) -> Unicode.Scalar {
      guard let byte = next else { throw Malformed(offset: index) }
      index += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
      case UInt8(ascii: "n"): return "\n"
      case UInt8(ascii: "r"): return "\r"
      case UInt8(ascii: "t"): return "\t"
      case UInt8(ascii: "b"): return "\u{8}"
      case UInt8(ascii: "f"): return "\u{c}"
      case UInt8(ascii: "u"):
        let unit = try codeUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // Beyond the basic plane a character is two escapes (RFC 8259, section 7).
        guard 0xD800...0xDBFF ~= unit, take("\\"), take("u") else { throw Malformed(offset: index) }
        let second = try codeUnit()
        guard 0xDC00...0xDFFF ~= second,
          let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw Malformed(offset: index) }
        return scalar
      default: throw Malformed(offset: index)
      }
    }

    private mutating func codeUnit() throws(Malformed) -> UInt16 {
      guard index + 4 <= bytes.count,
        let unit = UInt16(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
      else { throw Malformed(offset: index) }
      index += 4
      return unit
    }

    mutating func number() throws(Malformed) -> String {
      let start = index
      _ = take("-")
      if !take("0") { try digits() }
      if take(".") { try digits() }
      if take("e") || take("E") {
        _ = take("+") || take("-")
        try digits()
      }
      return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    mutating func digits() throws(Malformed) {
      let start = index
      while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
      if index == start { throw Malformed(offset: index) }
    }

    mutating func word(_ text: String, _ value: JSONValue) throws(Malformed) -> JSONValue {
      for byte in text.utf8 {
        guard next == byte else { throw Malformed(offset: index) }
        index += 1
      }
      return value
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard next == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    mutating func space() {
      while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { index += 1 }
    }
  }
}
