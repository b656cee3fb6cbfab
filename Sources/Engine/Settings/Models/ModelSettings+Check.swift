import Configuration

extension ModelSettings {
  /// Looks names up, and leaves out what optional providers leave nothing of.
  mutating func resolve(_ reading: inout Reading) {
    let missing = Set(providers.filter(\.isMissing).map(\.name))
    if !reading.isIncomplete { checkNames(&reading) }
    providers.removeAll(where: \.isMissing)
    var gone: Set<String> = []
    while true {
      for index in aliases.indices {
        aliases[index].drop { reference in
          switch reference {
          case .model(let model): missing.contains(model.provider)
          case .alias(let name): gone.contains(name)
          }
        }
      }
      // A mistake was reported of one that named nothing from the start.
      let empty = aliases.filter { $0.model == nil && $0.split == nil }
      if empty.isEmpty { break }
      for alias in empty where !reading.diagnostics.hasErrors {
        reading.note(
          "the model `\(Printable(alias.name))` is left out: nobody who runs it is there", at: alias.position)
      }
      gone.formUnion(empty.map(\.name))
      aliases.removeAll { $0.model == nil && $0.split == nil }
    }
    checkCycles(&reading)
  }

  private func checkNames(_ reading: inout Reading) {
    let known = providers.map(\.name)
    let names = aliases.map(\.name)
    for alias in aliases {
      for reference in alias.references {
        switch reference {
        case .model(let model) where !known.contains(model.provider):
          reading.error(
            "there is no provider `\(Printable(model.provider))`", at: alias.position,
            expected: "one of \(known.sorted().joined(separator: ", "))",
            hint: reading.nearest(model.provider, in: known))
        case .alias(let name) where !names.contains(name):
          reading.error(
            "there is no model `\(Printable(name))`", at: alias.position,
            expected: "PROVIDER/MODEL, or one of \(names.sorted().joined(separator: ", "))",
            hint: reading.nearest(name, in: names))
        default: break
        }
      }
    }
  }

  /// Reports names that lead back to themselves.
  private func checkCycles(_ reading: inout Reading) {
    let byName = Dictionary(aliases.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var settled: Set<String> = []
    func visit(_ name: String, _ path: [String]) {
      if let start = path.firstIndex(of: name) {
        let circle = (path[start...] + [name]).joined(separator: ", ")
        reading.error(
          "the model `\(name)` leads back to itself: \(circle)", at: byName[name]?.position ?? .none,
          expected: "names that do not mean each other in a circle")
        return
      }
      guard let alias = byName[name], settled.insert(name).inserted || path.isEmpty else { return }
      for case .alias(let next) in alias.references { visit(next, path + [name]) }
    }
    for alias in aliases where !settled.contains(alias.name) { visit(alias.name, []) }
  }
}
