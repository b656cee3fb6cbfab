/// Paths as text: enough to resolve what one file says about another.
public enum FilePath {
  /// Everything up to and with the last `/`, or nothing.
  static func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return String(path[...slash])
  }

  /// A path as the file in `directory` means it.
  public static func resolve(_ path: String, in directory: String) -> String {
    if path.hasPrefix("/") { return path }
    return directory + (path.hasPrefix("./") && path.utf8.count > 2 ? String(path.dropFirst(2)) : path)
  }

  /// The path without `.`, `//` and those `..` that follow a name, so that two spellings compare equal.
  static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." {
        parts.removeLast()
      } else {
        parts.append(part)
      }
    }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }

  static func isPattern(_ path: String) -> Bool {
    path.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
  }
}
