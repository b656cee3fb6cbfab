/// A file that rules look at.
struct SourceFile {
  /// From the root of the repository.
  let path: String
  let text: String
  /// Code and comments of a Swift file; empty for others.
  let swiftLines: [SwiftLine]

  init(path: String, text: String) {
    self.path = path
    self.text = text
    swiftLines = path.hasSuffix(".swift") ? SwiftLexer.lines(of: text) : []
  }

  var name: Substring { path.split(separator: "/").last ?? "" }
  var stem: Substring { name.split(separator: ".").first ?? "" }

  /// The target below Sources that the file belongs to.
  var target: String? {
    let parts = path.split(separator: "/")
    return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
  }

  var isSwift: Bool { path.hasSuffix(".swift") }
  var textLines: [Substring] { text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) }
}

/// A place where a rule of docs/STYLE.md is broken.
struct Offence: CustomStringConvertible {
  let path: String
  /// From 1; 0 for the file as a whole.
  let line: Int
  let message: String

  var description: String { "\(path):\(line): \(message)" }
}

/// A rule of docs/STYLE.md: everything in one file that breaks it.
typealias Rule = (SourceFile) -> [Offence]
