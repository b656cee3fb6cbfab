/// A value that must not be seen: a token, a password, a key.
///
/// It prints as `(secret)` whichever way it is printed, so that a settings value can be logged, compared and diffed
/// without care. Only `reveal` shows it.
public struct Secret: Sendable, Equatable {
  private let text: String

  public init(_ text: String) { self.text = text }

  /// The secret itself. Compare it in constant time when a client gave the other side.
  public func reveal() -> String { text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "(secret)" }
  public var debugDescription: String { "(secret)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
