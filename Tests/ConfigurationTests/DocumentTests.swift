import Testing

@testable import Configuration

@Suite struct DocumentTests {
  @Test func `a document is a tree with places`() throws {
    let (root, messages) = ReadingFixture.document("a: 1\nb:\n  - x\n  - { c: 'y z', d: }\n")
    #expect(messages.isEmpty)
    let entries = Array(try #require(root).entries)
    #expect(entries.map(\.key.text) == ["a", "b"])
    #expect(entries[0].value.text == "1")
    #expect(entries[0].value.position == Position(file: "a.conf", line: 1, column: 4))
    let elements = Array(entries[1].value.elements)
    #expect(elements.count == 2 && entries[1].value.count == 2)
    #expect(elements[1].value(for: "c")?.text == "y z")
    #expect(elements[1].value(for: "c")?.position == Position(file: "a.conf", line: 4, column: 10))
    #expect(elements[1].value(for: "d")?.isNull == true)
    #expect(elements[1].value(for: "e") == nil)
    #expect(elements[1].count == 2)
  }

  @Test func `columns count characters`() throws {
    let root = try #require(ReadingFixture.document("äö: ü\nbcd: ü").root)
    #expect(Array(root.entries).map(\.value.position.column) == [5, 6])
  }

  @Test(arguments: [
    ("~", true), ("null", true), ("", true), ("'~'", false), ("\"\"", false), ("Null", false), ("no", false),
    ("${EMPTY:-}", false), ("0", false),
  ])
  func `null is said without quotes`(_ text: String, _ isNull: Bool) throws {
    let root = try #require(ReadingFixture.document("a: \(text)").root)
    #expect(root.value(for: "a")?.isNull == isNull)
  }

  @Test(arguments: [2, 40])
  func `a key that stands twice is a mistake, in small mappings and in large ones`(_ count: Int) {
    let text = (0..<count).map { "key-\($0): \($0)\n" }.joined() + "key-1: again\nkey-1: and again\n"
    #expect(ReadingFixture.document(text).messages == ["`key-1` is said twice", "`key-1` is said twice"])
    let nested = "- { a: { a: 1 }, b: 2 }\n- { a: 1 }"
    #expect(ReadingFixture.document(nested).messages.isEmpty)
  }

  @Test(arguments: [
    ("a: &x 1", "anchors are not part of this language"), ("a: *x", "aliases are not part of this language"),
    ("a: !!int 1", "tags are not part of this language"), ("a: !x [1]", "tags are not part of this language"),
    ("? [a]\n: b", "a key must be text"), ("? { a: b }\n: b", "a key must be text"), ("? \n: b", "a key is missing"),
    ("a: 1\n---\nb: 2", "a file holds one document"),
  ])
  func `what YAML has beyond the language is refused`(_ text: String, _ message: String) {
    #expect(ReadingFixture.document(text).messages == [message])
  }

  @Test func `aliases of aliases cost no more than their text`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<40 {
      text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
    }
    let (root, messages) = ReadingFixture.document(text)
    #expect(root?.document.records.count ?? .max < 500)
    #expect(messages.contains("aliases are not part of this language"))
  }

  @Test func `depth is bounded`() {
    let depth = ConfigurationLimits.depth
    let fits = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(ReadingFixture.document(fits).messages.isEmpty)
    #expect(ReadingFixture.document("[\(fits)]").messages == ["lists and mappings stand too deep in each other"])
    let open = String(repeating: "[", count: 100_000)
    #expect(ReadingFixture.document(open).messages == ["lists and mappings stand too deep in each other"])
  }

  @Test(arguments: [
    ("a: [1, 2", 1), ("a: b: c", 1), ("a:\n\tb: c", 2), ("a: 'b", 1), ("a: }", 1), ("a: 1\n b: 2", 2), ("a: @b", 1),
    ("a: [*.b]", 1), ("a: {b} c", 1), ("- a\nb: c", 2), ("a: \"\\q\"", 1),
  ])
  func `text that is no YAML is refused where it goes wrong`(_ text: String, _ line: Int) {
    var reading = ReadingFixture.reading()
    _ = DocumentBuilder.build(file: "a.conf", bytes: Array(text.utf8), reading: &reading)
    #expect(reading.isIncomplete)
    let found = reading.diagnostics.sorted
    #expect(found.count == 1)
    #expect(found.first?.message.hasPrefix("this is not YAML: ") == true)
    #expect(abs((found.first?.position.line ?? 0) - line) <= 1)
  }

  @Test func `what stands before broken syntax is kept, and what is open there is cut`() throws {
    let root = try #require(ReadingFixture.document("a: { b: 1 }\nc: { d: 2, e: f{g} }\nh: 3").root)
    #expect(root.isCut)
    #expect(root.entries.map(\.key.text) == ["a", "c"])
    #expect(root.value(for: "a")?.isCut == false)
    let cut = try #require(root.value(for: "c"))
    #expect(cut.isCut)
    #expect(cut.value(for: "d")?.text == "2")
    #expect(cut.value(for: "e")?.isBroken == true)
  }

  @Test(arguments: [
    ("{ match: GET /v1/{id}, respond: 200 }", "\"GET /v1/{id}\""), ("{ match: /a/{b}/c/{d} }", "\"/a/{b}/c/{d}\""),
    ("[GET /v1/{id} , /x]", "\"GET /v1/{id}\""), ("{ a: [b, /c/{d}] }", "\"/c/{d}\""), ("[a b {c}]", nil),
    ("[a: b]c", nil),
  ])
  func `a brace in a value without quotes gets a hint`(_ text: String, _ hint: String?) {
    var reading = ReadingFixture.reading()
    _ = DocumentBuilder.build(file: "a.conf", bytes: Array("x: 1\ny: \(text)\n".utf8), reading: &reading)
    #expect(reading.diagnostics.sorted.map(\.hint) == [hint])
  }

  @Test func `a document cut at any byte is read without a trap`() {
    let text = Array("a: { b: [1, \"2\"], c: {d: e} }\nf:\n  - g: 'h'\n    i: ${J:-k}\n".utf8)
    for count in text.indices {
      for end in [[], [UInt8(ascii: "}")], Array("\n\t@".utf8)] {
        var reading = ReadingFixture.reading()
        let document = DocumentBuilder.build(file: "a.conf", bytes: text.prefix(count) + end, reading: &reading)
        if let root = document?.root { _ = root.json.text }
      }
    }
  }

  @Test func `bytes that are no text are refused where they stand`() {
    for (bytes, line, column) in [([0x61, 0x3a, 0x0a, 0xff], 2, 1), ([0x61, 0x00], 1, 2), ([0xc3], 1, 1)]
      as [([UInt8], Int, Int)]
    {
      var reading = ReadingFixture.reading()
      _ = DocumentBuilder.build(file: "a.conf", bytes: bytes, reading: &reading)
      #expect(reading.diagnostics.sorted.map(\.position) == [Position(file: "a.conf", line: line, column: column)])
    }
  }

  @Test func `a byte order mark is no text`() throws {
    let root = try #require(ReadingFixture.document("\u{feff}a: b").root)
    #expect(root.value(for: "a")?.text == "b")
  }

  @Test func `an empty file says nothing`() {
    #expect(ReadingFixture.document("").root == nil)
    #expect(ReadingFixture.document("# only a comment\n").root == nil)
  }

  @Test func `variables are filled into values, not into keys or comments`() throws {
    let (root, messages) = ReadingFixture.document("${A}: ${A} # ${NO}\nb: [\"${A}\"]", environment: ["A": "one"])
    #expect(messages.isEmpty)
    let entries = Array(try #require(root).entries)
    #expect(entries[0].key.text == "${A}")
    #expect(entries[0].value.text == "one" && entries[0].value.isExpanded)
    #expect(Array(entries[1].value.elements).map(\.text) == ["one"])
  }

  @Test(arguments: [
    ("true", "true"), ("'true'", "\"true\""), ("12", "12"), ("-1.5e3", "-1.5e3"), ("012", "\"012\""),
    ("0x1f", "\"0x1f\""),
    ("~", "null"), ("on", "\"on\""), ("2026-11-22", "\"2026-11-22\""), ("1_000", "\"1_000\""), (".5", "\".5\""),
    ("[1, {a: b}]", "[1,{\"a\":\"b\"}]"), (".inf", "\".inf\""), ("1.", "\"1.\""), ("-", "[null]"),
    ("\"a\\\"\\n\\x01\"", #""a\"\n\u0001""#),
  ])
  func `a node becomes JSON by the core schema`(_ text: String, _ json: String) throws {
    #expect(try #require(ReadingFixture.document(text).root).json.text == json)
  }
}
