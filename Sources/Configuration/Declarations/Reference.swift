/// The reference of the configuration language as Markdown, from what the sections declare.
public struct Reference {
  private var text: String

  /// - Parameters:
  ///   - introduction: what stands before the first section.
  ///   - section: the whole configuration.
  public static func markdown(_ introduction: String, of section: SectionShape) -> String {
    var reference = Reference(text: introduction)
    reference.write(path: "", section)
    return reference.text
  }

  private init(text: String) { self.text = text }

  private mutating func write(path: String, _ section: SectionShape) {
    text += "\n## \(path.isEmpty ? "The file" : "`\(path)`")\n\n\(section.help)\n"
    if let shorthand = section.shorthand {
      text += "Instead of the mapping, the value of `\(shorthand.name)` alone will do.\n"
    }
    if !section.keywords.isEmpty {
      text += "\n| key | value | default | meaning |\n|---|---|---|---|\n"
      for keyword in section.keywords { text += Self.row(keyword) }
    }
    let children = section.keywords.flatMap { Self.sections(in: $0.shape, path: Self.join(path, $0.name)) }
    for child in children { write(path: child.path, child.section) }
  }

  private static func row(_ keyword: KeywordShape) -> String {
    let standard = keyword.isRequired ? "**required**" : keyword.defaultText.map { "`\($0)`" } ?? ""
    return "| `\(keyword.name)` | \(escape(value(keyword.shape))) | \(escape(standard)) | \(escape(keyword.help)) |\n"
  }

  /// What may stand there, in words.
  private static func value(_ shape: Shape) -> String {
    switch shape {
    case .anything: "anything"
    case .scalar(let scalar): brief(scalar)
    case .list(let element): "a list of: \(value(element))"
    case .map(let key, let value): "a mapping from \(key) to: \(self.value(value))"
    case .section(let section):
      section.shorthand.map { "\(value($0.shape)), or a mapping, see below" } ?? "a mapping, see below"
    case .oneOf(let members):
      members.isEmpty
        ? "`name: { … }`"
        : members.count == 1 ? member(members[0]) : "one of \(members.map(member).joined(separator: ", "))"
    case .either(let shapes): shapes.map(value).joined(separator: ", or ")
    }
  }

  private static func member(_ member: (name: String, shape: Shape)) -> String {
    if case .scalar(let scalar) = member.shape { return "`\(member.name): \(scalar.noun)`" }
    return "`\(member.name): { … }`"
  }

  /// Without examples of units, which the introduction has.
  private static func brief(_ scalar: ScalarShape) -> String {
    guard let examples = scalar.expectation.firstRange(of: ", such as") else { return scalar.expectation }
    return String(scalar.expectation[..<examples.lowerBound])
  }

  private static func sections(in shape: Shape, path: String) -> [(path: String, section: SectionShape)] {
    switch shape {
    case .scalar, .anything: []
    case .list(let element): sections(in: element, path: path + "[]")
    case .map(let key, let value): sections(in: value, path: "\(path).\(key)")
    case .section(let section): [(path, section)]
    // Plugins have pages of their own at the end, once.
    case .oneOf: []
    case .either(let shapes): shapes.flatMap { sections(in: $0, path: path) }
    }
  }

  private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private static func escape(_ text: String) -> String { text.split(separator: "|").joined(separator: "\\|") }
}

extension Reference {
  /// Sections of plugins, each under its own heading.
  public static func markdown(plugins: [PluginDeclaration]) -> String {
    var reference = Reference(text: "")
    for plugin in plugins { reference.write(path: "plugins[].\(plugin.name)", plugin.shape) }
    return reference.text
  }
}
