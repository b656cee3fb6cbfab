import Glibc

/// The files of the project, as the rules read them.
enum Repository {
  /// The folder that holds Package.swift.
  static let root = parent(parent(parent(#filePath)))

  /// Swift files of the product and of the tests.
  static let swiftFiles: [SourceFile] = textFiles.filter { $0.path.hasSuffix(".swift") }

  /// Everything that people write: sources, tests, scripts, documents.
  static let textFiles: [SourceFile] = {
    var paths = files(below: "", deep: false)
    for folder in ["Sources", "Tests", "Fuzz", "scripts", "loadtests", "docs", ".ci"] {
      paths += files(below: folder + "/", deep: true)
    }
    return paths.sorted().filter(isText).map { SourceFile(path: $0, text: read($0)) }
  }()

  /// The text of one file; empty when there is no such file.
  static func text(of path: String) -> String { textFiles.first { $0.path == path }?.text ?? "" }

  /// Fixtures and seeds hold broken bytes on purpose.
  private static func isText(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    if parts.contains(where: { ["Fixtures", "Seeds", "results", "__pycache__"].contains($0) }) { return false }
    guard let name = parts.last else { return false }
    guard let dot = name.lastIndex(of: ".") else { return name != "LICENSE" }
    let known = [
      "swift", "c", "h", "modulemap", "md", "py", "lua", "conf", "cfg", "yaml", "txt", "example", "json", "ci",
    ]
    return known.contains(String(name[name.index(after: dot)...]))
  }

  private static func files(below folder: String, deep: Bool) -> [String] {
    guard let stream = unsafe opendir(root + "/" + folder) else { return [] }
    // SAFETY: the stream is open until this scope ends, and an entry is read before the next one is asked for.
    defer { unsafe closedir(stream) }
    var found: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      let isFolder = unsafe entry.pointee.d_type == UInt8(DT_DIR)
      if name == "." || name == ".." { continue }
      if isFolder, deep { found += files(below: folder + name + "/", deep: true) }
      if !isFolder { found.append(folder + name) }
    }
    return found
  }

  private static func read(_ path: String) -> String {
    guard let file = unsafe fopen(root + "/" + path, "r") else { return "" }
    // SAFETY: the file is open until this scope ends, and `fread` gets the room that the array has.
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe fread(&part, 1, part.count, file)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += part[..<count]
    }
  }

  private static func parent(_ path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }
}
