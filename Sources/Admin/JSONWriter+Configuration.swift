public import Configuration
public import JSON

/// What the configuration says, for machines: the admin API and `--json` share it.
extension JSONWriter {
  /// Diagnostics as objects, in the order of the text.
  public mutating func elements(_ diagnostics: Diagnostics) {
    for diagnostic in diagnostics.sorted {
      object {
        $0.member("severity", diagnostic.severity.rawValue)
        $0.member("file", diagnostic.position.file)
        $0.member("line", diagnostic.position.line)
        $0.member("column", diagnostic.position.column)
        $0.member("message", diagnostic.message)
        if let expected = diagnostic.expected { $0.member("expected", expected) }
        if let hint = diagnostic.hint { $0.member("hint", hint) }
      }
    }
  }

  /// Changes as objects, the first of them.
  public mutating func elements(_ diff: ConfigurationDiff, limit: Int) {
    for change in diff.changes.prefix(limit) {
      object {
        switch change {
        case .added(let path, let value):
          $0.member("change", "added")
          $0.member("path", path)
          $0.member("to", value)
        case .removed(let path, let value):
          $0.member("change", "removed")
          $0.member("path", path)
          $0.member("from", value)
        case .changed(let path, let old, let new):
          $0.member("change", "changed")
          $0.member("path", path)
          $0.member("from", old)
          $0.member("to", new)
        }
      }
    }
  }

  /// Settings as JSON; every value is the text that the configuration would have, and secrets are hidden.
  public mutating func value(_ description: Description) {
    switch description {
    case .text(let text): value(text)
    case .secret(let secret): value(secret.description)
    case .list(let items): array { for item in items { $0.value(item) } }
    case .group(let members):
      object {
        for (name, member) in members {
          $0.key(name)
          $0.value(member)
        }
      }
    }
  }
}
