/// A file of more than 300 lines and a function of more than 40 say why, with `// long: REASON`.
enum LengthRule {
  static let fileLimit = 300
  static let functionLimit = 40

  static func check(_ file: SourceFile) -> [Offence] {
    guard file.isSwift else { return [] }
    let lines = file.swiftLines
    var offences: [Offence] = []
    let count = file.textLines.count - 1
    if count > fileLimit, !lines.prefix(5).contains(where: givesReason) {
      offences.append(
        Offence(
          path: file.path, line: 0,
          message: "\(count) lines; more than \(fileLimit) need a `// long:` reason in the first five lines"))
    }
    for block in SwiftBlock.all(in: lines) where block.kind == .function {
      let length = block.closing - block.opening - 1
      if length <= functionLimit || lines[max(0, block.header - 1)...block.opening].contains(where: givesReason) {
        continue
      }
      offences.append(
        Offence(
          path: file.path, line: block.header + 1,
          message: "a function of \(length) lines; more than \(functionLimit) need a `// long:` reason on the line"))
    }
    return offences
  }

  private static func givesReason(_ line: SwiftLine) -> Bool {
    line.commentText.firstRange(of: "// long: ").map { line.commentText[$0.upperBound...].count > 3 } ?? false
  }
}
