import Kernel

/// Why a text is no structured field: at this byte.
public struct StructuredFieldError: Error, Sendable, Equatable {
  public let offset: Int
}

/// Reads dictionaries of structured fields (RFC 9651 §4.2.2), strictly.
///
/// Stricter than the standard where readers could differ: a name that stands twice is a mistake, as is base64 that is
/// not the one text of its bytes. Display strings are not read.
public struct StructuredDictionary {
  private let bytes: [UInt8]
  private var place = 0

  /// - Parameter text: the values of all fields of the name, with commas between them.
  public static func parse(_ text: Span<UInt8>) throws(StructuredFieldError) -> [StructuredMember] {
    var reader = StructuredDictionary(bytes: text.indices.map { text[$0] })
    return try reader.members()
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func members() throws(StructuredFieldError) -> [StructuredMember] {
    var members: [StructuredMember] = []
    var names: Set<String> = []
    skip { $0 == 0x20 }
    while place < bytes.count {
      let name = try key()
      guard names.insert(name).inserted else { throw mistake }
      var value = StructuredMember.Value.item(.boolean(true))
      if take(UInt8(ascii: "=")) {
        value = next == UInt8(ascii: "(") ? .list(try innerList()) : .item(try item())
      }
      members.append(StructuredMember(name: name, value: value, parameters: try parameters()))
      skip { $0 == 0x20 || $0 == 0x09 }
      if place == bytes.count { break }
      guard take(UInt8(ascii: ",")) else { throw mistake }
      skip { $0 == 0x20 || $0 == 0x09 }
      // A comma has something behind it.
      if place == bytes.count { throw mistake }
    }
    return members
  }

  private mutating func innerList() throws(StructuredFieldError) -> [StructuredElement] {
    var elements: [StructuredElement] = []
    place += 1
    while true {
      skip { $0 == 0x20 }
      if take(UInt8(ascii: ")")) { return elements }
      let item = try item()
      elements.append(StructuredElement(item: item, parameters: try parameters()))
      guard next == 0x20 || next == UInt8(ascii: ")") else { throw mistake }
    }
  }

  private mutating func parameters() throws(StructuredFieldError) -> [StructuredParameter] {
    var parameters: [StructuredParameter] = []
    var names: Set<String> = []
    while take(UInt8(ascii: ";")) {
      skip { $0 == 0x20 }
      let name = try key()
      guard names.insert(name).inserted else { throw mistake }
      let value = take(UInt8(ascii: "=")) ? try item() : .boolean(true)
      parameters.append(StructuredParameter(name: name, value: value))
    }
    return parameters
  }

  private mutating func key() throws(StructuredFieldError) -> String {
    let start = place
    guard let first = next, Self.isLower(first) || first == UInt8(ascii: "*") else { throw mistake }
    skip { Self.isLower($0) || Self.isDigit($0) || "_-.*".utf8.contains($0) }
    return text(from: start)
  }

  private mutating func item() throws(StructuredFieldError) -> StructuredItem {
    guard let first = next else { throw mistake }
    switch first {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: ":"): return .bytes(try octets())
    case UInt8(ascii: "?"):
      place += 1
      if take(UInt8(ascii: "1")) { return .boolean(true) }
      if take(UInt8(ascii: "0")) { return .boolean(false) }
      throw mistake
    case UInt8(ascii: "@"):
      place += 1
      guard case .integer(let seconds) = try number() else { throw mistake }
      return .date(seconds)
    case _ where first == UInt8(ascii: "-") || Self.isDigit(first): return try number()
    case _ where first == UInt8(ascii: "*") || Self.isLower(first | 0x20):
      let start = place
      skip { HeaderBlock.isTokenByte($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }
      return .token(text(from: start))
    default: throw mistake
    }
  }

  /// Up to fifteen digits, or up to twelve before a point and three behind it.
  private mutating func number() throws(StructuredFieldError) -> StructuredItem {
    let sign = take(UInt8(ascii: "-")) ? -1 : 1
    let (whole, count) = digits()
    guard count > 0, count <= 15 else { throw mistake }
    guard take(UInt8(ascii: ".")) else { return .integer(sign * whole) }
    let (fraction, length) = digits()
    guard count <= 12, length > 0, length <= 3 else { throw mistake }
    return .decimal(sign * (whole * 1000 + fraction * [100, 10, 1][length - 1]))
  }

  private mutating func digits() -> (value: Int, count: Int) {
    var value = 0
    let start = place
    while let digit = next, Self.isDigit(digit), place - start < 16 {
      value = value * 10 + Int(digit - UInt8(ascii: "0"))
      place += 1
    }
    return (value, place - start)
  }

  private mutating func string() throws(StructuredFieldError) -> String {
    var text: [UInt8] = []
    place += 1
    while let byte = next {
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let escaped = next, escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") else { throw mistake }
        text.append(escaped)
        place += 1
      case 0x20...0x7e: text.append(byte)
      default: throw mistake
      }
    }
    throw mistake
  }

  private mutating func octets() throws(StructuredFieldError) -> [UInt8] {
    place += 1
    let start = place
    skip { $0 != UInt8(ascii: ":") }
    guard place < bytes.count else { throw mistake }
    let digits = bytes[start..<place]
    var decoder = Base64Decoder()
    var decoded = ByteBuffer(capacity: digits.count)
    var again = ByteBuffer(capacity: digits.count)
    guard decoder.decode(digits.span, into: &decoded), decoder.isComplete else { throw mistake }
    Base64.append(decoded.span, to: &again)
    guard ByteScan.equal(again.span, digits.span) else { throw mistake }
    place += 1
    return decoded.span.indices.map { decoded.span[$0] }
  }

  private var mistake: StructuredFieldError { StructuredFieldError(offset: place) }
  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    place += 1
    return true
  }

  private mutating func skip(_ belongs: (UInt8) -> Bool) {
    while place < bytes.count, belongs(bytes[place]) { place += 1 }
  }

  private func text(from start: Int) -> String { String(decoding: bytes[start..<place], as: UTF8.self) }
  private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
