import Foreign

/// A value within `[ ]` or `{ }` that holds a brace and lacks the quotes for it: `{ match: GET /v1/{id}, … }`.
///
/// To YAML the brace begins a mapping in the middle of a value. It is the most natural slip in this language, so it has
/// a hint of its own.
struct FlowValue {
  /// The value as it should be written; nil when no such value stands there.
  let quoted: String?

  /// - Parameter mark: where libyaml found something else than a comma or a bracket.
  init(at mark: YAMLReader.Mark, in bytes: [UInt8]) {
    let line = Self.line(mark.line, of: bytes)
    let brace = mark.column - 1
    guard line.indices.contains(brace), line[brace] == "{", brace > 0, !" [{,:".unicodeScalars.contains(line[brace - 1])
    else {
      quoted = nil
      return
    }
    let value = String(String.UnicodeScalarView(line[Self.start(of: brace, in: line)..<Self.end(of: brace, in: line)]))
    quoted = value.utf8.contains(UInt8(ascii: "\"")) || value.utf8.count > 200 ? nil : "\"\(value)\""
  }

  private static func line(_ number: Int, of bytes: [UInt8]) -> [Unicode.Scalar] {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: number, omittingEmptySubsequences: false)
    guard lines.indices.contains(number - 1) else { return [] }
    return Array(String(decoding: lines[number - 1], as: UTF8.self).unicodeScalars)
  }

  /// Behind the comma, the bracket or the `key: ` before the value.
  private static func start(of brace: Int, in line: [Unicode.Scalar]) -> Int {
    var start = brace
    while start > 0, !",[{".unicodeScalars.contains(line[start - 1]) {
      if line[start - 1] == ":", line[start] == " " { break }
      start -= 1
    }
    while start < brace, line[start] == " " { start += 1 }
    return start
  }

  /// Before the comma or the bracket behind the value.
  private static func end(of brace: Int, in line: [Unicode.Scalar]) -> Int {
    var depth = 0
    var end = brace
    while end < line.count {
      if line[end] == "{" { depth += 1 }
      if line[end] == "}" { depth -= 1 }
      if depth < 0 || (depth == 0 && ",]".unicodeScalars.contains(line[end])) { break }
      end += 1
    }
    while end > brace, " \r".unicodeScalars.contains(line[end - 1]) { end -= 1 }
    return end
  }
}
