import HTTP
import Kernel
import Testing

@Suite struct StructuredDictionaryTests {
  private func read(_ text: String) throws -> [StructuredMember] {
    try StructuredDictionary.parse(text.utf8Span.span)
  }

  private func again(_ text: String) throws -> String {
    try read(text).map { member in
      var out = ByteBuffer()
      member.appendValue(to: &out)
      return member.name + "=" + String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self)
    }.joined(separator: ", ")
  }

  @Test(arguments: [
    ("", ""), ("  ", ""), ("a=1", "a=1"), ("a=-07 ,\tb=\"x\\\"y\\\\\"", "a=-7, b=\"x\\\"y\\\\\""),
    ("a", "a=?1"), ("a;x", "a=?1;x"), ("a=?0;x=?1;y=?0", "a=?0;x;y=?0"), ("a=:aGVsbG8=:", "a=:aGVsbG8=:"),
    ("a=::", "a=::"),
    ("a=1.50,b=-0.002,c=3.0", "a=1.5, b=-0.002, c=3.0"), ("a=*tok/en:1", "a=*tok/en:1"),
    ("a=@1659578233", "a=@1659578233"),
    ("s=(  \"@method\"   \"date\";sf )  ;created=5", "error"),
    ("s=(  \"@method\"   \"date\";sf );created=5; keyid=\"k\"", "s=(\"@method\" \"date\";sf);created=5;keyid=\"k\""),
    ("s=()", "s=()"), ("s=(1 a :aA==:)", "s=(1 a :aA==:)"), ("*a_-.*1=a", "*a_-.*1=a"),
    ("a=999999999999999", "a=999999999999999"),
    ("A=1", "error"), ("a=1,", "error"), (",a=1", "error"), ("a=1 b=2", "error"), ("a=", "error"), ("a=1,a=2", "error"),
    ("a=1;x;x", "error"), ("a=1000000000000000", "error"), ("a=1.", "error"), ("a=.5", "error"), ("a=1.0001", "error"),
    ("a=1234567890123.1", "error"), ("a=-", "error"), ("a=\"x", "error"), ("a=\"\\x\"", "error"), ("a=\"ü\"", "error"),
    ("a=\"\u{1}\"", "error"), ("a=:aGVsbG8:", "error"), ("a=:aA=:", "error"), ("a=:aB==:", "error"),
    ("a=:aA==", "error"),
    ("a=:a A==:", "error"), ("a=?2", "error"), ("a=?", "error"), ("a=(1", "error"), ("a=(1\t2)", "error"),
    ("a=(1,2)", "error"),
    ("a=((1))", "error"), ("a=@1.5", "error"), ("a=%\"x\"", "error"), ("a=1;", "error"), ("a=1;x=", "error"),
    ("a=\"x\"\"y\"", "error"), ("a=(\"x\"\"y\")", "error"),
  ])
  func `a dictionary is read strictly and has one text`(text: String, expected: String) {
    #expect(((try? again(text)) ?? "error") == expected)
  }

  @Test func `every text that is cut off or has a byte changed is read or refused, and never traps`() {
    let text = Array("s=(\"@method\" \"date\";sf=1.5);created=-5;b=:aGVsbG8=:;t=a/b;d=@5, x=?0".utf8)
    for end in text.indices {
      let part = Array(text[..<end])
      _ = try? StructuredDictionary.parse(part.span)
    }
    for place in text.indices {
      for byte in UInt8.min...UInt8.max {
        var other = text
        other[place] = byte
        _ = try? StructuredDictionary.parse(other.span)
      }
    }
    #expect(throws: StructuredFieldError.self) { try StructuredDictionary.parse("a=1,".utf8Span.span) }
  }
}
