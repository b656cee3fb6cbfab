import GatewayTesting
import Kernel
import Testing

/// A page of documentation with a part that is made from declarations.
///
/// With `SLUICE_WRITE_DOCS` set, the part is written instead of compared.
struct Document {
  let path: String

  init(_ name: String, beside testFile: String = #filePath) {
    let root = testFile.split(separator: "/").dropLast(4).joined(separator: "/")
    path = "/\(root)/docs/\(name)"
  }

  /// Expects that the lines between `<!-- name: … -->` and `<!-- end of name -->` are `expected`.
  func expect(_ name: String, _ expected: String) throws {
    let text = try TemporaryDirectory.contents(of: path)
    let open = try #require(text.firstRange(of: "<!-- \(name):"), "\(path) has no part named \(name)")
    let start = try #require(text[open.upperBound...].firstIndex(of: "\n"))
    let end = try #require(text.firstRange(of: "<!-- end of \(name) -->"))
    let range = text.index(after: start)..<end.lowerBound
    if Shell.run("test -n \"$SLUICE_WRITE_DOCS\"") == 0 {
      try File(path, .replace).writeAll(text.replacingCharacters(in: range, with: expected).utf8Span.span)
    } else {
      #expect(text[range] == expected, "run the tests with SLUICE_WRITE_DOCS=1 to write \(path) anew")
    }
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
