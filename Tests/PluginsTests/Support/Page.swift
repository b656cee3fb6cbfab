import Foreign

/// A page of the documentation.
struct Page {
  let path: String
  let text: String

  init(_ name: String, beside testFile: String = #filePath) throws {
    let root = testFile.split(separator: "/").dropLast(3).joined(separator: "/")
    path = "/\(root)/docs/\(name)"
    text = String(decoding: try TextFiles.read(path, limit: 1 << 20), as: UTF8.self)
  }

  struct NoExample: Error {}

  /// The first block of code in this language.
  func example(_ language: String) throws(NoExample) -> String {
    guard let open = text.firstRange(of: "\n```\(language)\n"),
      let close = text[open.upperBound...].firstRange(of: "\n```\n")
    else { throw NoExample() }
    return String(text[open.upperBound..<close.lowerBound]) + "\n"
  }
}
