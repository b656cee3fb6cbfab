/// A mistake in the configuration, or something that its author should know.
package struct Diagnostic: Sendable, Equatable {
  package enum Severity: String, Sendable {
    /// The configuration cannot be used.
    case error
    case warning
  }

  package var severity: Severity
  package var position: Position
  /// What is wrong, in one line: ``unknown key `upstrem` in route``.
  package var message: String
  /// What would be right: `a duration such as 250ms`.
  package var expected: String?
  /// The word that was probably meant.
  package var hint: String?

  package init(
    _ severity: Severity, at position: Position, message: String, expected: String? = nil, hint: String? = nil
  ) {
    self.severity = severity
    self.position = position
    self.message = message
    self.expected = expected
    self.hint = hint
  }
}
