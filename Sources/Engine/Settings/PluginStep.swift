public import Configuration

/// An entry of a list of plugins, as it is written.
public enum PluginStep: Sendable {
  case plugin(PluginEntry)
  /// `use: NAME` stands for all plugins of a set.
  case use(String, Position)

  /// What the entries of a list were written as: those of a set in a row are one `use`.
  static func steps(of entries: [PluginEntry]) -> [PluginStep] {
    var steps: [PluginStep] = []
    for entry in entries {
      guard case .set(let name)? = entry.origin?.list else {
        steps.append(.plugin(entry))
        continue
      }
      if entry.origin?.index == 0 { steps.append(.use(name, entry.position)) }
    }
    return steps
  }
}

/// A plugin set as it is written, before it is known to hold plugins only.
public struct PluginSetDraft: Sendable {
  public var name = ""
  public var position = Position.none
  public var steps: [PluginStep] = []

  init(_ set: PluginSetSettings) {
    name = set.name
    position = set.position
    steps = set.plugins.map { .plugin($0) }
  }

  fileprivate init(name: String, position: Position, steps: [PluginStep]) {
    self.name = name
    self.position = position
    self.steps = steps
  }
}

extension ValueType where Value == [PluginStep] {
  static func plugins(_ declarations: [PluginDeclaration]) -> ValueType { list(of: .step(declarations)) }
}

extension ValueType where Value == [PluginSetDraft] {
  static func pluginSets(_ declarations: [PluginDeclaration]) -> ValueType {
    let name = ValueType<String>.text("name", expectation: "the name of a plugin set", limit: 200)
    let plugins = ValueType<[PluginStep]>.plugins(declarations)
    return ValueType(
      shape: .map(key: "NAME", of: plugins.shape),
      read: { node, reading in
        if node.isBroken { return nil }
        guard node.isMapping || node.isNull else {
          reading.error(
            "\(node.isSequence ? "a list" : "a value") stands where a mapping belongs", at: node.position,
            expected: "`NAME: [ … ]`, one for each plugin set")
          return nil
        }
        var sets: [PluginSetDraft] = []
        for entry in node.entries {
          guard let name = name.read(entry.key, &reading) else { continue }
          // What is wrong with its plugins was reported; its name is still one that others may use.
          sets.append(
            PluginSetDraft(
              name: name, position: entry.key.position, steps: plugins.read(entry.value, &reading) ?? []))
        }
        return sets
      },
      describe: { sets in .group(sets.map { ($0.name, plugins.describe($0.steps)) }) })
  }
}

extension ValueType where Value == PluginStep {
  fileprivate static func step(_ declarations: [PluginDeclaration]) -> ValueType {
    let entry = ValueType<PluginEntry>.plugin(
      declarations, make: { PluginEntry(name: $0, settings: $1, position: $2) }, take: { ($0.name, $0.settings) })
    let set = ScalarShape("NAME", expectation: "the name of a plugin set")
    return ValueType(
      shape: .either([entry.shape, .oneOf([("use", .scalar(set))])]),
      read: { node, reading in
        var entries = node.entries
        guard node.count == 1, let only = entries.next(), only.key.isScalar, only.key.text == "use" else {
          return entry.read(node, &reading).map { .plugin($0) }
        }
        return reading.scalar(only.value, set).map { .use($0, only.value.position) }
      },
      describe: { step in
        switch step {
        case .plugin(let plugin): entry.describe(plugin)
        case .use(let name, _): .group([("use", .text(name))])
        }
      })
  }
}
