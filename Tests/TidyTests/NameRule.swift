/// Names that say nothing: what they would hold has a better place or a better word.
enum NameRule {
  static let refused: Set<String> = ["Util", "Utils", "Utilities", "Helper", "Helpers", "Manager", "Common", "Misc"]

  static func check(_ file: SourceFile) -> [Offence] {
    var offences: [Offence] = []
    for part in file.path.split(whereSeparator: { "/.+".contains($0) }) {
      if let word = refusedWord(in: String(part)) {
        offences.append(Offence(path: file.path, line: 0, message: "`\(word)` in a file's path says nothing"))
      }
    }
    guard file.isSwift else { return offences }
    let kinds: Set<String> = ["class", "struct", "enum", "protocol", "actor", "typealias"]
    for (index, line) in file.swiftLines.enumerated() {
      let words = line.words
      for (kind, name) in zip(words, words.dropFirst()) where kinds.contains(kind) {
        if let word = refusedWord(in: name) {
          offences.append(Offence(path: file.path, line: index + 1, message: "`\(word)` in `\(name)` says nothing"))
        }
      }
    }
    return offences
  }

  /// The refused word in a name of several: `Helper` in `RouteHelperTests`.
  private static func refusedWord(in name: String) -> String? {
    var words: [String] = []
    for character in name {
      if character.isUppercase || words.isEmpty { words.append("") }
      words[words.count - 1].append(character)
    }
    return words.first { refused.contains($0.prefix(1).uppercased() + $0.dropFirst()) }
  }
}
