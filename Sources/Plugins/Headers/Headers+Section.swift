public import Configuration

extension Headers {
  public struct Settings: Sendable {
    var request = Edits()
    var response = Edits()
  }

  /// What is done to the fields of one direction; names as they were written.
  public struct Edits: Sendable {
    var set: [(String, String)] = []
    var add: [(String, [String])] = []
    var remove: [String] = []
  }

  public static let section = Section(
    "headers", Settings(), "Sets, adds and removes fields of requests and responses.",
    [
      Keyword(
        "request", \.request, .section(edits(of: .request)),
        "What is done to the request's fields before the upstream gets them."),
      Keyword(
        "response", \.response, .section(edits(of: .response)),
        "What is done to the response's fields before the client gets them, the gateway's own answers too."),
    ])

  private static func edits(of direction: Direction) -> Section<Edits> {
    let name = ValueType<String>.headerName(in: direction)
    return Section(
      direction.rawValue, Edits(), "What is done to the fields of a \(direction.rawValue).",
      [
        Keyword(
          "set", \.set, .map(key: name, to: .fieldValue, label: "FIELD"),
          "Fields that are there once and with this value, whatever was there before."),
        Keyword(
          "add", \.add, .map(key: name, to: .list(of: .fieldValue, minimum: 1), label: "FIELD"),
          "Fields that are added beside those of the same name; one value or a list."),
        Keyword("remove", \.remove, .list(of: name), "Fields that are taken away."),
      ],
      check: { edits, node, reading in
        var known: Set<String> = []
        for name in edits.set.map(\.0) + edits.add.map(\.0) + edits.remove {
          if known.insert(name.lowercased()).inserted { continue }
          reading.error(
            "`\(name)` stands here more than once", at: node.position,
            expected: "each field in one of `set`, `add` and `remove`: `set` replaces what was there")
        }
      })
  }
}
