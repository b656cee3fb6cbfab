import Testing

/// Each rule finds an offender that is planted for it, and leaves the innocent alone.
struct RuleTests {
  private func file(_ path: String, _ text: String) -> SourceFile { SourceFile(path: path, text: text) }

  @Test(arguments: [
    ("Sources/Kernel/A.swift", "import Runtime\n"),
    ("Sources/HTTP/A.swift", "package import Engine\n"),
    ("Sources/Runtime/A.swift", "import struct Engine.Worker\n"),
    ("Sources/Engine/A.swift", "import Foundation\n"),
    ("Sources/Engine/A.swift", "import Glibc\n"),
    ("Sources/Plugins/A.swift", "@testable import Engine\n"),
    ("Sources/Elsewhere/A.swift", "let a = 1\n"),
  ])
  func `an import from above is found`(path: String, text: String) {
    #expect(ImportRule.check(file(path, text)).count == 1)
  }

  @Test(arguments: [
    ("Sources/Engine/A.swift", "package import Kernel\nimport struct HTTP.RequestHead\nimport Synchronization\n"),
    ("Sources/Kernel/A.swift", "// import Engine\nlet a = \"import Engine\"\n"),
    ("Tests/EngineTests/A.swift", "import Testing\n"),
  ])
  func `an import from below is left alone`(path: String, text: String) {
    #expect(ImportRule.check(file(path, text)).isEmpty)
  }

  @Test(arguments: [
    "let a = unsafe b", "var p: UnsafeRawPointer", "var p: OpaquePointer", "let u = Unmanaged.passRetained(a)",
    "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1", "a.withUnsafeBytes { _ in }",
    "let a = \"\\(unsafe b)\"",
  ])
  func `an unsafe word outside the zones is found`(text: String) {
    #expect(UnsafeRule.placement(file("Sources/Engine/A.swift", text + "\n")).count == 1)
    #expect(UnsafeRule.placement(file("Sources/Kernel/A.swift", text + "\n")).isEmpty)
  }

  @Test(arguments: [
    "// unsafe", "let a = \"unsafe\"", "let a = #\"\"\"\nunsafe \"\n\"\"\"#", "func `unsafe words`() {}",
  ])
  func `an unsafe word that is no code is left alone`(text: String) {
    #expect(UnsafeRule.placement(file("Sources/Engine/A.swift", text + "\n")).isEmpty)
  }

  @Test(arguments: [
    "func f() {\n  unsafe g()\n}\n",
    "struct A {\n  // SAFETY: of another one.\n  func f() { unsafe g() }\n\n  func h() {\n    unsafe g()\n  }\n}\n",
    "struct A {\n  var p = unsafe q\n}\n",
    "struct A: @unchecked Sendable {}\n",
  ])
  func `unsafe code without a reason is found`(text: String) {
    #expect(UnsafeRule.reasons(file("Sources/Kernel/A.swift", text)).count == 1)
  }

  @Test(arguments: [
    "func f() {\n  // SAFETY: g only reads.\n  unsafe g()\n}\n",
    "/// Does it.\n/// SAFETY: g only reads.\n@inlinable\nfunc f() {\n  if a {\n    unsafe g()\n  }\n}\n",
    "/// SAFETY: owned.\n@safe\nstruct A {\n  let p: UnsafeRawPointer\n  func f() { unsafe g(p) }\n}\n",
    "struct A {\n  let p: UnsafeRawPointer\n  var q: OpaquePointer?\n}\n",
    "struct A {\n  // SAFETY: owned.\n  deinit { unsafe p.deallocate() }\n}\n",
  ])
  func `unsafe code with a reason is left alone`(text: String) {
    #expect(UnsafeRule.reasons(file("Sources/Kernel/A.swift", text)).isEmpty)
  }

  @Test func `a long function is found unless it says why`() {
    let body = String(repeating: "  a()\n", count: LengthRule.functionLimit + 1)
    let path = "Sources/Kernel/A.swift"
    #expect(LengthRule.check(file(path, "func f(\n  a: Int\n) {\n\(body)}\n")).map(\.line) == [1])
    #expect(LengthRule.check(file(path, "struct A {\n  init() {\n\(body)  }\n}\n")).map(\.line) == [2])
    #expect(LengthRule.check(file(path, "func f() {  // long: one table of cases\n\(body)}\n")).isEmpty)
    #expect(LengthRule.check(file(path, "func f() {  // long:\n\(body)}\n")).count == 1)
    #expect(LengthRule.check(file(path, "func f() {\n\(body.dropFirst(6))}\n")).isEmpty)
    #expect(LengthRule.check(file(path, "struct A {\n\(body)}\n")).isEmpty)
  }

  @Test func `a long file is found unless it says why`() {
    let body = String(repeating: "let a = 1\n", count: LengthRule.fileLimit)
    #expect(LengthRule.check(file("Sources/Kernel/A.swift", body)).isEmpty)
    #expect(LengthRule.check(file("Sources/Kernel/A.swift", body + "let b = 2\n")).count == 1)
    #expect(LengthRule.check(file("Sources/Kernel/A.swift", "// long: one table\n" + body)).isEmpty)
  }

  @Test(arguments: [
    ("Sources/Kernel/FileUtils.swift", ""), ("Sources/Kernel/Common/File.swift", ""), ("scripts/helpers", ""),
    ("Sources/Kernel/File.swift", "struct FileManager {}\n"), ("Tests/A.swift", "enum RouteHelper {}\n"),
  ])
  func `a name that says nothing is found`(path: String, text: String) {
    #expect(NameRule.check(file(path, text)).count == 1)
  }

  @Test func `a name that says something is left alone`() {
    #expect(NameRule.check(file("Sources/Kernel/Commonality.swift", "struct Utilization {}\n")).isEmpty)
  }

  @Test(arguments: [
    "// TO" + "DO: later\n", "// FIX" + "ME\n", "open(\"/ho" + "me/me/file\")\n", "let a = 1 \n", "\tlet a = 1\n",
    "let a = 1\r\n", "let a = 1", "<<<<<<< HEAD\n",
  ])
  func `unclean text is found`(text: String) {
    #expect(TextRule.check(file("docs/A.md", text)).count == 1)
  }

  @Test func `a makefile has tabs`() {
    #expect(TextRule.check(file("Makefile", "a:\n\tb\n")).isEmpty)
  }

  @Test func `a keyword that the reference leaves out is found`() {
    let source = file(
      "Sources/Engine/A.swift", "Keyword(\"idle_timeout\", a)\nKeyword(\n  \"headers\", b)\nKeyword(name)\n")
    func offences(_ reference: String, _ example: String) -> [String] {
      KeywordRule.check(source, reference: reference, example: example).map(\.message)
    }
    let both = "`headers` and `idle_timeout`"
    #expect(offences("`headers`: how many", "{ headers: 1, idle_timeout: 2 }").count == 1)
    #expect(offences(both, "headers: 1\n  idle_timeout:\n").isEmpty)
    #expect(offences(both, "# headers: 1\na: 1 # idle_timeout: 1\n").count == 2)
  }

  @Test func `code, comments and strings are told apart`() {
    let lines = SwiftLexer.lines(of: "let a = \"x // y\\\"\" // z\n/* b /* c */ d */ e(\"\\(f(\"g\"))\")")
    #expect(lines[0].words == ["let", "a"])
    #expect(lines[0].commentText == "// z")
    #expect(lines[1].words == ["e", "f"])
  }
}
