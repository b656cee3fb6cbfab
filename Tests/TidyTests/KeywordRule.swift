/// Every keyword of the configuration is in docs/CONFIGURATION.md.
enum KeywordRule {
  static let reference = "docs/CONFIGURATION.md"

  /// - Parameter reference: the text of the reference.
  static func check(_ file: SourceFile, reference: String) -> [Offence] {
    guard file.isSwift, file.target != nil else { return [] }
    return keywords(in: file.text).compactMap { name in
      if reference.contains("`\(name)`") { return nil }
      return Offence(path: file.path, line: 0, message: "keyword `\(name)` is not in \(Self.reference)")
    }
  }

  /// The names in `Keyword("name", …)`.
  static func keywords(in text: String) -> [String] {
    var names: [String] = []
    for declaration in text.ranges(of: "Keyword(") {
      let rest = text[declaration.upperBound...].drop { $0 == " " || $0 == "\n" }
      guard rest.first == "\"" else { continue }
      names.append(String(rest.dropFirst().prefix { $0 != "\"" }))
    }
    return names
  }
}
