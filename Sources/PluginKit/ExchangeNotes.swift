/// What plugins remember of one exchange between its hooks: a number for each instance.
///
/// An instance serves many exchanges at once, so it cannot keep this itself. There are a handful at most, which makes
/// looking along them cheaper than any table; their memory is kept for the next exchange.
public struct ExchangeNotes: Sendable {
  private var entries: [(owner: ObjectIdentifier, value: UInt64)] = []

  public init() {}

  /// What this instance noted; nil when it noted nothing of this exchange.
  public func value(of plugin: some AnyObject) -> UInt64? {
    let owner = ObjectIdentifier(plugin)
    for index in entries.indices where entries[index].owner == owner { return entries[index].value }
    return nil
  }

  /// Notes a number, in place of an earlier one.
  public mutating func set(_ value: UInt64, for plugin: some AnyObject) {
    let owner = ObjectIdentifier(plugin)
    for index in entries.indices where entries[index].owner == owner {
      entries[index].value = value
      return
    }
    entries.append((owner, value))
  }

  mutating func removeAll() {
    if !entries.isEmpty { entries.removeAll(keepingCapacity: true) }
  }
}
