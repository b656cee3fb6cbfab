import Configuration
import PluginKit

/// Holds the parts of a configuration against each other and puts the settings together.
struct GatewayCheck {
  var settings: GatewaySettings
  private var draft: GatewayDraft
  private let file: String
  private var upstreamIndices: [String: Int] = [:]
  /// In order, for messages.
  private let upstreamNames: [String]
  /// Upstreams that somebody calls.
  var used: Set<Int> = []
  private var sets: PluginSplicing

  init(_ draft: GatewayDraft, file: String) {
    settings = draft.settings
    self.draft = draft
    upstreamNames = Set(draft.settings.upstreams.map(\.name)).sorted()
    self.file = file
    sets = PluginSplicing(draft.pluginSets)
  }

  mutating func run(openFiles: Int?, _ reading: inout Reading) {
    checkNames(&reading)
    checkListeners(&reading)
    settings.pluginSets = sets.sets
    sets.check(draft.pluginSets, &reading)
    settings.plugins = sets.splice(draft.plugins, .common, &reading)
    let asked = askedModels()
    settings.models?.resolve(asked: asked, &reading)
    resolveProviders()
    resolveRoutes(&reading)
    resolveStores()
    resolveServices()
    checkUse(&reading)
    checkProcess(openFiles: openFiles, &reading)
  }

  /// The models that plugins ask, each with the place of its plugin.
  private func askedModels() -> [(ModelReference, Position)] {
    var entries = settings.plugins + sets.sets.flatMap(\.plugins)
    for route in draft.routes { for case .plugin(let entry) in route.plugins { entries.append(entry) } }
    return entries.flatMap { entry in
      ((entry.settings as? any ModelAskingSettings)?.models ?? []).map { name in
        (ModelName(name).map { .model($0) } ?? .alias(name), entry.position)
      }
    }
  }

  /// The place of what no line says.
  private var nowhere: Position { Position(file: file, line: 0, column: 0) }

  // MARK: Names

  /// Within one mapping a name stands once, which the reader has seen to; between files only this does.
  private mutating func checkNames(_ reading: inout Reading) {
    Self.reportRepeated("listener", settings.listeners.map { ($0.name, $0.position) }, &reading)
    Self.reportRepeated("upstream", settings.upstreams.map { ($0.name, $0.position) }, &reading)
    Self.reportRepeated("store", settings.stores.map { ($0.name, $0.position) }, &reading)
    Self.reportRepeated("plugin set", draft.pluginSets.map { ($0.name, $0.position) }, &reading)
    Self.reportRepeated("consumer", settings.consumers.map { ($0.name, $0.position) }, &reading)
    settings.consumers.check(&reading)
    Self.reportRepeated("route", draft.routes.map { ($0.settings.name, $0.settings.position) }, &reading)
    for (index, upstream) in settings.upstreams.enumerated() { upstreamIndices[upstream.name] = index }
  }

  private static func reportRepeated(_ kind: String, _ names: [(String, Position)], _ reading: inout Reading) {
    guard let file = names.first?.1.file, names.contains(where: { $0.1.file != file }) else { return }
    var known: [String: Position] = [:]
    known.reserveCapacity(names.count)
    for (name, position) in names {
      if let first = known[name], first.file != position.file {
        reading.error(
          "the \(kind) `\(name)` stands in two files", at: position,
          expected: "another name; \(first.file):\(first.line) has this one")
      }
      known[name] = position
    }
  }

  // MARK: Listeners

  private func checkFiles(of models: ModelRouteSettings, _ route: RouteSettings, _ reading: inout Reading) {
    guard let name = models.files, let settings = settings.models, !settings.missingProviders.contains(name) else {
      return
    }
    let able = settings.providers.filter { [.openai, .azure].contains($0.speaks) }.map(\.name)
    if able.contains(name) || isElsewhere(name, able, reading) { return }
    reading.error(
      "there is no provider `\(Printable(name))` that keeps files", at: route.position,
      expected: able.isEmpty ? "a provider of OpenAI's dialect" : "one of \(able.sorted().joined(separator: ", "))",
      hint: reading.nearest(name, in: able))
  }

  private func checkListeners(_ reading: inout Reading) {
    if settings.listeners.isEmpty, !reading.diagnostics.hasErrors {
      reading.error("there is no listener", at: nowhere, expected: "`listeners: { public: 127.0.0.1:8080 }`")
    }
    var known: [ListenAddress: (name: String, position: Position)] = [:]
    if let admin = settings.admin { known[admin.address] = ("`admin`", admin.position) }
    for listener in settings.listeners where !listener.address.isChosenByKernel {
      let name = "the listener `\(listener.name)`"
      if let first = known.updateValue((name, listener.position), forKey: listener.address) {
        reading.error(
          "\(name) and \(first.name) listen on \(listener.address.text)", at: listener.position,
          expected: "an address of its own; \(first.position.place) has this one")
      }
    }
  }

  // MARK: Routes

  private mutating func resolveRoutes(_ reading: inout Reading) {
    let listeners = settings.listeners.map(\.name).sorted()
    settings.routes.reserveCapacity(draft.routes.count)
    for route in draft.routes {
      checkListeners(of: route.settings, known: listeners, &reading)
      var resolved = route.settings
      // A match on a listener that is not known would count as one on all.
      resolved.matches.removeAll { match in match.listeners.contains { !listeners.contains($0) } }
      resolved.plugins = sets.splice(route.plugins, .route(route.settings.name), &reading)
      if let reference = route.upstream {
        if let index = index(of: reference, &reading) { resolved.handler = .upstream(index) }
      } else if let split = route.split {
        resolved.handler = .split(resolve(split, &reading))
      } else if let answer = route.respond {
        resolved.handler = .respond(answer)
      } else if let answer = route.redirect {
        resolved.handler = .redirect(answer)
      } else if let models = route.models {
        resolved.handler = .models(models)
        if settings.models == nil, !reading.isIncomplete {
          reading.error(
            "route `\(route.settings.name)` has models, and there is no `ai`", at: route.settings.position,
            expected: "`ai: { providers: … }`")
        }
        checkPrompt(of: models, route.settings, &reading)
        checkFiles(of: models, route.settings, &reading)
      }
      if let mcp = route.mcp {
        resolved.checkPaths(of: mcp, &reading)
        settings.routes += resolved.routes(for: mcp, &reading) { upstream(of: $0) }
        continue
      }
      if let fallback = route.fallback { resolved.fallback = resolve(fallback, &reading) }
      if let mirror = route.mirror, let reference = mirror.upstream, let index = index(of: reference, &reading) {
        resolved.mirror = MirrorSettings(upstream: index, limits: mirror.limits)
      }
      settings.routes.append(resolved)
    }
    draft.routes = []
  }

  private func checkPrompt(of models: ModelRouteSettings, _ route: RouteSettings, _ reading: inout Reading) {
    guard let name = models.prompt, let known = settings.models?.prompts.map(\.name) else { return }
    if known.contains(name) || isElsewhere(name, known, reading) { return }
    reading.error(
      "there is no prompt `\(Printable(name))`", at: route.position,
      expected: known.isEmpty ? "`ai: { prompts: … }`" : "one of \(known.sorted().joined(separator: ", "))",
      hint: reading.nearest(name, in: known))
  }

  private func checkListeners(of route: RouteSettings, known: [String], _ reading: inout Reading) {
    for match in route.matches {
      for name in match.listeners where !known.contains(name) && !isElsewhere(name, known, reading) {
        reading.error(
          "there is no listener `\(Printable(name))`", at: match.position,
          expected: "one of \(known.joined(separator: ", "))", hint: reading.nearest(name, in: known)
        )
      }
    }
  }

  /// Whether a name may be defined in what could not be read: it may, unless it looks like a known one misspelt.
  private func isElsewhere(_ name: String, _ known: [String], _ reading: Reading) -> Bool {
    reading.isIncomplete && reading.nearest(name, in: known) == nil
  }

  private mutating func resolve(_ draft: SplitDraft, _ reading: inout Reading) -> SplitSettings {
    var split = SplitSettings(by: draft.by)
    for part in draft.to {
      guard let reference = part.upstream, let index = index(of: reference, &reading) else { continue }
      if split.to.contains(where: { $0.upstream == index }) {
        reading.error(
          "the upstream `\(settings.upstreams[index].name)` stands twice", at: reference.position,
          expected: "one entry with a larger `weight`")
      }
      split.to.append(SplitSettings.Share(upstream: index, weight: part.weight))
    }
    return split
  }

  private mutating func resolve(_ draft: FallbackDraft, _ reading: inout Reading) -> FallbackSettings? {
    if let answer = draft.respond { return FallbackSettings(when: draft.when, way: .respond(answer)) }
    guard let reference = draft.upstream, let index = index(of: reference, &reading) else { return nil }
    return FallbackSettings(when: draft.when, way: .upstream(index))
  }

  /// The upstream that a route names, which is used then.
  private mutating func index(of reference: UpstreamReference, _ reading: inout Reading) -> Int? {
    guard let index = find(reference, &reading) else { return nil }
    used.insert(index)
    return index
  }

  private mutating func find(_ reference: UpstreamReference, _ reading: inout Reading) -> Int? {
    switch reference {
    case .name(let name, let position):
      if let index = upstreamIndices[name] { return index }
      let names = upstreamNames
      if isElsewhere(name, names, reading) { return nil }
      reading.error(
        "there is no upstream `\(Printable(name))`", at: position,
        expected: names.isEmpty || names.count > 12
          ? "the name of an upstream, or http://HOST:PORT"
          : "one of \(names.joined(separator: ", ")), or http://HOST:PORT",
        hint: reading.nearest(name, in: names))
      return nil
    case .target(let target, let position):
      let name = TargetURL(address: target.address, isSecure: target.isSecure).text
      if let index = upstreamIndices[name] { return index }
      settings.upstreams.append(UpstreamSettings(name: name, targets: [target], position: position))
      upstreamIndices[name] = settings.upstreams.count - 1
      return settings.upstreams.count - 1
    }
  }

  // MARK: The rest

  private func checkUse(_ reading: inout Reading) {
    guard !reading.diagnostics.hasErrors else { return }
    for (index, upstream) in settings.upstreams.enumerated() where !used.contains(index) {
      reading.warning("no route uses the upstream `\(upstream.name)`", at: upstream.position)
    }
    sets.reportUnused(&reading)
    if settings.routes.isEmpty {
      reading.warning("there is no route: every request gets 404", at: nowhere, expected: "`routes: { … }`")
    }
    if draft.callLogPosition == nil {
      reading.warning(
        "there is no `call_log`: calls are not recorded", at: nowhere,
        expected: "`call_log: stdout`, a directory, or `call_log: off`")
    }
  }

  /// Only a number that somebody wrote is worth a word: the default means as many as there is room for.
  private func checkProcess(openFiles: Int?, _ reading: inout Reading) {
    guard let openFiles, let position = draft.connectionsPosition, settings.limits.openFiles > openFiles else { return }
    let fitting = max(1, (openFiles - 256) / 2)
    reading.warning(
      "\(settings.limits.connections) connections take \(settings.limits.openFiles) open files, and this process may "
        + "have \(openFiles)", at: position,
      expected: "a higher hard limit (`ulimit -Hn`, `LimitNOFILE=`), or `connections` of at most \(fitting)")
  }
}

extension ListenAddress {
  /// Whether the kernel picks the port, so that two of them do not clash.
  fileprivate var isChosenByKernel: Bool {
    if case .ip(_, 0) = self { true } else { false }
  }
}

extension UpstreamReference {
  fileprivate var position: Position {
    switch self {
    case .name(_, let position), .target(_, let position): position
    }
  }
}
