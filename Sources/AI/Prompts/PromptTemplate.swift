/// A text with places for values: `{{name}}`, `{{#name}}…{{/name}}` and `{{^name}}…{{/name}}`.
///
/// It is read once and rendered in one pass: what stands in a value is never read as a template, and nothing is escaped, as
/// a model reads plain text. There are no partials, lambdas, lookups by path or other delimiters.
public struct PromptTemplate: Sendable, Equatable {
  /// Why a text is no template, and where that shows, in bytes.
  public struct Mistake: Error, Equatable {
    public let message: String
    public let offset: Int
  }

  indirect enum Piece: Sendable, Equatable {
    case text(String)
    case value(String)
    case section(String, isInverted: Bool, [Piece])
  }

  /// As it is written.
  public let text: String
  private let pieces: [Piece]

  public init(_ text: String) throws(Mistake) {
    self.text = text
    var parser = PromptTemplateParser(text)
    pieces = try parser.parse()
  }

  /// The values that it asks for, each once, in their order.
  public var names: [String] {
    var names: [String] = []
    Self.collect(pieces, into: &names)
    return names
  }

  private static func collect(_ pieces: [Piece], into names: inout [String]) {
    for piece in pieces {
      switch piece {
      case .text: break
      case .value(let name): if name != ".", !names.contains(name) { names.append(name) }
      case .section(let name, _, let inner):
        if !names.contains(name) { names.append(name) }
        collect(inner, into: &names)
      }
    }
  }

  /// The text with values in their places; those that are not there leave nothing.
  public func render(_ values: [String: PromptValue]) -> String {
    var text = ""
    Self.append(pieces, values, element: nil, to: &text)
    return text
  }

  private static func append(
    _ pieces: [Piece], _ values: [String: PromptValue], element: String?, to text: inout String
  ) {
    for piece in pieces {
      switch piece {
      case .text(let literal): text += literal
      case .value("."): text += element ?? ""
      case .value(let name): text += values[name]?.text ?? ""
      case .section(let name, let isInverted, let inner):
        let isShown = values[name]?.isShown ?? false
        if isShown == isInverted { continue }
        if !isInverted, case .list(let elements)? = values[name] {
          for element in elements { append(inner, values, element: element, to: &text) }
        } else {
          append(inner, values, element: element, to: &text)
        }
      }
    }
  }
}

/// A value for a template.
public enum PromptValue: Sendable, Equatable {
  /// Text, or a number as it was written.
  case text(String)
  case flag(Bool)
  case list([String])

  var text: String {
    switch self {
    case .text(let text): text
    case .flag(let flag): flag ? "true" : "false"
    case .list(let elements): elements.joined(separator: ", ")
    }
  }

  /// Whether a section shows for it.
  var isShown: Bool {
    switch self {
    case .text(let text): !text.isEmpty
    case .flag(let flag): flag
    case .list(let elements): !elements.isEmpty
    }
  }
}

/// Reads a template from the left, section within section.
private struct PromptTemplateParser {
  private let bytes: [UInt8]
  private var position = 0
  private var open: [(name: String, offset: Int)] = []

  private static let deepest = 8

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func parse() throws(PromptTemplate.Mistake) -> [PromptTemplate.Piece] {
    var pieces: [PromptTemplate.Piece] = []
    while let start = find(UInt8(ascii: "{"), from: position) {
      append(position..<start, to: &pieces)
      guard let end = find(UInt8(ascii: "}"), from: start + 2) else {
        throw mistake("this `{{` has no `}}`", start)
      }
      position = end + 2
      let tag = String(decoding: bytes[start + 2..<end], as: UTF8.self)
      switch tag.first {
      case "#", "^":
        let name = try name(String(tag.dropFirst()), at: start)
        if open.count == Self.deepest { throw mistake("sections are nested too deeply", start) }
        open.append((name, start))
        let inner = try parse()
        pieces.append(.section(name, isInverted: tag.first == "^", inner))
      case "/":
        let name = try name(String(tag.dropFirst()), at: start)
        guard open.popLast()?.name == name else { throw mistake("`{{/\(name)}}` ends no section that is open", start) }
        return pieces
      default:
        if tag == "." {
          guard !open.isEmpty else { throw mistake("`{{.}}` means something only within a section of a list", start) }
          pieces.append(.value(tag))
        } else {
          pieces.append(.value(try name(tag, at: start)))
        }
      }
    }
    if let last = open.last { throw mistake("the section `\(last.name)` does not end", last.offset) }
    append(position..<bytes.count, to: &pieces)
    position = bytes.count
    return pieces
  }

  private func append(_ range: Range<Int>, to pieces: inout [PromptTemplate.Piece]) {
    if !range.isEmpty { pieces.append(.text(String(decoding: bytes[range], as: UTF8.self))) }
  }

  /// Where two of these stand side by side.
  private func find(_ byte: UInt8, from start: Int) -> Int? {
    var index = start
    while index + 1 < bytes.count {
      if bytes[index] == byte, bytes[index + 1] == byte { return index }
      index += 1
    }
    return nil
  }

  private func name(_ text: String, at offset: Int) throws(PromptTemplate.Mistake) -> String {
    let isName = text.utf8.allSatisfy { byte in
      byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
    guard isName, !text.isEmpty else {
      throw mistake(
        "`{{\(text)}}` is no place for a value: between the braces stands a name, without spaces", offset)
    }
    return text
  }

  private func mistake(_ message: String, _ offset: Int) -> PromptTemplate.Mistake {
    PromptTemplate.Mistake(message: message, offset: offset)
  }
}
