/// Where something stands in the configuration's text.
public struct Position: Sendable, Equatable {
  /// The file as it was named, by the command line or by an `include`.
  public var file: String
  /// From 1.
  public var line: Int
  /// From 1, in characters.
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  /// The place of what no file says: defaults, and values made in tests.
  public static let none = Position(file: "", line: 0, column: 0)
}
