import Testing

/// The style guide as a test: docs/STYLE.md says why each rule is there.
struct TidyTests {
  @Test func `targets import only what is below them`() { expectClean(Repository.swiftFiles, ImportRule.check) }

  @Test func `unsafe code stays in its zones`() { expectClean(Repository.swiftFiles, UnsafeRule.placement) }

  @Test func `unsafe code gives its reason`() { expectClean(Repository.swiftFiles, UnsafeRule.reasons) }

  @Test func `long files and functions give their reason`() { expectClean(Repository.swiftFiles, LengthRule.check) }

  @Test func `names say something`() { expectClean(Repository.textFiles, NameRule.check) }

  @Test func `text is clean`() { expectClean(Repository.textFiles, TextRule.check) }

  @Test func `every keyword is in the reference`() {
    let reference = Repository.text(of: KeywordRule.reference)
    let example = Repository.text(of: KeywordRule.example)
    expectClean(Repository.swiftFiles) { KeywordRule.check($0, reference: reference, example: example) }
  }

  @Test func `exceptions are for files that exist`() {
    let paths = Set(Repository.swiftFiles.map(\.path))
    for path in Array(ImportRule.exceptions.keys) + Array(UnsafeRule.exceptions.keys) {
      #expect(paths.contains(path), "\(path) is gone: drop its exception")
    }
  }

  @Test func `the rules see the sources`() {
    #expect(Repository.swiftFiles.count > 20)
    #expect(Repository.textFiles.contains { $0.path == "Makefile" })
    #expect(Repository.textFiles.contains { $0.path == ".ci/run" })
    #expect(Repository.textFiles.contains { $0.path == "scripts/test" })
  }

  private func expectClean(_ files: [SourceFile], _ rule: Rule) {
    let offences = files.flatMap(rule)
    #expect(offences.isEmpty, "\n\(offences.map(\.description).joined(separator: "\n"))")
  }
}
