import Configuration

/// Puts plugin sets where lists of plugins name them.
///
/// A set holds plugins and no other set, so that reading it is enough to know what runs, and none can hold itself.
struct PluginSplicing {
  private(set) var sets: [PluginSetSettings]
  private let names: [String]
  private var indices: [String: Int] = [:]
  private var used: Set<String> = []

  init(_ drafts: [PluginSetDraft]) {
    sets = drafts.map { draft in
      var plugins: [PluginEntry] = []
      for case .plugin(var entry) in draft.steps {
        entry.origin = PluginOrigin(list: .set(draft.name), index: plugins.count)
        plugins.append(entry)
      }
      return PluginSetSettings(name: draft.name, plugins: plugins, position: draft.position)
    }
    names = Set(drafts.map(\.name)).sorted()
    for (index, set) in sets.enumerated() { indices[set.name] = index }
  }

  /// Reports sets that use sets.
  func check(_ drafts: [PluginSetDraft], _ reading: inout Reading) {
    for draft in drafts {
      for case .use(let name, let position) in draft.steps {
        reading.error(
          "the plugin set `\(draft.name)` cannot use `\(Printable(name))`: a set holds plugins only", at: position,
          expected: "`- use: \(Printable(name))` beside `- use: \(draft.name)`, where both are wanted")
      }
    }
  }

  /// The plugins that a list stands for.
  mutating func splice(
    _ steps: [PluginStep], _ list: PluginOrigin.List, _ reading: inout Reading
  ) -> [PluginEntry] {
    var entries: [PluginEntry] = []
    for (index, step) in steps.enumerated() {
      switch step {
      case .plugin(var entry):
        entry.origin = PluginOrigin(list: list, index: index)
        entries.append(entry)
      case .use(let name, let position):
        if let set = indices[name] {
          used.insert(name)
          entries += sets[set].plugins
        } else {
          reading.error(
            "there is no plugin set `\(Printable(name))`", at: position,
            expected: names.isEmpty ? "`plugin_sets: { … }` with one" : "one of \(names.joined(separator: ", "))",
            hint: reading.nearest(name, in: names))
        }
      }
    }
    return entries
  }

  func reportUnused(_ reading: inout Reading) {
    for set in sets where !used.contains(set.name) {
      reading.warning("nothing uses the plugin set `\(set.name)`", at: set.position)
    }
  }
}
