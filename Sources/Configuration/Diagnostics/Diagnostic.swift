/// A mistake in the configuration, or something that its author should know.
public struct Diagnostic: Sendable, Equatable {
  public enum Severity: String, Sendable {
    /// The configuration cannot be used.
    case error
    case warning
  }

  public var severity: Severity
  public var position: Position
  /// What is wrong, in one line: ``unknown key `upstrem` in route``.
  public var message: String
  /// What would be right: `a duration such as 250ms`.
  public var expected: String?
  /// The word that was probably meant.
  public var hint: String?

  public init(
    _ severity: Severity, at position: Position, message: String, expected: String? = nil, hint: String? = nil
  ) {
    self.severity = severity
    self.position = position
    self.message = message
    self.expected = expected
    self.hint = hint
  }
}
