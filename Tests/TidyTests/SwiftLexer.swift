/// One line of Swift with its comment apart and the insides of strings blanked out.
struct SwiftLine {
  var code: [UInt8] = []
  var comment: [UInt8] = []

  /// Identifiers and keywords; `@` stays with its attribute and `.` with its member.
  var words: [String] {
    var words: [String] = []
    var word: [UInt8] = []
    for byte in code + [UInt8(ascii: " ")] {
      let isLetter = UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || byte >= 0x80
      if isLetter || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: "_") {
        word.append(byte)
        continue
      }
      if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
      word = byte == UInt8(ascii: "@") || byte == UInt8(ascii: ".") ? [byte] : []
    }
    return words.filter { $0 != "@" && $0 != "." }
  }

  var commentText: String { String(decoding: comment, as: UTF8.self) }
  var hasCode: Bool { code.contains { $0 > UInt8(ascii: " ") } }
}

/// Splits Swift into lines of code and comments: enough of the grammar that no rule mistakes a string for code.
struct SwiftLexer {
  private let bytes: [UInt8]
  private var position = 0
  private(set) var lines = [SwiftLine()]

  static func lines(of text: String) -> [SwiftLine] {
    var lexer = SwiftLexer(bytes: Array(text.utf8))
    lexer.code(inInterpolation: false)
    return lexer.lines
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func code(inInterpolation: Bool) {
    var depth = 0
    while position < bytes.count {
      if at("//") {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { takeComment() }
      } else if at("/*") {
        blockComment()
      } else if let hashes = stringStart() {
        string(hashes: hashes)
      } else if at("`") {
        blank()
        while position < bytes.count, !at("`"), !at("\n") { blank() }
        if at("`") { blank() }
      } else {
        if at("(") { depth += 1 }
        if at(")") { depth -= 1 }
        if inInterpolation, depth < 0 { return }
        takeCode()
      }
    }
  }

  private mutating func blockComment() {
    var depth = 0
    repeat {
      let step = at("/*") ? 1 : at("*/") ? -1 : 0
      depth += step
      takeComment()
      if step != 0 { takeComment() }
    } while depth > 0 && position < bytes.count
  }

  /// How many `#` stand before the quote that starts here.
  private func stringStart() -> Int? {
    var end = position
    while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
    return end < bytes.count && bytes[end] == UInt8(ascii: "\"") ? end - position : nil
  }

  private mutating func string(hashes: Int) {
    let marks = String(repeating: "#", count: hashes)
    for _ in 0..<hashes { blank() }
    let quote = at("\"\"\"") ? "\"\"\"" : "\""
    for _ in quote.utf8 { blank() }
    let end = quote + marks
    let interpolation = "\\" + marks + "("
    let escape = "\\" + marks
    while position < bytes.count {
      if at(end) {
        for _ in end.utf8 { blank() }
        return
      }
      if quote == "\"", at("\n") { return }
      if at(interpolation) {
        for _ in interpolation.utf8 { blank() }
        code(inInterpolation: true)
      } else if at(escape) {
        for _ in escape.utf8 { blank() }
      }
      if position < bytes.count { blank() }
    }
  }

  private func at(_ text: String) -> Bool {
    var index = position
    for byte in text.utf8 {
      if index >= bytes.count || bytes[index] != byte { return false }
      index += 1
    }
    return true
  }

  private mutating func takeCode() { take { $0.code.append($1) } }
  private mutating func takeComment() { take { $0.comment.append($1) } }
  private mutating func blank() { take { line, _ in line.code.append(UInt8(ascii: " ")) } }

  private mutating func take(_ add: (inout SwiftLine, UInt8) -> Void) {
    guard position < bytes.count else { return }
    if bytes[position] == UInt8(ascii: "\n") {
      lines.append(SwiftLine())
    } else {
      add(&lines[lines.count - 1], bytes[position])
    }
    position += 1
  }
}
