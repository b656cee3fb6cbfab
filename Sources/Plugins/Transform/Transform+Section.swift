public import Configuration

extension Transform {
  public struct Settings: Sendable {
    var request = Edits()
    var response = Edits()
    var limit = 1 << 20
    var unreadable = Unreadable.refuse
  }

  /// What becomes of answers that should be edited and cannot be.
  public enum Unreadable: String, Sendable, CaseIterable { case refuse, pass }

  /// What is done to the messages of one direction.
  public struct Edits: Sendable {
    var from = SourceFormat.json
    var set: [(NamedPlace, Template)] = []
    var rename: [(NamedPlace, NamedPlace)] = []
    var move: [(NamedPlace, NamedPlace)] = []
    var remove: [NamedPlace] = []
    var map: [(NamedPlace, ItemEdits)] = []
    /// Made of the others once they have been checked.
    var program = TransformProgram()
  }

  /// What is done to every element of a list.
  public struct ItemEdits: Sendable {
    var set: [(NamedPlace, Template)] = []
    var rename: [(NamedPlace, NamedPlace)] = []
    var remove: [NamedPlace] = []
  }

  public static let section = Section(
    "transform", Settings(), "Edits fields, query, path and JSON bodies, of requests and of responses.",
    [
      Keyword(
        "request", \.request, .section(edits(of: .request)), "What is done before the upstream gets the request."),
      Keyword(
        "response", \.response, .section(edits(of: .response)), "What is done before the client gets the response."),
      Keyword(
        "limit", \.limit, .size(in: 1...(1 << 28)),
        "The longest body that is edited; a longer request gets 413, a longer response what `unreadable` says."),
      Keyword(
        "unreadable", \.unreadable, .choice,
        "What becomes of a response whose body should be edited and is too long or no JSON: refuse (502) or pass it as it is."
      ),
    ])

  private static func edits(of direction: Direction) -> Section<Edits> {
    let place = ValueType<NamedPlace>.place(in: direction)
    return Section(
      direction.rawValue, Edits(), "What is done to a \(direction.rawValue).",
      [
        Keyword(
          "from", \.from, .choice,
          "What the body is before it is made JSON: json, xml, csv (the first row has the names), csv_rows, form, multipart."
        ),
        Keyword(
          "set", \.set, .map(key: place, to: .template(items: false), label: "PLACE"),
          "Values that places get, with `{{…}}` for values of the message and of the request."),
        Keyword(
          "rename", \.rename, .map(key: place, to: place, label: "PLACE"),
          "Names that fields, parameters and members get."),
        Keyword(
          "move", \.move, .map(key: place, to: place, label: "PLACE"),
          "Places that values go to in another part of the message, such as from a field into the body."),
        Keyword("remove", \.remove, .list(of: place), "What is taken away."),
        Keyword(
          "map", \.map, .map(key: .list, to: .section(items), label: "LIST"),
          "What is done to each element of a list in the body."),
      ],
      check: { edits, node, reading in
        var mistakes: [(String, String)] = []
        edits.program = TransformProgram(edits, direction) { mistakes.append(($0, $1)) }
        for (message, expected) in mistakes { reading.error(message, at: node.position, expected: expected) }
      })
  }

  private static let items = Section(
    "map", ItemEdits(), "What is done to each element of a list.",
    [
      Keyword(
        "set", \.set, .map(key: .item, to: .template(items: true), label: "ITEM"),
        "Values that members of the element get; `{{item.…}}` reads the element."),
      Keyword("rename", \.rename, .map(key: .item, to: .item, label: "ITEM"), "Names that its members get."),
      Keyword("remove", \.remove, .list(of: .item), "Members that are taken away."),
    ])
}
