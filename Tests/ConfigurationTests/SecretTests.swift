import Testing

@testable import Configuration

@Suite struct SecretTests {
  @Test func `a secret never prints`() {
    let secret = Secret("hunter2")
    struct Holder { var secret: Secret }
    var dumped = ""
    dump(Holder(secret: secret), to: &dumped)
    for text in [
      "\(secret)", String(reflecting: secret), String(describing: Holder(secret: secret)), dumped, "\([secret])",
    ] {
      #expect(!text.contains("hunter2"))
      #expect(text.contains("secret"))
    }
    #expect(secret.reveal() == "hunter2")
  }

  @Test func `a secret comes from the environment without a word`() {
    let (sample, diagnostics) = ReadingFixture.read(
      Sample.section, "{ text: a, secret: '${KEY}' }", environment: ["KEY": "hunter2"])
    #expect(sample.secret == Secret("hunter2"))
    #expect(diagnostics.sorted.isEmpty)
  }

  @Test func `a secret comes from a file, without the line break at its end`() {
    for text in ["hunter2", "hunter2\n"] {
      let (sample, diagnostics) = ReadingFixture.read(
        Sample.section, "{ text: a, secret: file:key }", files: ["key": text])
      #expect(sample.secret == Secret("hunter2"))
      #expect(diagnostics.sorted.isEmpty)
    }
  }

  @Test(arguments: [
    ("hunter2", "a secret is written in the file"),
    ("${NO:-hunter2}", "a secret has its default, which anybody can read"),
  ])
  func `a secret that others can read earns a warning`(_ text: String, _ message: String) {
    let (sample, diagnostics) = ReadingFixture.read(Sample.section, "{ text: a, secret: '\(text)' }")
    #expect(sample.secret == Secret("hunter2"))
    #expect(diagnostics.sorted.map(\.message) == [message])
    #expect(!diagnostics.hasErrors)
  }

  @Test(arguments: ["file:none", "file:empty", "''", "[a]"])
  func `a secret that cannot be had is a mistake`(_ text: String) {
    let (sample, diagnostics) = ReadingFixture.read(
      Sample.section, "{ text: a, secret: \(text) }", files: ["empty": ""])
    #expect(sample.secret == nil)
    #expect(diagnostics.errorCount == 1)
  }

  @Test(arguments: [
    "{ text: a, secret: hunter2, x: 1 }", "{ text: a, secret: \"hunter2\", x: 1 }", "{ \"secret\": 'hunter2', x: 1 }",
    "{ secret: hunter2 }, }", "{ secret: \"hunter2, x: 1", "secret:    hunter2\nx: 1",
    "text: http://me:hunter2@example.com/\nx: 1\nx: 2", "{ secret: open hunter2 }, }", "{ secret: [a b, hunter2] }, }",
    "{ secret: [\"${A}\", \"a hunter2\"] }, }", "{ secret: { a: [b], c: hunter2 } }, }",
    "secret: a, hunter2\nx: 1\nx: 2",
    "{ secret: \"a\\\" hunter2\" }, }", "{ secret: 'a'' hunter2' }, }", "{ secret: [a, hunter2",
    "secret: a } hunter2\nx: 1",
  ])
  func `no excerpt shows a secret`(_ text: String) {
    let diagnostics = ReadingFixture.read(Sample.section, text).diagnostics
    #expect(!diagnostics.sorted.isEmpty)
    #expect(!diagnostics.text.contains("hunter2"))
    #expect(!diagnostics.json.contains("hunter2"))
  }

  @Test func `a secret that is not set is not told to take a default`() {
    func advice(_ text: String) -> [String?] {
      ReadingFixture.read(Sample.section, text).diagnostics.sorted.map(\.expected)
    }
    #expect(advice("{ text: a, secret: \"${NO}\" }") == ["a value, or a file: `file:PATH`"])
    #expect(advice("text: ${NO}") == ["a value, or a default: `${NO:-default}`"])
  }
}
