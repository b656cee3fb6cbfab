import Kernel

/// A directory that goes with its last reference.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    path = "/tmp/sluice-test-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectory(path)
  }

  deinit { try? TemporaryDirectory.remove(path) }

  subscript(name: String) -> String { path + "/" + name }

  var names: [String] { (try? FileSystem.list(path)) ?? [] }

  func write(_ text: String, to name: String) throws {
    try File(self[name], .replace).writeAll(text.utf8Span.span)
  }

  func read(_ name: String) throws -> String { try TemporaryDirectory.contents(of: self[name]) }

  static func contents(of path: String) throws -> String {
    let file = try File(path, .read)
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      var space = block.mutableSpan
      let count = try file.read(into: &space)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(contentsOf: block[..<count])
    }
  }

  static func remove(_ path: String) throws {
    for name in try FileSystem.list(path) {
      let child = path + "/" + name
      if try FileSystem.status(of: child).isDirectory { try remove(child) } else { try FileSystem.remove(child) }
    }
    try FileSystem.removeDirectory(path)
  }
}
