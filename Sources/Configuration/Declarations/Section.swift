/// A mapping of the configuration whose keys are known: a list of keywords and the settings value that they fill.
///
/// From this one declaration follow reading with all its messages, defaults, JSON Schema, the reference, and what a
/// diff shows. Whoever adds a section (a plugin, a handler) declares it beside the code that uses it.
package struct Section<Settings: Sendable>: Sendable {
  /// What one of it is called in messages: `limits`, `route`.
  package let name: String
  package let help: String
  /// The settings before anything is read: the defaults.
  package let initial: Settings
  package let keywords: [Keyword<Settings>]
  /// What may stand instead of the mapping: the value of this keyword.
  private let shorthand: Keyword<Settings>?
  /// What is left to check once all keywords have been read without a mistake.
  private let check: (@Sendable (inout Settings, Node, inout Reading) -> Void)?
  package let shape: SectionShape

  /// - Parameters:
  ///   - shorthand: the name of a keyword; a scalar or list instead of the mapping is that keyword's value. It may
  ///     also be a list without brackets.
  ///   - check: reports what no single keyword can know.
  package init(
    _ name: String, _ initial: Settings, _ help: String, shorthand: String? = nil, _ keywords: [Keyword<Settings>],
    check: (@Sendable (inout Settings, Node, inout Reading) -> Void)? = nil
  ) {
    precondition(keywords.count <= 64, "a section has at most 64 keywords")
    self.name = name
    self.help = help
    self.initial = initial
    self.keywords = keywords
    self.shorthand = keywords.first { $0.name == shorthand }
    precondition(shorthand == nil || self.shorthand != nil, "the shorthand is one of the keywords")
    self.check = check
    shape = SectionShape(
      name: name, help: help,
      keywords: keywords.map { keyword in
        KeywordShape(
          name: keyword.name, help: keyword.help, shape: keyword.shape, isRequired: keyword.isRequired,
          defaultText: keyword.isRequired ? nil : keyword.describe(initial)?.brief)
      },
      shorthand: self.shorthand?.shape)
  }

  /// Reads a node into settings; what is wrong is reported, what is right is kept.
  package func read(_ node: Node, into settings: inout Settings, _ reading: inout Reading) {
    if node.isBroken { return }
    let mistakes = reading.diagnostics.errorCount
    if node.isMapping || node.isNull {
      readEntries(node, into: &settings, &reading)
    } else if let shorthand {
      shorthand.read(node, &settings, &reading)
      requireAll(but: 1 << UInt64(index(of: shorthand.bytes) ?? 0), node.position, &reading)
    } else {
      reading.error(
        "\(node.isSequence ? "a list" : "a value") stands where a mapping belongs", at: node.position,
        expected: "a mapping with \(listed)")
      return
    }
    if reading.diagnostics.errorCount == mistakes { check?(&settings, node, &reading) }
  }

  private func readEntries(_ node: Node, into settings: inout Settings, _ reading: inout Reading) {
    var seen: UInt64 = 0
    for (key, value) in node.entries where key.isScalar {
      guard let index = index(ofKey: key) else {
        if key.count > 0 || !key.bytes.isEmpty { reportUnknown(key, &reading) }
        continue
      }
      seen |= 1 << UInt64(index)
      keywords[index].read(value, &settings, &reading)
    }
    requireAll(but: seen, node.position, &reading)
  }

  private func index(ofKey key: Node) -> Int? {
    for index in keywords.indices where key.equals(keywords[index].bytes) { return index }
    return nil
  }

  private func index(of name: [UInt8]) -> Int? { keywords.firstIndex { $0.bytes == name } }

  private func requireAll(but seen: UInt64, _ position: Position, _ reading: inout Reading) {
    for (index, keyword) in keywords.enumerated() where keyword.isRequired && seen & 1 << UInt64(index) == 0 {
      reading.error("`\(keyword.name)` is missing in \(name)", at: position, expected: keyword.help)
    }
  }

  private func reportUnknown(_ key: Node, _ reading: inout Reading) {
    let word = key.text
    reading.error(
      "unknown key `\(Printable(word))` in \(name)", at: key.position, expected: "one of \(listed)",
      hint: NearestWord.find(word, in: keywords.map(\.name)))
  }

  private var listed: String { keywords.map(\.name).joined(separator: ", ") }

  /// The settings as a diff shows them.
  package func describe(_ settings: Settings) -> Description {
    .group(
      keywords.compactMap { keyword in keyword.describe(settings).map { (keyword.name, $0) } })
  }
}
