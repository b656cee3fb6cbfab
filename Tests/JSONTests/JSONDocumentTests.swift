import JSON
import Kernel
import Testing

@Suite struct JSONDocumentTests {
  private func mistake(_ text: String) -> JSONError? { mistake(Array(text.utf8)) }

  private func mistake(_ bytes: [UInt8]) -> JSONError? {
    var document = JSONDocument()
    do {
      try document.parse(bytes.span)
      return nil
    } catch { return error }
  }

  @Test(arguments: [
    "0", "-0", "1e3", "1E-3", "-12.5e+7", "\"\"", "true", "false", "null", "[]", "{}", " [ 1 , [ ] , { } ] ",
    #"{"a":{"b":[1,"x",null]},"":0}"#, "\t\r\n 1 \n", #""\"\\\/\b\f\n\r\tü\uD834\uDD1E""#, "\"ä€𝄞\"",
    "123456789012345678901234567890.5",
  ])
  func `what the grammar allows is parsed`(text: String) { #expect(mistake(text) == nil) }

  @Test(arguments: [
    ("", JSONError(.truncated, at: 0)), ("  ", JSONError(.truncated, at: 2)), ("01", JSONError(.invalidNumber, at: 0)),
    ("1.", JSONError(.truncated, at: 2)), ("1.x", JSONError(.invalidNumber, at: 2)),
    ("-", JSONError(.truncated, at: 1)), ("1e", JSONError(.truncated, at: 2)),
    (".5", JSONError(.unexpectedByte, at: 0)),
    ("[1,]", JSONError(.unexpectedByte, at: 3)), ("[1 2]", JSONError(.unexpectedByte, at: 3)),
    ("{,}", JSONError(.unexpectedByte, at: 1)), (#"{"a"}"#, JSONError(.unexpectedByte, at: 4)),
    (#"{"a":1,}"#, JSONError(.unexpectedByte, at: 7)), ("{1:2}", JSONError(.unexpectedByte, at: 1)),
    ("[1}", JSONError(.unexpectedByte, at: 2)), ("[1", JSONError(.truncated, at: 2)),
    ("[,1]", JSONError(.unexpectedByte, at: 1)), ("[[],,]", JSONError(.unexpectedByte, at: 4)),
    ("{]", JSONError(.unexpectedByte, at: 1)), ("[}", JSONError(.unexpectedByte, at: 1)),
    ("[1],", JSONError(.trailingBytes, at: 3)),
    (#"{"a":}"#, JSONError(.unexpectedByte, at: 5)), ("]", JSONError(.unexpectedByte, at: 0)),
    ("tru", JSONError(.truncated, at: 3)), ("trux", JSONError(.unexpectedByte, at: 3)),
    ("nul]", JSONError(.unexpectedByte, at: 3)), ("1 1", JSONError(.trailingBytes, at: 2)),
    ("\"a", JSONError(.truncated, at: 2)), ("\"a\nb\"", JSONError(.controlCharacter, at: 2)),
    (#""\x""#, JSONError(.invalidEscape, at: 1)), (#""\u12g4""#, JSONError(.invalidEscape, at: 1)),
    (#""\u12"#, JSONError(.truncated, at: 5)), ("NaN", JSONError(.unexpectedByte, at: 0)),
  ])
  func `what it does not is refused where it shows`(text: String, expected: JSONError) {
    #expect(mistake(text) == expected)
  }

  @Test(arguments: [[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF], [0xC3]] as [[UInt8]])
  func `text that is not UTF-8 is refused at its first byte`(sequence: [UInt8]) {
    #expect(mistake([0x22, 0x61] + sequence + [0x22]) == JSONError(.invalidUTF8, at: 2))
  }

  @Test func `a document is as deep as it may be and no deeper`() {
    let open = String(repeating: "[", count: JSONDocument.deepest)
    let close = String(repeating: "]", count: JSONDocument.deepest)
    #expect(mistake(open + close) == nil)
    #expect(mistake(open + "[" + close + "]") == JSONError(.tooDeep, at: JSONDocument.deepest))
  }

  @Test func `a document that is cut anywhere is refused`() {
    let text = Array(#"{"a":[1.5e3,true,{"bü":null}],"c":"xA"}"#.utf8)
    for length in 0..<text.count { #expect(mistake(Array(text[..<length])) != nil, "\(length)") }
    #expect(mistake(text) == nil)
  }

  @Test func `a text ends where it does, whatever its length and what stands in it`() {
    for length in 0..<40 {
      let plain = Array(repeating: UInt8(ascii: "a"), count: length)
      #expect(mistake([0x22] + plain + [0x22]) == nil, "\(length)")
      #expect(mistake([0x5B, 0x22] + plain + [0x22, 0x2C, 0x31, 0x5D]) == nil, "\(length)")
      for index in 0..<length {
        var bytes = plain
        // Beside a quote, which must not hide them, are those next to it that a text may have and may not.
        for (byte, expected) in [
          (0x20, nil), (0x21, nil), (0x23, nil), (0x7F, nil), (0x1F, .controlCharacter), (0x00, .controlCharacter),
          (0x80, .invalidUTF8), (0xA2, .invalidUTF8),
        ] as [(UInt8, JSONError.Mistake?)] {
          bytes[index] = byte
          #expect(mistake([0x22] + bytes + [0x22, 0x20]) == expected.map { JSONError($0, at: index + 1) })
        }
      }
    }
  }

  @Test func `every node says where it ends and what follows it`() throws {
    let text = Array(#" { "a" : [ ] , "b":{"c":[[1],{}]} , "d" : "x" } "#.utf8)
    var document = JSONDocument()
    try document.parse(text.span)
    let found = (0..<document.count).map { String(decoding: text[document.range($0)], as: UTF8.self) }
    #expect(
      found == [
        #"{ "a" : [ ] , "b":{"c":[[1],{}]} , "d" : "x" }"#, #""a""#, "[ ]", #""b""#, #"{"c":[[1],{}]}"#, #""c""#,
        "[[1],{}]", "[1]", "1", "{}", #""d""#, #""x""#,
      ])
    #expect((0..<document.count).map { document.next($0) } == [12, 2, 3, 4, 10, 6, 10, 9, 9, 10, 11, 12])
    #expect(document.kind(9) == .object && document.kind(2) == .array && document.kind(8) == .number)
  }

  @Test func `members and elements are found by their names and indexes, escaped names too`() throws {
    let text = Array(#"{"a":1,"b":{"x":[10,20,{"y":30}]},"c\u0065":5}"#.utf8)
    var document = JSONDocument()
    try document.parse(text.span)
    func read(_ node: Int?, _ document: borrowing JSONDocument) -> String? {
      guard let node else { return nil }
      return String(decoding: text[document.range(node)], as: UTF8.self)
    }
    let b = try #require(try document.member("b".utf8Span.span, of: 0, in: text.span))
    let x = try #require(try document.member("x".utf8Span.span, of: b, in: text.span))
    #expect(read(document.element(1, of: x), document) == "20")
    #expect(read(document.element(2, of: x), document) == #"{"y":30}"#)
    #expect(document.element(3, of: x) == nil)
    #expect(read(try document.member("ce".utf8Span.span, of: 0, in: text.span), document) == "5")
    #expect(try document.member("d".utf8Span.span, of: 0, in: text.span) == nil)
  }

  @Test func `a name that stands twice is an error where it is read, and only there`() throws {
    let text = Array(#"{"a":1,"b":2,"\u0061":3}"#.utf8)
    var document = JSONDocument()
    try document.parse(text.span)
    #expect(try document.member("b".utf8Span.span, of: 0, in: text.span) != nil)
    #expect(throws: JSONError(.duplicateName, at: 13)) {
      var again = JSONDocument()
      try again.parse(text.span)
      _ = try again.member("a".utf8Span.span, of: 0, in: text.span)
    }
  }

  @Test(arguments: [
    (#"a\"b\\c\/d"#, "a\"b\\c/d"), (#"\u00fc\u20ac\ud834\udd1e"#, "ü€𝄞"), (#"\ud834x"#, "\u{FFFD}x"),
    (#"\n\t\r\b\f"#, "\n\t\r\u{8}\u{c}"), (#"\udd1e\ud834"#, "\u{FFFD}\u{FFFD}"),
  ])
  func `strings are decoded as they are meant`(content: String, meaning: String) {
    var out = ByteBuffer()
    JSONString.append(decoding: content.utf8Span.span, to: &out)
    #expect(String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self) == meaning)
  }

  @Test func `edits are applied in one pass and leave the rest as it was`() {
    let text = Array("0123456789".utf8)
    var splices = Splices()
    splices.replace(0..<0, with: "<".utf8Span.span)
    splices.remove(2..<4)
    splices.replace(4..<4, with: "ur".utf8Span.span, after: "fo")
    splices.replace(9..<10, with: ">".utf8Span.span)
    var out = ByteBuffer()
    splices.apply(to: text.span, into: &out)
    #expect(String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self) == "<01four45678>")
    splices.removeAll()
    out.removeAll()
    splices.apply(to: text.span, into: &out)
    #expect(out.count == 10)
  }
}
