/// Settings as people read them: what a diff compares and shows.
public indirect enum Description: Sendable, Equatable {
  case text(String)
  /// Compared by what it is, shown as `(secret)`.
  case secret(Secret)
  case list([Description])
  case group([(String, Description)])

  public static func == (a: Description, b: Description) -> Bool {
    switch (a, b) {
    case (.text(let x), .text(let y)): x == y
    case (.secret(let x), .secret(let y)): x == y
    case (.list(let x), .list(let y)): x == y
    case (.group(let x), .group(let y)):
      x.count == y.count && zip(x, y).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 }
    default: false
    }
  }

  /// All of it on one line.
  public var line: String {
    switch self {
    case .text(let text): text.isEmpty ? "\"\"" : Printable(text, limit: 200).description
    case .secret(let secret): secret.description
    case .list(let items): "[" + items.map(\.line).joined(separator: ", ") + "]"
    case .group(let members):
      members.isEmpty ? "{}" : "{ " + members.map { "\($0.0): \($0.1.line)" }.joined(separator: ", ") + " }"
    }
  }

  /// It on one line where it has something to say by itself; a section's defaults stand at its own keywords.
  var brief: String? {
    switch self {
    case .text, .secret: line
    case .list(let items): items.isEmpty ? nil : line
    case .group: nil
    }
  }
}

/// What changed from one configuration to another.
public struct ConfigurationDiff: Sendable, Equatable {
  public enum Change: Sendable, Equatable {
    case added(path: String, value: String)
    case removed(path: String, value: String)
    case changed(path: String, from: String, to: String)
  }

  package private(set) var changes: [Change] = []

  public init(from old: Description, to new: Description) {
    compare(old, new, path: "")
  }

  /// One line for each change: `+` added, `-` removed, `~` changed.
  public var text: String {
    changes.map { change in
      switch change {
      case .added(let path, let value): "+ \(path): \(value)\n"
      case .removed(let path, let value): "- \(path): \(value)\n"
      case .changed(let path, let from, let to):
        from == to ? "~ \(path): \(from), another one\n" : "~ \(path): \(from) -> \(to)\n"
      }
    }.joined()
  }

  private mutating func compare(_ old: Description, _ new: Description, path: String) {
    guard case .group(let before) = old, case .group(let after) = new else {
      if old != new { changes.append(.changed(path: path, from: old.line, to: new.line)) }
      return
    }
    let known = Dictionary(before, uniquingKeysWith: { first, _ in first })
    let present = Set(after.map(\.0))
    for (name, value) in before where !present.contains(name) {
      changes.append(.removed(path: Self.join(path, name), value: value.line))
    }
    for (name, value) in after {
      if let earlier = known[name] {
        compare(earlier, value, path: Self.join(path, name))
      } else {
        changes.append(.added(path: Self.join(path, name), value: value.line))
      }
    }
  }

  private static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
