import HTTP
import Kernel
import Testing

@Suite struct NormalizedPathTests {
  private func normal(_ path: String, _ slashes: NormalizedPath.EncodedSlashes = .refuse) -> String {
    var out = ByteBuffer(capacity: 16)
    out.append("before")
    do throws(HTTPError) {
      let changed = try NormalizedPath.normalise(path.utf8Span.span, encodedSlashes: slashes, into: &out)
      let text = Wire.text(out.span)
      if !changed { return text == "before" ? "same" : "unchanged, but wrote" }
      return String(text.dropFirst(6))
    } catch {
      return Wire.text(out.span) == "before" ? "error|\(error.reason)" : "failed, but wrote"
    }
  }

  @Test(arguments: [
    "/", "/a", "/a/b/", "//", "/a//b", "/a.b", "/.a", "/a.", "/..a", "/...", "/a..", "/%20", "/%C3%A9", "/%25",
    "/a;b=.",
    "/a:b@c!$&'()*+,=~_-", "/[x]|y",
  ])
  func `a path in normal form is left alone`(_ path: String) {
    #expect(normal(path) == "same")
  }

  @Test(arguments: [
    ("", "/"), ("/.", "/"), ("/..", "/"), ("/./", "/"), ("/../", "/"), ("/../../a", "/a"), ("/a/.", "/a/"),
    ("/a/..", "/"), ("/a/../", "/"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/../../c", "/c"), ("/a/b/..", "/a/"),
    ("/a//../b", "/a/b"), ("//../a", "/a"), ("/a/b/c/./../../g", "/a/g"), ("/%2e/a", "/a"), ("/a/%2E%2e/b", "/b"),
    ("/a/.%2E", "/"), ("/%41%7e%2D", "/A~-"), ("/%c3%a9", "/%C3%A9"), ("/%2525", "same"), ("/a%3b", "/a%3B"),
    ("/%2e%2e%2e", "/..."),
  ])
  func `a path is brought into normal form`(_ path: String, _ expected: String) {
    #expect(normal(path) == expected)
  }

  @Test(arguments: [
    ("/%", HTTPError.invalidPercentEncoding), ("/%4", .invalidPercentEncoding), ("/%4g", .invalidPercentEncoding),
    ("/%%41", .invalidPercentEncoding), ("/a%", .invalidPercentEncoding), ("/%u0041", .invalidPercentEncoding),
    ("/%00", .encodedControl), ("/a%0d%0a", .encodedControl), ("/%1F", .encodedControl), ("/%7f", .encodedControl),
    ("/a%2fb", .encodedSlash), ("/a%5Cb", .encodedSlash), ("/a\\b", .ambiguousPath), ("/a\u{1}", .ambiguousPath),
    ("/a b", .ambiguousPath), ("/\u{e9}", .ambiguousPath), ("/a#b", .ambiguousPath), ("a", .ambiguousPath),
    ("/..;/a", .ambiguousPath), ("/a/.;x", .ambiguousPath), ("/%2e%2e;/a", .ambiguousPath),
  ])
  func `a path that servers read differently is refused`(_ path: String, _ error: HTTPError) {
    #expect(normal(path) == "error|\(error.reason)")
  }

  @Test(arguments: [
    ("/a%2fb", "/a%2Fb"), ("/a%2Fb", "same"), ("/a%5cb", "/a%5Cb"), ("/a%2F", "same"),
    ("/..%2fa", "error|ambiguous_path"), ("/a%2f..%2fb", "error|ambiguous_path"),
    ("/a%2f%2e%2E", "error|ambiguous_path"),
    ("/a%5c..", "error|ambiguous_path"), ("/.%5ca", "error|ambiguous_path"), ("/a%2f..b/../c", "/c"),
  ])
  func `an encoded slash that is kept hides no dot segment`(_ path: String, _ expected: String) {
    #expect(normal(path, .keep) == expected)
  }

  @Test(
    arguments: [
      ("/", nil), ("/a/b/", nil), ("//", "/"), ("///", "/"), ("//a", "/a"), ("/a//", "/a/"), ("/a//b///c", "/a/b/c"),
      ("/0123456789abcdef//0123456789abcdef//", "/0123456789abcdef/0123456789abcdef/"),
    ] as [(String, String?)])
  func `empty segments are merged`(_ path: String, _ expected: String?) {
    var out = ByteBuffer(capacity: 16)
    let isMerged = NormalizedPath.mergeSlashes(path.utf8Span.span, into: &out)
    #expect(isMerged == (expected != nil))
    #expect(Wire.text(out.span) == expected ?? "")
  }

  @Test func `normalising twice changes nothing more`() {
    var generator = SeededGenerator(state: 20_240)
    let parts = ["/", ".", "..", "%2e", "%2F", "%41", "a", ";", "%20", "%c3", "//", "b"]
    for _ in 0..<5000 {
      let path =
        "/"
        + (0..<Int.random(in: 0...8, using: &generator)).map { _ in parts.randomElement(using: &generator)! }.joined()
      let once = normal(path, .keep)
      if once.hasPrefix("error") || once == "same" { continue }
      #expect(normal(once, .keep) == "same", "\(path)")
      #expect(!once.split(separator: "/", omittingEmptySubsequences: false).contains { $0 == "." || $0 == ".." })
    }
  }
}
