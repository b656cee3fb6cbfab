import GatewayTesting
import Kernel
import Testing

@testable import Telemetry

@Suite struct SegmentFileTests {
  private let directory: TemporaryDirectory
  private let now = 1_795_380_593_000_000_000

  init() throws { directory = try TemporaryDirectory() }

  /// What a crash may leave is every prefix of what was being written.
  @Test func `a half line is cut at start, wherever the crash came`() throws {
    let whole = "{\"time\":\"2026-11-22T20:49:53.000000Z\"}\n{\"a\":1}\n"
    let bytes = Array(whole.utf8)
    for length in 0...bytes.count {
      let left = String(decoding: bytes[..<length], as: UTF8.self)
      try directory.write(left, to: "current.ndjson")
      let expected = left.lastIndex(of: "\n").map { String(left[...$0]) } ?? ""
      var file = SegmentFile(directory: directory.path)
      #expect(try file.prepare(now: now + 1) == length - expected.utf8.count)
      #expect(file.size == expected.utf8.count)
      #expect(file.startedAt == (expected.isEmpty ? now + 1 : now))
      _ = file.append("{\"b\":2}\n".utf8Span.span, count: 1, now: now)
      #expect(try directory.read("current.ndjson") == expected + "{\"b\":2}\n")
    }
  }

  @Test(arguments: [1, 65_535, 65_536, 65_537, 200_000])
  func `the last line feed is found however long the torn line is`(torn: Int) throws {
    for start in ["", "{}\n"] {
      try directory.write(start + String(repeating: "x", count: torn), to: "current.ndjson")
      var file = SegmentFile(directory: directory.path)
      #expect(try file.prepare(now: now) == torn)
      #expect(try directory.read("current.ndjson") == start)
    }
  }

  @Test func `a file that is deleted, moved or replaced is left for a new one`() throws {
    var file = SegmentFile(directory: directory.path)
    let damages: [() throws -> Void] = [
      { try FileSystem.remove(directory["current.ndjson"]) },
      { try FileSystem.rename(directory["current.ndjson"], to: directory["moved"]) },
      {
        try directory.write("{}\n", to: "other");
        try FileSystem.rename(directory["other"], to: directory["current.ndjson"])
      },
      { try TemporaryDirectory.remove(directory.path) },
    ]
    for damage in damages {
      _ = try file.prepare(now: now)
      #expect(file.append("{\"old\":1}\n".utf8Span.span, count: 1, now: now).lines == 1)
      try damage()
      _ = try file.prepare(now: now)
      #expect(file.append("{\"new\":1}\n".utf8Span.span, count: 1, now: now).lines == 1)
      #expect(try directory.read("current.ndjson").hasSuffix("{\"new\":1}\n"))
      #expect(try file.size == directory.read("current.ndjson").utf8.count)
    }
  }

  @Test func `a directory that cannot be made is a failure that names the path`() throws {
    try directory.write("", to: "file")
    var file = SegmentFile(directory: directory["file/below"])
    #expect(throws: CallLogFailure(operation: "open \(directory["file/below/current.ndjson"])", errno: Errno(20))) {
      try file.prepare(now: now)
    }
  }

  /// The kernel takes what still fits, so a chunk stops within a line.
  @Test(.enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
  func `a full disk keeps whole lines only, and is used again when there is room`() throws {
    let disk = try SmallDisk(kilobytes: 64)
    var file = SegmentFile(directory: disk.path)
    let line = "{\"n\":\"" + String(repeating: "x", count: 90) + "\"}\n"
    let chunk = String(repeating: line, count: 300)
    _ = try file.prepare(now: now)
    var written = 0
    var failures = 0
    for _ in 0..<10 {
      if (try? file.prepare(now: now)) == nil { continue }
      let outcome = file.append(chunk.utf8Span.span, count: 300, now: now)
      written += outcome.lines
      if let failure = outcome.failure {
        #expect(failure.errno == .noSpace)
        #expect(outcome.lines < 300)
        failures += 1
      }
      #expect(
        try TemporaryDirectory.contents(of: disk.path + "/current.ndjson") == String(repeating: line, count: written))
    }
    #expect(failures == 8)
    #expect(written > 600)

    try FileSystem.rename(disk.path + "/current.ndjson", to: disk.path + "/away")
    try FileSystem.remove(disk.path + "/away")
    _ = try file.prepare(now: now)
    #expect(
      file.append(chunk.utf8Span.span, count: 300, now: now) == SegmentFile.Outcome(lines: 300, bytes: chunk.utf8.count)
    )
  }
}
