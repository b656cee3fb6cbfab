/// A mistake in the configuration, or something that its author should know.
public struct Diagnostic: Sendable, Equatable {
  public enum Severity: String, Sendable {
    /// The configuration cannot be used.
    case error
    case warning
    /// Something that was asked for, and should still be known.
    case note
  }

  public var severity: Severity
  public var position: Position
  /// What is wrong, in one line: ``unknown key `upstrem` in route``.
  public var message: String
  /// What would be right: `a duration such as 250ms`.
  public var expected: String?
  /// The word that was probably meant.
  public var hint: String?
  /// The environment variable that is missing, if that is all that is wrong.
  var unsetVariable: String?

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
