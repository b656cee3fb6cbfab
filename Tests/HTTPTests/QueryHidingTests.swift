import HTTP
import Kernel
import Testing

@Suite struct QueryHidingTests {
  @Test(arguments: [
    ("key=secret", "key=…"), ("a=1&key=secret&b=2", "a=1&key=…&b=2"), ("k%65y=secret&key=again", "k%65y=…&key=…"),
    ("key", "key"), ("key=", "key=…"), ("keys=1&a=key=2", "keys=1&a=key=2"), ("&key=x&", "&key=…&"), ("", ""),
  ])
  func `the values of one name are hidden, and all else stands as it came`(query: String, expected: String) {
    var out = ByteBuffer()
    QueryParameters.append(query.utf8Span.span, hiding: "key".utf8Span.span, to: &out)
    #expect(String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self) == expected)
  }
}
