import Configuration

/// What the configuration says of a limit on what calls of models use up: `token_limit` and `budget` differ in the unit.
public struct SpendingSettings: Sendable {
  public enum Store: String, Sendable, CaseIterable { case local, shared }

  var allowance: Allowance
  var key: [RequestValue] = [.consumer]
  var name: String?
  /// Tokens that are reserved for the answer of a call that says no limit.
  var answer = 4096
  var shadow = false
  var store = Store.local
  var file: String?
  var keys = 1 << 16

  init(_ unit: Allowance.Unit) { allowance = Allowance(amount: 1, period: .day, unit: unit) }

  /// What the limit is called where it has no name.
  var label: String { name ?? allowance.text }

  // long: one list
  static func section(
    _ name: String, _ unit: Allowance.Unit, _ help: String, amount: String, _ amountHelp: String
  ) -> Section<SpendingSettings> {
    Section(
      name, SpendingSettings(unit), help, shorthand: amount,
      [
        Keyword(amount, \.allowance, .allowance(unit), required: true, amountHelp),
        Keyword(
          "key", \.key, .list(of: .requestValue, minimum: 1, maximum: 8),
          "Whose calls count together. A value that a request does not have is replaced by ip."),
        Keyword(
          "name", \.name, .limitName,
          "What the limit is called in errors, metrics and on the admin port; unset: what it is."
        ),
        Keyword(
          "answer", \.answer, .integer(in: 0...10_000_000),
          "Tokens that are reserved for the answer of a call that says no limit; what it has more is counted afterwards."
        ),
        Keyword("shadow", \.shadow, .boolean, "Counts everything, and refuses nothing."),
        Keyword(
          "store", \.store, .choice,
          "Where the counts are: local is this gateway, shared the store of that name, for several gateways."),
        Keyword(
          "file", \.file, .filePath, "Where the counts of a local limit outlast the process; its directory must exist."),
        Keyword(
          "keys", \.keys, .integer(in: 16...(1 << 20)),
          "How many keys are counted at once; all others count together as one."),
      ],
      check: { settings, node, reading in
        let isLong = settings.allowance.period == .day || settings.allowance.period == .month
        if settings.store == .local, settings.file == nil, isLong {
          reading.warning(
            "`\(name)` begins anew when the process does", at: node.position,
            expected: "`file: PATH`, where its counts are kept, or `store: shared`")
        }
      })
  }
}
