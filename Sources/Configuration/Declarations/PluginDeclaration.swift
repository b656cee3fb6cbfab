/// A plugin as the configuration knows it: its section, without the type of its settings.
///
/// A target that offers plugins declares a `Section` for each and hands the declarations to whoever loads a
/// configuration; the settings value comes back in the order written.
public struct PluginDeclaration: Sendable {
  public let name: String
  public let help: String
  public let shape: SectionShape
  /// Reads the plugin's settings; nil when something is wrong with them, which has been reported.
  public let read: @Sendable (Node, inout Reading) -> (any Sendable)?
  public let describe: @Sendable (any Sendable) -> Description

  public init<Settings>(_ section: Section<Settings>) {
    name = section.name
    help = section.help
    shape = section.shape
    read = { node, reading in
      let mistakes = reading.diagnostics.errorCount
      var settings = section.initial
      section.read(node, into: &settings, &reading)
      return reading.diagnostics.errorCount == mistakes ? settings : nil
    }
    describe = { settings in
      guard let settings = settings as? Settings else { return .group([]) }
      return section.describe(settings)
    }
  }
}

extension ValueType {
  /// An entry of a list of plugins: `NAME: {…}`.
  public static func plugin(
    _ declarations: [PluginDeclaration],
    make: @escaping @Sendable (String, any Sendable, Position) -> Value,
    take: @escaping @Sendable (Value) -> (name: String, settings: any Sendable)
  ) -> ValueType {
    ValueType(
      shape: .oneOf(declarations.map { ($0.name, .section($0.shape)) }),
      read: { node, reading in
        guard let (key, value) = reading.pluginEntry(node) else { return nil }
        guard let declaration = declarations.first(where: { key.equals(Array($0.name.utf8)) }) else {
          reading.reportUnknownPlugin(key, declarations)
          return nil
        }
        guard let settings = declaration.read(value, &reading) else { return nil }
        return make(declaration.name, settings, key.position)
      },
      describe: { entry in
        let (name, settings) = take(entry)
        let declaration = declarations.first { $0.name == name }
        return .group([(name, declaration?.describe(settings) ?? .group([]))])
      })
  }
}

extension Reading {
  /// The name and the settings of a plugin's entry.
  fileprivate mutating func pluginEntry(_ node: Node) -> (key: Node, value: Node)? {
    if node.isBroken { return nil }
    var entries = node.entries
    guard node.count == 1, let entry = entries.next(), entry.key.isScalar else {
      error(
        "this is no plugin", at: node.position, expected: "`name: { … }`, one entry for each plugin")
      return nil
    }
    return entry
  }

  fileprivate mutating func reportUnknownPlugin(_ key: Node, _ declarations: [PluginDeclaration]) {
    let names = declarations.map(\.name).sorted()
    error(
      "unknown plugin `\(Printable(key.text))`", at: key.position,
      expected: names.isEmpty ? nil : "one of \(names.joined(separator: ", "))",
      hint: nearest(key.text, in: names))
  }
}
