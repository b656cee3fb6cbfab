/// Where something stands in the configuration's text.
package struct Position: Sendable, Equatable {
  /// The file as it was named, by the command line or by an `include`.
  package var file: String
  /// From 1.
  package var line: Int
  /// From 1, in characters.
  package var column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  /// The place of what no file says: defaults, and values made in tests.
  package static let none = Position(file: "", line: 0, column: 0)
}
