import Testing

@testable import Configuration

@Suite struct DiagnosticsTests {
  private func diagnostics(_ text: String, _ list: [(line: Int, column: Int, message: String)]) -> Diagnostics {
    var diagnostics = Diagnostics()
    diagnostics.add(source: "a.conf", Array(text.utf8))
    for item in list {
      diagnostics.error(item.message, at: Position(file: "a.conf", line: item.line, column: item.column))
    }
    return diagnostics
  }

  @Test func `a mistake is shown with its line`() {
    var diagnostics = diagnostics("one: 1\r\ntwo: value: x\r\n", [])
    diagnostics.error("wrong", at: Position(file: "a.conf", line: 2, column: 6), expected: "right", hint: "vale")
    #expect(
      diagnostics.text == """
        a.conf:2:6: error: wrong
            2 | two: value: x
                     ^^^^^
          expected: right
          did you mean `vale`?

        """)
  }

  @Test func `mistakes stand in the order of the text, files in the order of reading`() {
    var diagnostics = diagnostics("a\nb\n", [(2, 1, "third"), (1, 3, "second"), (1, 1, "first")])
    diagnostics.add(source: "0.conf", Array("c".utf8))
    diagnostics.error("fourth", at: Position(file: "0.conf", line: 1, column: 1))
    diagnostics.warning("last", at: .none)
    #expect(diagnostics.sorted.map(\.message) == ["first", "second", "third", "fourth", "last"])
    #expect(diagnostics.errorCount == 4)
  }

  @Test func `a long line is cut around the place`() {
    let line = String(repeating: "x", count: 500) + " here " + String(repeating: "y", count: 500)
    let text = diagnostics(line, [(1, 502, "wrong")]).text
    let lines = text.split(separator: "\n")
    #expect(lines[1].count < 120)
    let caret = lines[2].firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) } ?? 0
    #expect(Array(lines[1])[caret..<caret + 4] == ["h", "e", "r", "e"])
    #expect(lines[2].hasSuffix("^^^^"))
  }

  @Test(arguments: [(0, 1), (1, 0), (99, 1), (1, 10_000_000), (-1, -1), (2, 1)])
  func `a place that is not in the text is shown as well as can be`(_ line: Int, _ column: Int) {
    #expect(diagnostics("short\n", [(line, column, "wrong")]).text.contains("error: wrong\n"))
  }

  @Test func `nothing in a file can speak to the terminal`() {
    let text = diagnostics("a: \u{1b}[31m\u{202e}\u{7}", [(1, 1, "bad \u{1b}[31m\u{202e}\n")]).text
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value < 0x7f) })
  }

  @Test func `mistakes beyond the limit are counted`() {
    var diagnostics = Diagnostics()
    for _ in 0..<1005 { diagnostics.error("wrong", at: .none) }
    #expect(diagnostics.sorted.count == 1000)
    #expect(diagnostics.errorCount == 1005)
    #expect(diagnostics.text.hasSuffix("and 5 more\n"))
  }

  @Test func `machines get JSON`() {
    var diagnostics = diagnostics("a: \"b\"\n", [])
    diagnostics.error("is \"wrong\"", at: Position(file: "a.conf", line: 1, column: 4), expected: "right", hint: "c")
    diagnostics.warning("hm", at: .none)
    #expect(
      diagnostics.json == #"{"errors":1,"warnings":1,"diagnostics":["#
        + #"{"severity":"error","file":"a.conf","line":1,"column":4,"message":"is \"wrong\"","expected":"right","hint":"c","excerpt":"a: \"b\""},"#
        + #"{"severity":"warning","file":"","line":0,"column":0,"message":"hm"}]}"#)
  }

  @Test(arguments: [
    ("upstrem", "upstream"), ("listner", "listeners"), ("Limits", "limits"), ("xyz", nil), ("", nil),
    ("ustpream", "upstream"),
    ("limitations", nil),
  ])
  func `the nearest word is found unless none is near`(_ word: String, _ expected: String?) {
    #expect(NearestWord.find(word, in: ["upstream", "listeners", "limits", "routes"]) == expected)
  }

  @Test func `hints end where there are too many mistakes to read`() {
    let keys = (0..<300).map { "tiem\($0): 1s" }.joined(separator: ", ")
    let found = ReadingFixture.read(Sample.section, "{ text: a, tiem: 1s, \(keys), modee: fast }").diagnostics.sorted
    #expect(found.count == 302)
    #expect(found.first?.hint == "time")
    #expect(found.last?.hint == nil)
  }

  @Test func `a very long word is not compared`() {
    #expect(NearestWord.find(String(repeating: "a", count: 100_000), in: ["aaaa"]) == nil)
  }
}
