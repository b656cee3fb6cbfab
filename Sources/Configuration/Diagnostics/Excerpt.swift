/// The line that a diagnostic speaks of, fit to be shown.
struct Excerpt {
  /// The line, or the part of it around the place; secrets are hidden.
  let line: String
  /// The line with its number, and a caret below the place.
  let text: String
}

/// Finds lines of the sources by their number.
struct ExcerptFinder {
  private let sources: [String: [UInt8]]
  private let secretKeys: Set<String>
  /// Where the lines of each source begin; found when first asked for.
  private var starts: [String: [Int]] = [:]

  init(sources: [String: [UInt8]], secretKeys: Set<String>) {
    self.sources = sources
    self.secretKeys = secretKeys
  }

  mutating func excerpt(at position: Position) -> Excerpt? {
    guard position.line > 0, let bytes = sources[position.file] else { return nil }
    let starts = lineStarts(of: position.file, bytes)
    guard position.line <= starts.count else { return nil }
    let start = starts[position.line - 1]
    let end = bytes[start...].firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } ?? bytes.count
    // Four bytes a character at most; a longer line is cut before it is turned into text.
    let reach = min(end, start + (position.column + Self.width) * 4)
    let scalars = Array(String(decoding: bytes[start..<reach], as: UTF8.self).unicodeScalars)
    return Self.excerpt(of: scalars, position, secretKeys)
  }

  private mutating func lineStarts(of file: String, _ bytes: [UInt8]) -> [Int] {
    if let known = starts[file] { return known }
    var found = [0]
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") { found.append(index + 1) }
    starts[file] = found
    return found
  }

  private static let width = 100

  private static func excerpt(
    of scalars: [Unicode.Scalar], _ position: Position, _ secretKeys: Set<String>
  ) -> Excerpt? {
    let shown = hideSecrets(in: scalars, keys: secretKeys).map(visible)
    let place = min(max(0, position.column - 1), shown.count)
    let start = place > width - 20 ? place - width / 2 : 0
    let end = min(shown.count, start + width)
    guard !shown.allSatisfy({ $0 == " " }) else { return nil }
    var line = String(String.UnicodeScalarView(shown[start..<end]))
    if start > 0 { line = "…" + line }
    if end < shown.count { line += "…" }
    let number = String(position.line)
    let margin = String(repeating: " ", count: max(0, 5 - number.count)) + number + " | "
    let indent = String(repeating: " ", count: 5 + 3 + place - start + (start > 0 ? 1 : 0))
    let caret = String(repeating: "^", count: max(1, min(wordLength(in: shown, at: place), end - place)))
    return Excerpt(line: line, text: "\(margin)\(line)\n\(indent)\(caret)\n")
  }

  /// Terminals must not be told what to do by the text of a file.
  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: " "
    default: scalar
    }
  }

  /// How much of the line the caret marks: a quoted text, or a word.
  private static func wordLength(in line: [Unicode.Scalar], at place: Int) -> Int {
    guard place < line.count else { return 1 }
    let first = line[place]
    if first == "\"" || first == "'" {
      let close = line[(place + 1)...].firstIndex(of: first) ?? place
      return min(close - place + 1, width)
    }
    var end = place
    while end < line.count, !" ,{}[]\"'#".unicodeScalars.contains(line[end]) {
      if line[end] == ":", end + 1 == line.count || line[end + 1] == " " { break }
      end += 1
    }
    return min(max(1, end - place), width)
  }
}

// MARK: - Secrets

extension ExcerptFinder {
  /// Replaces what follows a key of a secret by asterisks, up to what may end a value.
  ///
  /// This looks at the text alone, since an excerpt must be safe also where the text is not even YAML.
  private static func hideSecrets(in line: [Unicode.Scalar], keys: Set<String>) -> [Unicode.Scalar] {
    var result = line
    for (index, scalar) in line.enumerated() where scalar == ":" {
      guard keys.contains(word(before: index, in: line)) else { continue }
      var start = index + 1
      while start < line.count, line[start] == " " { start += 1 }
      guard start < line.count else { continue }
      let end = valueEnd(from: start, in: line)
      let value = String(String.UnicodeScalarView(line[start..<end]))
      if isReference(value) { continue }
      for hidden in start..<end { result[hidden] = "*" }
    }
    hideUserInformation(in: &result)
    return result
  }

  /// Replaces what stands between `://` and `@`: a URL with a password is a mistake here, and is shown in messages.
  private static func hideUserInformation(in line: inout [Unicode.Scalar]) {
    for at in line.indices where line[at] == "@" {
      var start = at
      while start > 0, line[start - 1] != " ", line[start - 1] != "/" { start -= 1 }
      guard start >= 3, line[start - 1] == "/", line[start - 2] == "/", line[start - 3] == ":" else { continue }
      for hidden in start..<at { line[hidden] = "*" }
    }
  }

  private static func word(before colon: Int, in line: [Unicode.Scalar]) -> String {
    var end = colon
    while end > 0, line[end - 1] == "\"" || line[end - 1] == "'" || line[end - 1] == " " { end -= 1 }
    var start = end
    while start > 0, line[start - 1] == "_" || line[start - 1].properties.isAlphabetic { start -= 1 }
    return String(String.UnicodeScalarView(line[start..<end]))
  }

  /// Where a value ends: behind its quote or its list, at what ends it in a mapping of one line, else with the line.
  private static func valueEnd(from start: Int, in line: [Unicode.Scalar]) -> Int {
    switch line[start] {
    case "\"", "'": return quoteEnd(from: start, in: line)
    case "[", "{":
      var place = start
      var depth = 0
      while place < line.count {
        if line[place] == "\"" || line[place] == "'" {
          place = quoteEnd(from: place, in: line)
          continue
        }
        if line[place] == "[" || line[place] == "{" { depth += 1 }
        if line[place] == "]" || line[place] == "}" { depth -= 1 }
        place += 1
        if depth == 0 { return place }
      }
      return line.count
    default:
      // A plain value may have spaces, and commas too where it does not stand between braces.
      guard isInFlow(at: start, in: line) else { return line.count }
      var end = line[start...].firstIndex { $0 == "," || $0 == "}" || $0 == "]" } ?? line.count
      while end > start, line[end - 1] == " " { end -= 1 }
      return end
    }
  }

  private static func quoteEnd(from start: Int, in line: [Unicode.Scalar]) -> Int {
    let quote = line[start]
    var place = start + 1
    while place < line.count {
      let isDoubled = quote == "'" && line[place] == "'" && place + 1 < line.count && line[place + 1] == "'"
      if isDoubled || (quote == "\"" && line[place] == "\\") {
        place += 2
      } else if line[place] == quote {
        return place + 1
      } else {
        place += 1
      }
    }
    return line.count
  }

  /// Whether a brace or bracket that was opened on this line is still open.
  private static func isInFlow(at end: Int, in line: [Unicode.Scalar]) -> Bool {
    var depth = 0
    var place = 0
    while place < end {
      switch line[place] {
      case "\"", "'":
        place = quoteEnd(from: place, in: line)
        continue
      case "{", "[": depth += 1
      case "}", "]": depth -= 1
      default: break
      }
      place += 1
    }
    return depth > 0
  }

  /// Whether a value is a reference to a secret, or a list of them, and so none itself.
  private static func isReference(_ value: String) -> Bool {
    guard value.hasPrefix("[") else {
      return value.hasPrefix("${") || value.hasPrefix("\"${") || value.contains("file:")
    }
    return value.dropFirst().dropLast().split(separator: ",").allSatisfy { element in
      let text = element.drop { $0 == " " || $0 == "\"" || $0 == "'" }
      return text.hasPrefix("${") || text.hasPrefix("file:")
    }
  }
}
