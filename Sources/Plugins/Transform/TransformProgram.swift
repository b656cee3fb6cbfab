/// What `transform` does to the messages of one direction, ready to be done.
struct TransformProgram: Sendable {
  private(set) var head = HeadEdits()
  private(set) var body = EditTree()
  private(set) var format = SourceFormat.json
  /// Whether anything of it reads or edits the body.
  private(set) var usesBody = false

  init() {}

  /// - Parameter mistake: told what contradicts itself, and what to write instead.
  init(_ edits: Transform.Edits, _ direction: Direction, _ mistake: (String, String) -> Void) {
    for (place, template) in edits.set { set(place, template, mistake) }
    for (from, to) in edits.rename {
      if from.place.isSamePart(as: to.place) {
        rename(from, to, mistake)
      } else {
        mistake("`\(from.text)` and `\(to.text)` are of different parts", "`move: { \(from.text): \(to.text) }`")
      }
    }
    for (from, to) in edits.move {
      if from.place.isSamePart(as: to.place) || from.place == .path {
        mistake("`\(from.text)` cannot be moved to `\(to.text)`", "`rename` within a part, `set` for the path")
      } else {
        remove(from, mistake)
        set(to, Template(Template.Expression(from.place), source: from.text), mistake)
      }
    }
    for place in edits.remove { remove(place, mistake) }
    for (list, items) in edits.map {
      guard case .body(let path) = list.place else { continue }
      let each = Self.tree(of: items, mistake)
      if !body.insert(each: each, at: path) { Self.report(list, mistake) }
    }
    format = edits.from
    usesBody = !body.isEmpty || head.readsBody || format != .json
  }

  private static func report(_ place: NamedPlace, _ mistake: (String, String) -> Void) {
    mistake("`\(place.text)` is edited twice, or within what another edit replaces", "one edit for each place")
  }

  private mutating func set(_ place: NamedPlace, _ template: Template, _ mistake: (String, String) -> Void) {
    if case .body(let path) = place.place {
      if !body.insert(.set(template), at: path) { Self.report(place, mistake) }
      return
    }
    if template.text == nil { mistake("`\(place.text)` takes text", "a text, not a list or mapping") }
    if !head.set(place.place, template) { Self.report(place, mistake) }
  }

  private mutating func remove(_ place: NamedPlace, _ mistake: (String, String) -> Void) {
    if case .body(let path) = place.place {
      if !body.insert(.remove, at: path) { Self.report(place, mistake) }
    } else if !head.remove(place.place) {
      mistake("`\(place.text)` cannot be removed", "a field or a parameter, once")
    }
  }

  private mutating func rename(_ from: NamedPlace, _ to: NamedPlace, _ mistake: (String, String) -> Void) {
    guard case .body(let source) = from.place, case .body(let target) = to.place else {
      remove(from, mistake)
      return set(to, Template(Template.Expression(from.place), source: from.text), mistake)
    }
    Self.rename(source, target, Template(.body(source), source: from.text)) { action, path, isSource in
      if !body.insert(action, at: path) { Self.report(isSource ? from : to, mistake) }
    }
  }

  /// In one object a member keeps its place; elsewhere it is taken away and written anew.
  private static func rename(
    _ source: JSONPath, _ target: JSONPath, _ value: Template, _ add: (EditTree.Action, JSONPath, Bool) -> Void
  ) {
    guard source.segments.dropLast() == target.segments.dropLast(), let last = target.segments.last else {
      add(.remove, source, true)
      return add(.receive(value), target, false)
    }
    add(.rename(encoded: last.encoded), source, true)
    add(.makeWay(for: source), target, false)
  }

  private static func tree(of items: Transform.ItemEdits, _ mistake: (String, String) -> Void) -> EditTree {
    var tree = EditTree()
    func add(_ action: EditTree.Action, _ place: NamedPlace) {
      guard case .item(let path) = place.place else { return }
      if tree.insert(action, at: path) { return }
      mistake("`\(place.text)` is edited twice, or within what another edit replaces", "one edit for each place")
    }
    for (place, template) in items.set { add(.set(template), place) }
    for (from, to) in items.rename {
      guard case .item(let source) = from.place, case .item(let target) = to.place else { continue }
      rename(source, target, Template(.item(source), source: from.text)) { action, _, isSource in
        add(action, isSource ? from : to)
      }
    }
    for place in items.remove { add(.remove, place) }
    return tree
  }
}
