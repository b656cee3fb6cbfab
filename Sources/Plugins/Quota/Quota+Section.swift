public import Configuration

extension Quota {
  /// A calendar period.
  public enum Period: String, Sendable, CaseIterable {
    case day, month

    /// Seconds of the longest one.
    var length: Int { self == .day ? 86_400 : 31 * 86_400 }

    /// When the period ends in which a moment lies; both in seconds since 1970.
    func end(of seconds: Int, in zone: TimeZone) -> Int {
      zone.end(ofPeriodOf: seconds, self == .day ? CalendarTime.endOfDay : CalendarTime.endOfMonth)
    }
  }

  public enum Store: String, Sendable, CaseIterable { case local, shared }

  public struct Settings: Sendable {
    var limit = 0
    var per = Period.day
    var zone = TimeZone.utc
    var key: [RequestValue] = [.consumer]
    var name: String?
    var headers = true
    var shadow = false
    var store = Store.local
    var file: String?
    var keys = 1 << 16
    /// Whether what is counted is written to the file.
    var keepsFile = true

    /// What the quota is called where it has no name.
    var label: String { name ?? "\(limit)/\(per.rawValue)" }
  }

  public static let section = Section(
    "quota", Settings(), "Limits how often a caller may ask in a calendar day or month.",
    [
      Keyword(
        "limit", \.limit, .integer(in: 1...4_000_000_000), required: true, "How many requests a key may make."),
      Keyword("per", \.per, .choice, "In which period: a day or a month of the calendar."),
      Keyword("zone", \.zone, .timeZone, "The time zone whose days and months these are."),
      Keyword(
        "key", \.key, .list(of: .requestValue, minimum: 1, maximum: 8),
        "Whose requests count together. A value that a request does not have is replaced by ip."),
      Keyword(
        "name", \.name, .limitName, "What the quota is called in metrics and in its fields; unset: limit and period."),
      Keyword(
        "headers", \.headers, .boolean,
        "Whether answers carry RateLimit and RateLimit-Policy; Retry-After they always do."),
      Keyword("shadow", \.shadow, .boolean, "Counts what would be refused, and refuses nothing."),
      Keyword(
        "store", \.store, .choice,
        "Where the counts are: local is a file of this gateway, shared the store of that name."),
      Keyword(
        "file", \.file, .filePath, "Where the counts of a local quota outlast the process; its directory must exist."),
      Keyword("keys", \.keys, .integer(in: 1024...(1 << 22)), "How many keys are counted at once."),
    ],
    check: { settings, node, reading in
      guard settings.store == .local, settings.file == nil else { return }
      reading.error(
        "a local quota needs a `file`, or it would begin anew with every start", at: node.position,
        expected: "`file: PATH`, or `store: shared`")
    })
}
