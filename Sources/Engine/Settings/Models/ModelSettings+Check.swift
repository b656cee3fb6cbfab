import Configuration

extension ModelSettings {
  /// Looks names up, and leaves out what optional providers leave nothing of.
  ///
  /// - Parameter asked: models that plugins ask, each with the place of the plugin.
  mutating func resolve(asked: [(ModelReference, Position)], _ reading: inout Reading) {
    let missing = Set(providers.filter(\.isMissing).map(\.name))
    missingProviders = missing
    if !reading.isIncomplete { checkNames(asked, &reading) }
    providers.removeAll(where: \.isMissing)
    self.asked = asked.map(\.0)
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
    checkPrompts(missing: missing, gone: gone, &reading)
    for (reference, position) in asked where isGone(reference, missing, gone) && !reading.diagnostics.hasErrors {
      reading.note("nobody who runs the model `\(Printable(reference.text))` is there to be asked", at: position)
    }
  }

  private func isGone(_ reference: ModelReference?, _ missing: Set<String>, _ gone: Set<String>) -> Bool {
    switch reference {
    case .model(let model): missing.contains(model.provider)
    case .alias(let name): gone.contains(name)
    case nil: false
    }
  }

  /// A prompt stays where its model is left out, as its route does: it answers that nobody is there to ask.
  private func checkPrompts(missing: Set<String>, gone: Set<String>, _ reading: inout Reading) {
    for prompt in prompts {
      for version in prompt.versions {
        if isGone(version.model, missing, gone), !reading.diagnostics.hasErrors {
          reading.note(
            "the prompt `\(Printable(prompt.name))` (\(version.name)) cannot answer: nobody who runs its model is there",
            at: version.position)
        }
      }
    }
  }

  private func checkNames(_ asked: [(ModelReference, Position)], _ reading: inout Reading) {
    let known = providers.map(\.name)
    let names = aliases.map(\.name)
    let named =
      aliases.map { ($0.references, $0.position) }
      + prompts.flatMap { $0.versions.map { ([$0.model].compactMap { $0 }, $0.position) } }
      + asked.map { ([$0.0], $0.1) }
    for (references, position) in named {
      for reference in references {
        switch reference {
        case .model(let model) where !known.contains(model.provider):
          reading.error(
            "there is no provider `\(Printable(model.provider))`", at: position,
            expected: "one of \(known.sorted().joined(separator: ", "))",
            hint: reading.nearest(model.provider, in: known))
        case .alias(let name) where !names.contains(name):
          reading.error(
            "there is no model `\(Printable(name))`", at: position,
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
