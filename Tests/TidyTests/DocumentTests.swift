import Testing

/// Documents that walk through the code name what is there: a name in backticks is one of the sources', and a path
/// is one of the repository's.
struct DocumentTests {
  private static let guided = ["docs/ARCHITECTURE.md", "docs/LIFE-OF-A-REQUEST.md"]

  @Test(arguments: guided)
  func `every name is one of the code's`(document: String) {
    let known = Set(Repository.swiftFiles.filter { $0.target != nil }.flatMap { $0.text.split { !isNameByte($0) } })
    for span in codeSpans(of: Repository.text(of: document)) where isName(span) {
      for part in span.split(separator: ".") {
        #expect(known.contains(part), "\(document) names `\(span)`, of which the sources know no `\(part)`")
      }
    }
  }

  @Test(arguments: guided + ["docs/PLUGINS.md"])
  func `every path leads somewhere`(document: String) {
    let paths = Repository.textFiles.map(\.path)
    for span in codeSpans(of: Repository.text(of: document)) where isPath(span) {
      let exists = paths.contains { $0 == span || $0.hasPrefix(span.hasSuffix("/") ? span : span + "/") }
      #expect(exists, "\(document) names \(span), which is gone")
    }
  }

  /// What stands between backticks, outside blocks of code.
  private func codeSpans(of text: String) -> [Substring] {
    let blocks = text.split(separator: "```", omittingEmptySubsequences: false)
    return stride(from: 0, to: blocks.count, by: 2).flatMap { index in
      let parts = blocks[index].split(separator: "`", omittingEmptySubsequences: false)
      return stride(from: 1, to: parts.count, by: 2).map { parts[$0] }
    }
  }

  /// `Type`, `Type.member` or `member`: of the keywords of the configuration, snake_case tells it apart.
  private func isName(_ span: Substring) -> Bool {
    guard let first = span.first, first.isLetter, span.allSatisfy({ isNameByte($0) || $0 == "." }) else { return false }
    return !span.hasSuffix(".swift") && span.contains { $0.isUppercase }
  }

  private func isPath(_ span: Substring) -> Bool {
    ["Sources/", "Tests/", "docs/", "scripts/", "loadtests/"].contains { span.hasPrefix($0) } && !span.contains("NAME")
  }

  private func isNameByte(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }
}
