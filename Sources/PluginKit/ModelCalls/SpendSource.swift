/// What a plugin shares that counts what callers use up, so that operators can ask how much they have.
public protocol SpendSource: AnyObject, Sendable {
  /// - Parameter now: seconds since 1970.
  func spend(now: Int) -> SpendReport
}

/// What callers have used of one limit in the period at hand.
public struct SpendReport: Sendable {
  /// The plugin's name.
  public var kind: String
  /// The limit's.
  public var name: String
  /// `tokens`, or `nanousd`: billionths of a USD.
  public var unit: String
  public var limit: Int
  /// When the period ends, in seconds since 1970.
  public var end: Int
  /// Whether other gateways count too, so that this one knows only what it was told last.
  public var isShared: Bool
  /// What each key has used or reserved.
  public var amounts: [(key: String, used: Int)]

  public init(
    kind: String, name: String, unit: String, limit: Int, end: Int, isShared: Bool, amounts: [(key: String, used: Int)]
  ) {
    self.kind = kind
    self.name = name
    self.unit = unit
    self.limit = limit
    self.end = end
    self.isShared = isShared
    self.amounts = amounts
  }
}
