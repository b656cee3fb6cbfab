/// Unsafe code stays in Kernel and Foreign, and each piece of it says why it is right.
enum UnsafeRule {
  static let zones: Set<String> = ["Kernel", "Foreign"]

  /// Files outside the zones that need it, with the reason.
  static let exceptions: [String: String] = [
    "Sources/GatewayTesting/ChildProcess.swift": "spawns processes through C, for tests only",
    "Sources/Runtime/Loop.swift": "the task executor runs jobs, and LoopBound carries a loop's objects into its tasks",
    "Sources/Runtime/Waker.swift": "one unsafe continuation instead of a checked one on every wait",
  ]

  /// Outside the zones no unsafe word may stand.
  static func placement(_ file: SourceFile) -> [Offence] {
    guard file.isSwift, let target = file.target, !zones.contains(target) else { return [] }
    guard exceptions[file.path] == nil else { return [] }
    return file.swiftLines.enumerated().compactMap { index, line in
      guard let word = line.words.first(where: isUnsafe) else { return nil }
      return Offence(path: file.path, line: index + 1, message: "`\(word)` outside Kernel and Foreign")
    }
  }

  /// Every unsafe expression has a SAFETY comment in its member, above its line, or above its type.
  static func reasons(_ file: SourceFile) -> [Offence] {
    guard file.isSwift, file.target != nil else { return [] }
    let lines = file.swiftLines
    guard lines.contains(where: { $0.words.contains(where: needsReason) }) else { return [] }
    let blocks = SwiftBlock.all(in: lines)
    return lines.indices.compactMap { index in
      guard let word = lines[index].words.first(where: needsReason) else { return nil }
      if hasReason(index, lines, blocks) { return nil }
      return Offence(
        path: file.path, line: index + 1, message: "`\(word)` without a SAFETY comment in its member or above its type")
    }
  }

  static func isUnsafe(_ word: String) -> Bool {
    word == "unsafe" || word == "@unchecked" || word == "OpaquePointer" || word == "Unmanaged"
      || word.contains("Unsafe")
  }

  /// Declaring a pointer is harmless; using one, or telling the compiler to trust us, is not.
  private static func needsReason(_ word: String) -> Bool { word == "unsafe" || word == "@unchecked" }

  private static func hasReason(_ index: Int, _ lines: [SwiftLine], _ blocks: [SwiftBlock]) -> Bool {
    let around = blocks.filter { $0.header <= index && index <= $0.closing }
    let headers = around.filter { $0.kind == .type }.map(\.header) + [index]
    if headers.contains(where: { says(from: leadingComment(of: $0, lines), through: $0, lines) }) { return true }
    guard let member = around.first(where: { $0.kind != .type && $0.depthInCode == 0 }) else { return false }
    return says(from: leadingComment(of: member.header, lines), through: member.closing, lines)
  }

  /// The first line of the comments and attributes that stand directly above a declaration.
  private static func leadingComment(of line: Int, _ lines: [SwiftLine]) -> Int {
    var first = line
    while first > 0, isCommentOrAttribute(lines[first - 1]) { first -= 1 }
    return first
  }

  private static func isCommentOrAttribute(_ line: SwiftLine) -> Bool {
    if !line.hasCode { return !line.comment.isEmpty }
    return line.code.first { $0 > UInt8(ascii: " ") } == UInt8(ascii: "@")
  }

  private static func says(from first: Int, through last: Int, _ lines: [SwiftLine]) -> Bool {
    lines[first...last].contains { $0.commentText.contains("SAFETY:") }
  }
}
