package import Kernel

/// A directory that goes with its last reference.
package final class TemporaryDirectory: Sendable {
  package let path: String

  package init() throws {
    path = "/tmp/sluice-test-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectory(path)
  }

  deinit { try? TemporaryDirectory.remove(path) }

  package subscript(name: String) -> String { path + "/" + name }

  package var names: [String] { (try? FileSystem.list(path)) ?? [] }

  package func write(_ text: String, to name: String) throws {
    try File(self[name], .replace).writeAll(text.utf8Span.span)
  }

  package func read(_ name: String) throws -> String { try TemporaryDirectory.contents(of: self[name]) }

  package static func contents(of path: String) throws(Errno) -> String {
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

  package static func remove(_ path: String) throws {
    for name in try FileSystem.list(path) {
      let child = path + "/" + name
      if try FileSystem.status(of: child).isDirectory { try remove(child) } else { try FileSystem.remove(child) }
    }
    try FileSystem.removeDirectory(path)
  }
}
