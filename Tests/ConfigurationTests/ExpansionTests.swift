import Testing

@testable import Configuration

@Suite struct ExpansionTests {
  private func expand(_ text: String, _ environment: [String: String] = [:]) -> Expansion {
    var expansion = Expansion(Array(text.utf8))
    expansion.run(environment: Environment(environment))
    return expansion
  }

  @Test(arguments: [
    ("${A}", "one"), ("<${A}${B_2}>", "<onetwo>"), ("${NO:-default}", "default"), ("${A:-default}", "one"),
    ("${EMPTY:-default}", "default"), ("${NO:-}", ""), ("${NO:-a:-b$}", "a:-b$"), ("$${A}", "${A}"), ("$A $", "$A $"),
    ("$$${A}", "$${A}"), ("no", "no"), ("ü${A}ü", "üoneü"),
  ])
  func `variables are filled in`(_ text: String, _ expected: String) {
    let expansion = expand(text, ["A": "one", "B_2": "two", "EMPTY": ""])
    #expect(String(decoding: expansion.output, as: UTF8.self) == expected)
    #expect(expansion.mistakes.isEmpty)
  }

  @Test(arguments: [
    ("${NO}", "`NO` is not set in the environment"), ("${EMPTY}", "`EMPTY` is not set in the environment"),
    ("${A", "`${` is never closed"), ("${}", "`${}` names no variable"), ("${1A}", "`${1A}` names no variable"),
    ("${A-b}", "`${A-b}` names no variable"), ("${A B}", "`${A B}` names no variable"),
    ("${${A}}", "`${${A}` names no variable"),
  ])
  func `a placeholder that means nothing is a mistake`(_ text: String, _ message: String) {
    #expect(expand(text, ["A": "one", "EMPTY": ""]).mistakes.map(\.message) == [message])
  }

  @Test func `what a variable holds is not read again`() {
    #expect(expand("${A}", ["A": "${B}", "B": "no"]).output == Array("${B}".utf8))
  }

  @Test func `it is known where the text came from`() {
    #expect(expand("${A:-b}", ["A": "one"]).usedEnvironment)
    #expect(!expand("${A:-b}", ["A": "one"]).usedDefault)
    #expect(expand("${A:-b}").usedDefault)
    #expect(!expand("b").usedDefault)
  }
}
