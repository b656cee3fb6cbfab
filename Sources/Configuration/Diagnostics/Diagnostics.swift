/// The mistakes found so far, and the text that is needed to show them.
///
/// All mistakes are reported at once, so finding one never ends the search. Whatever checks a configuration later
/// adds to the same collection.
public struct Diagnostics: Sendable {
  private var list: [Diagnostic] = []
  private var sources: [Source] = []
  /// Mistakes beyond the limit.
  private var further = 0
  package private(set) var errorCount = 0
  /// Keys whose values no excerpt shows.
  private var secretKeys: Set<String> = []

  private struct Source {
    var file: String
    var bytes: [UInt8]
  }

  public init() {}

  public var hasErrors: Bool { errorCount > 0 }

  public mutating func add(_ diagnostic: Diagnostic) {
    if diagnostic.severity == .error { errorCount += 1 }
    guard list.count < ConfigurationLimits.diagnostics else {
      further += 1
      return
    }
    var diagnostic = diagnostic
    diagnostic.message = Printable(diagnostic.message, limit: 500).description
    list.append(diagnostic)
  }

  public mutating func error(
    _ message: String, at position: Position, expected: String? = nil, hint: String? = nil
  ) {
    add(Diagnostic(.error, at: position, message: message, expected: expected, hint: hint))
  }

  public mutating func warning(_ message: String, at position: Position, expected: String? = nil) {
    add(Diagnostic(.warning, at: position, message: message, expected: expected))
  }

  /// Adds what is neither wrong nor doubtful.
  public mutating func note(_ message: String, at position: Position, expected: String? = nil) {
    add(Diagnostic(.note, at: position, message: message, expected: expected))
  }

  /// Takes back that variables are not set which a value needs: whoever reads it can do without. Their names.
  mutating func withdrawUnset(at position: Position) -> [String] {
    var names: [String] = []
    list.removeAll { diagnostic in
      guard let name = diagnostic.unsetVariable, diagnostic.position == position else { return false }
      names.append(name)
      return true
    }
    errorCount -= names.count
    return names
  }

  /// Gives excerpts a text to be taken from.
  mutating func add(source file: String, _ bytes: [UInt8]) {
    sources.append(Source(file: file, bytes: bytes))
  }

  /// Keeps the secrets that this section and those below it declare out of every excerpt.
  public mutating func hide(secretsOf section: SectionShape) {
    secretKeys.formUnion(Shape.section(section).secretKeys)
  }

  /// Whether a key is one of those whose values no excerpt shows.
  func hides(_ key: String) -> Bool { secretKeys.contains(key) }

  /// In the order of the text; files in the order in which they were read.
  public var sorted: [Diagnostic] {
    var order: [String: Int] = [:]
    for (index, source) in sources.enumerated() { order[source.file] = index }
    return list.enumerated().sorted { a, b in
      let (first, second) = (a.element.position, b.element.position)
      if first.file != second.file {
        return (order[first.file] ?? .max, first.file) < (order[second.file] ?? .max, second.file)
      }
      return (first.line, first.column, a.offset) < (second.line, second.column, b.offset)
    }.map(\.element)
  }
}

// MARK: - For people

extension Diagnostics {
  /// All of them as text, each with its line; ends in a line break unless there are none.
  public var text: String {
    var excerpts = excerpts
    var result = ""
    for diagnostic in sorted {
      let place = diagnostic.position
      if !place.file.isEmpty { result += "\(Printable(place.file, limit: 200)):" }
      if place.line > 0 { result += "\(place.line):\(place.column):" }
      if !place.file.isEmpty { result += " " }
      result += "\(diagnostic.severity.rawValue): \(diagnostic.message)\n"
      if let excerpt = excerpts.excerpt(at: place) { result += excerpt.text }
      if let expected = diagnostic.expected { result += "  expected: \(expected)\n" }
      if let hint = diagnostic.hint { result += "  did you mean `\(hint)`?\n" }
    }
    if further > 0 { result += "and \(further) more\n" }
    return result
  }

  private var excerpts: ExcerptFinder {
    ExcerptFinder(
      sources: Dictionary(sources.map { ($0.file, $0.bytes) }, uniquingKeysWith: { first, _ in first }),
      secretKeys: secretKeys)
  }
}

// MARK: - For machines

extension Diagnostics {
  /// All of them as JSON: `{"errors":1,"warnings":0,"diagnostics":[{…}]}`.
  public var json: String {
    var excerpts = excerpts
    let items = sorted.map { diagnostic in
      var members: [(String, JSONText)] = [
        ("severity", .string(diagnostic.severity.rawValue)),
        ("file", .string(diagnostic.position.file)),
        ("line", .integer(diagnostic.position.line)),
        ("column", .integer(diagnostic.position.column)),
        ("message", .string(diagnostic.message)),
      ]
      if let expected = diagnostic.expected { members.append(("expected", .string(expected))) }
      if let hint = diagnostic.hint { members.append(("hint", .string(hint))) }
      if let excerpt = excerpts.excerpt(at: diagnostic.position) { members.append(("excerpt", .string(excerpt.line))) }
      return JSONText.object(members)
    }
    let warnings = list.count { $0.severity == .warning }
    return JSONText.object([
      ("errors", .integer(errorCount)), ("warnings", .integer(warnings)), ("diagnostics", .array(items)),
    ]).text
  }
}
