/// A mapping of the configuration whose keys are known: a list of keywords and the settings value that they fill.
///
/// From this one declaration follow reading with all its messages, defaults, JSON Schema, the reference, and what a
/// diff shows. Whoever adds a section (a plugin, a handler) declares it beside the code that uses it.
public struct Section<Settings: Sendable>: Sendable {
  /// What one of it is called in messages: `limits`, `route`.
  public let name: String
  public let help: String
  /// The settings before anything is read: the defaults.
  public let initial: Settings
  public let keywords: [Keyword<Settings>]
  /// What may stand instead of the mapping: the value of this keyword.
  private let shorthand: Keyword<Settings>?
  /// What is left to check once all keywords have been read without a mistake.
  private let check: (@Sendable (inout Settings, Node, inout Reading) -> Void)?
  /// What can be said of the keys alone, whether or not their values are right.
  private let checkKeys: (@Sendable (Settings, Node, inout Reading) -> Void)?
  public let shape: SectionShape
  private let index: KeywordIndex
  /// The names of the keywords, for messages.
  private let listed: String
  /// What each keyword does with its value, apart from the rest of the keyword: a large file comes by here often.
  private let readers: [@Sendable (Node, inout Settings, inout Reading) -> Void]

  /// - Parameters:
  ///   - shorthand: the name of a keyword; a scalar or list instead of the mapping is that keyword's value. It may
  ///     also be a list without brackets.
  ///   - check: reports what no single keyword can know, once all values are right.
  ///   - checkKeys: reports what the keys alone tell.
  public init(
    _ name: String, _ initial: Settings, _ help: String, shorthand: String? = nil, _ keywords: [Keyword<Settings>],
    check: (@Sendable (inout Settings, Node, inout Reading) -> Void)? = nil,
    checkKeys: (@Sendable (Settings, Node, inout Reading) -> Void)? = nil
  ) {
    precondition(keywords.count <= 64, "a section has at most 64 keywords")
    self.name = name
    self.help = help
    self.initial = initial
    self.keywords = keywords
    self.shorthand = keywords.first { $0.name == shorthand }
    precondition(shorthand == nil || self.shorthand != nil, "the shorthand is one of the keywords")
    self.check = check
    self.checkKeys = checkKeys
    listed = keywords.map { $0.name }.joined(separator: ", ")
    index = KeywordIndex(keywords.map { ($0.name, $0.isRequired) })
    readers = keywords.map(\.read)
    let shapes = keywords.map { keyword in
      KeywordShape(
        name: keyword.name, help: keyword.help, shape: keyword.shape, isRequired: keyword.isRequired,
        defaultText: keyword.isRequired ? nil : keyword.describe(initial)?.brief)
    }
    shape = SectionShape(
      name: name, help: help, keywords: shapes, shorthand: shapes.first { $0.name == shorthand })
  }

  /// Reads a node into settings; what is wrong is reported, what is right is kept.
  public func read(_ node: Node, into settings: inout Settings, _ reading: inout Reading) {
    if node.isBroken { return }
    let mistakes = reading.diagnostics.errorCount
    if node.isMapping || node.isNull {
      readEntries(node, into: &settings, &reading)
    } else if let shorthand {
      shorthand.read(node, &settings, &reading)
      requireAll(but: index.place(of: shorthand.name).map { 1 << UInt64($0) } ?? 0, node, &reading)
    } else {
      reading.error(
        "\(node.isSequence ? "a list" : "a value") stands where a mapping belongs", at: node.position,
        expected: "a mapping with \(listed)")
      return
    }
    if node.isCut { return }
    let isRight = reading.diagnostics.errorCount == mistakes
    checkKeys?(settings, node, &reading)
    if isRight { check?(&settings, node, &reading) }
  }

  private func readEntries(_ node: Node, into settings: inout Settings, _ reading: inout Reading) {
    var seen: UInt64 = 0
    for (key, value) in node.entries where key.isScalar {
      if let place = index.place(of: key) {
        seen |= 1 << UInt64(place)
        readers[place](value, &settings, &reading)
      } else if !key.bytes.isEmpty, let meant = reportUnknown(key, &reading) {
        seen |= 1 << UInt64(meant)
      }
    }
    requireAll(but: seen, node, &reading)
  }

  private func requireAll(but seen: UInt64, _ node: Node, _ reading: inout Reading) {
    let missing = index.required & ~seen
    if missing == 0 || node.isCut { return }
    for (place, keyword) in keywords.enumerated() where missing & 1 << UInt64(place) != 0 {
      reading.error("`\(keyword.name)` is missing in \(name)", at: node.position, expected: keyword.help)
    }
  }

  /// - Returns: the keyword that was probably meant, which need not be called missing too.
  private func reportUnknown(_ key: Node, _ reading: inout Reading) -> Int? {
    let word = key.text
    let hint = reading.nearest(word, in: keywords.lazy.map { $0.name })
    reading.error(
      "unknown key `\(Printable(word))` in \(name)", at: key.position, expected: "one of \(listed)", hint: hint)
    return hint.flatMap(index.place)
  }

  /// The settings as a diff shows them.
  public func describe(_ settings: Settings) -> Description {
    .group(
      keywords.compactMap { keyword in keyword.describe(settings).map { (keyword.name, $0) } })
  }
}

/// The names of a section's keywords, for finding one by its bytes.
private struct KeywordIndex: Sendable {
  private let names: [[UInt8]]
  /// A bit for each keyword that must be there.
  let required: UInt64

  init(_ keywords: [(name: String, isRequired: Bool)]) {
    names = keywords.map { Array($0.name.utf8) }
    required = keywords.enumerated().reduce(0) { $0 | ($1.element.isRequired ? 1 << UInt64($1.offset) : 0) }
  }

  func place(of key: Node) -> Int? {
    for place in names.indices where key.equals(names[place]) { return place }
    return nil
  }

  func place(of name: String) -> Int? { names.firstIndex(of: Array(name.utf8)) }
}
