import Kernel
import Testing

@Suite struct FileTests {
  private let path = "/tmp/sluice-file-test-\(UInt64.random(in: 0 ... .max))"

  @Test func `what is written is read back, at the end and at an offset`() throws {
    try FileSystem.makeDirectory(path + "/a/b")
    defer { for name in ["/a/b/new", "/a/b", "/a", ""] { try? remove(path + name) } }
    let file = path + "/a/b/file"
    try File(file, .replace).writeAll("one\n".utf8Span.span)
    let appended = try File(file, .append)
    try appended.writeAll("two\n".utf8Span.span)
    try appended.sync()
    #expect(try appended.status().size == 8)
    #expect(try contents(file, from: 4) == "two\n")
    try appended.truncate(to: 2)
    try FileSystem.rename(file, to: path + "/a/b/new")
    try FileSystem.syncDirectory(path + "/a/b")
    #expect(try FileSystem.list(path + "/a/b") == ["new"])
    #expect(try contents(path + "/a/b/new", from: 0) == "on")
    #expect(try FileSystem.status(of: path + "/a/b/new").isSameFile(as: appended.status()))
    try FileSystem.remove(path + "/a/b/new")
    #expect(try appended.status().links == 0)
  }

  @Test func `a failure has the kernel's number, name and words`() throws {
    let failure = #expect(throws: Errno.self) { _ = try File(path + "/nowhere/file", .append) }
    #expect(failure == .noEntry)
    #expect(failure?.name == "ENOENT")
    #expect(failure?.description == "ENOENT: No such file or directory")
    #expect(throws: Errno.noSpace) { try File("/dev/full", .append).writeAll("x".utf8Span.span) }
    #expect(throws: Errno(20)) { try FileSystem.makeDirectory("/dev/null/below") }
    #expect(Errno(9_999).name == "E9999")
  }

  private func remove(_ path: String) throws {
    if try FileSystem.status(of: path).isDirectory {
      try FileSystem.removeDirectory(path)
    } else {
      try FileSystem.remove(path)
    }
  }

  private func contents(_ path: String, from offset: Int) throws -> String {
    var block = [UInt8](repeating: 0, count: 64)
    var bytes = block.mutableSpan
    let count = try File(path, .read).read(into: &bytes, at: offset)
    return String(decoding: block[..<count], as: UTF8.self)
  }
}
