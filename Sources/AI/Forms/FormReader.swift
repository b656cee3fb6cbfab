import Kernel

/// Reads a form (`multipart/form-data`, RFC 7578) as it comes: its texts, and where the model's name stands. Files are
/// passed over.
///
/// Pure, and strict: what two readers could read differently is refused, as a model that is named twice.
public struct FormReader: Sendable {
  /// What stands before the head of each part (RFC 2046 §5.1.1).
  private let delimiter: [UInt8]
  private var state = State.preamble
  /// What has come and is not read yet, and where in the form it begins.
  private var held: [UInt8] = []
  private var offset = 0
  /// How far `held` was searched.
  private var searched = 0

  private enum State {
    case preamble, delimiter, head
    /// A part of this name; nil: a file.
    case content(String?)
    case complete
  }

  /// The texts of the form in their order.
  public private(set) var fields: [(name: String, text: String)] = []
  /// Where the model's name stands, from the form's first octet.
  public private(set) var model: Range<Int>?

  /// Nil where the type is no form's, or names no boundary.
  public init?(contentType: String) {
    guard contentType.prefix(while: { $0 != ";" }).lowercased().filter({ $0 != " " }) == "multipart/form-data",
      let boundary = try? Self.parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count)
    else { return nil }
    delimiter = Array("\r\n--\(boundary)".utf8)
    // The first delimiter may be the very beginning.
    held = [0x0D, 0x0A]
    offset = -2
  }

  /// Whether the whole form was read.
  public var isComplete: Bool { if case .complete = state { true } else { false } }

  /// Whether the model is known, and all texts that stand before the file that follows it.
  public var isSufficient: Bool {
    if model == nil { return false }
    switch state {
    case .content(nil), .complete: return true
    case .preamble, .delimiter, .head, .content: return false
    }
  }

  /// Takes the next octets of the form.
  public mutating func take(_ bytes: Span<UInt8>) throws(Refusal) {
    if isComplete { return }
    for index in bytes.indices { held.append(bytes[index]) }
    while try step() {}
  }

  private mutating func step() throws(Refusal) -> Bool {
    switch state {
    case .complete: return false
    case .preamble, .content(nil):
      let end = findDelimiter()
      if end == nil { drop(searched) }
      return end != nil
    case .delimiter: return try readDelimiter()
    case .head: return try readHead()
    case .content(let name?):
      let begin = offset
      guard let text = findDelimiter() else {
        if held.count > Self.longestText { throw Refusal(name, "`\(name)` of the form is too long.") }
        return false
      }
      try add(name, text, at: begin)
      return true
    }
  }

  private static let longestText = 1 << 20
  private static let longestHead = 16 << 10

  /// Forgets so many octets.
  private mutating func drop(_ count: Int) {
    held.removeFirst(count)
    offset += count
    searched = 0
  }

  /// Moves behind the next delimiter; what stands before it.
  private mutating func findDelimiter() -> [UInt8]? {
    let (place, isFound) = Self.search(delimiter.span, in: held.span, from: searched)
    searched = place
    guard isFound else { return nil }
    let before = Array(held[..<place])
    drop(place + delimiter.count)
    state = .delimiter
    return before
  }

  /// Where the delimiter stands, or from where on it may still come.
  private static func search(_ delimiter: Span<UInt8>, in bytes: Span<UInt8>, from start: Int) -> (Int, Bool) {
    var index = start
    while index + delimiter.count <= bytes.count {
      index = ByteScan.index(of: 0x0D, in: bytes, from: index)
      guard index + delimiter.count <= bytes.count else { break }
      if ByteScan.equal(bytes.extracting(index..<index + delimiter.count), delimiter) { return (index, true) }
      index += 1
    }
    return (min(index, bytes.count), false)
  }

  private mutating func readDelimiter() throws(Refusal) -> Bool {
    guard held.count >= 2 else { return false }
    switch (held[0], held[1]) {
    case (UInt8(ascii: "-"), UInt8(ascii: "-")): state = .complete
    case (0x0D, 0x0A): state = .head
    default: throw Refusal(nil, "The form is malformed: a line break must follow its boundary.")
    }
    drop(2)
    return true
  }

  private mutating func readHead() throws(Refusal) -> Bool {
    var lines: [String] = []
    var index = 0
    while true {
      let end = ByteScan.index(of: 0x0D, in: held.span, from: index)
      guard end <= Self.longestHead else { throw Refusal(nil, "The head of a part of the form is too long.") }
      guard end + 1 < held.count else { return false }
      guard held[end + 1] == 0x0A else { throw Refusal(nil, "The head of a part of the form is malformed.") }
      if end == index { break }
      lines.append(String(decoding: held[index..<end], as: UTF8.self))
      index = end + 2
    }
    let dispositions = lines.filter { $0.lowercased().hasPrefix("content-disposition:") }
    guard dispositions.count == 1, let name = try Self.parameter("name", of: dispositions[0]) else {
      throw Refusal(nil, "A part of the form has no name, or several.")
    }
    let plain = try Self.parameter("filename", of: dispositions[0])
    let extended = try Self.parameter("filename*", of: dispositions[0])
    let isFile = plain != nil || extended != nil
    if isFile, name == "model" { throw Refusal("model", "`model` is a file.") }
    drop(index + 2)
    state = .content(isFile ? nil : name)
    return true
  }

  private mutating func add(_ name: String, _ text: [UInt8], at begin: Int) throws(Refusal) {
    if name == "model" {
      if model != nil { throw Refusal("model", "`model` stands twice in the form.") }
      model = begin..<begin + text.count
    }
    fields.append((name, String(decoding: text, as: UTF8.self)))
    guard fields.count <= Self.mostFields else { throw Refusal(nil, "The form has too many fields.") }
  }

  private static let mostFields = 1000

  /// A parameter of a field, in quotes or not; refused where it stands twice.
  private static func parameter(_ name: String, of field: String) throws(Refusal) -> String? {
    var found: String?
    var rest = field[...]
    while let semicolon = rest.firstIndex(of: ";") {
      rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
      guard let equals = rest.firstIndex(of: "=") else { break }
      let isWanted = rest[..<equals].lowercased() == name
      rest = rest[rest.index(after: equals)...]
      var value = ""
      if rest.first == "\"" {
        rest.removeFirst()
        while let character = rest.popFirst(), character != "\"" {
          if character == "\\", let next = rest.popFirst() { value.append(next) } else { value.append(character) }
        }
      } else {
        value = String(rest.prefix { $0 != ";" && $0 != " " })
      }
      if isWanted {
        if found != nil { throw Refusal(nil, "A part of the form has `\(name)` twice.") }
        found = value
      }
    }
    return found
  }
}
