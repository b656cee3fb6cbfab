import GatewayTesting
import Kernel
import Testing

@testable import Telemetry

@Suite struct SegmentWriterTests {
  private let directory: TemporaryDirectory
  private let start = 1_795_380_593_000_000_000
  private let line = "{\"n\":1}\n"

  init() throws { directory = try TemporaryDirectory() }

  @Test func `a segment is closed before it would grow beyond its size`() throws {
    var writer = writer(SegmentLimits(segmentSize: 20))
    for _ in 0..<5 { _ = append(to: &writer, at: start) }
    #expect(
      directory.names == [
        "calls-20261122T204953Z-000001.ndjson", "calls-20261122T204953Z-000002.ndjson", "current.ndjson",
      ])
    #expect(try directory.read("calls-20261122T204953Z-000001.ndjson") == line + line)
    #expect(try directory.read("current.ndjson") == line)
  }

  @Test func `a chunk larger than a segment is a segment`() throws {
    var writer = writer(SegmentLimits(segmentSize: 1))
    for _ in 0..<3 { _ = append(to: &writer, at: start) }
    #expect(directory.names.count == 3)
  }

  @Test func `a segment is closed when its first line is old enough, also when no line comes`() throws {
    var writer = writer(SegmentLimits(segmentAge: 100))
    #expect(writer.timeUntilRotation(now: start) == nil)
    _ = append(to: &writer, at: start)
    #expect(writer.timeUntilRotation(now: start + 30) == 70)
    #expect(writer.rotateIfOld(now: start + 99, report: { _ in }) == nil)
    #expect(directory.names == ["current.ndjson"])
    #expect(writer.rotateIfOld(now: start + 100, report: { _ in }) == nil)
    #expect(directory.names == ["calls-20261122T204953Z-000001.ndjson"])
    #expect(writer.timeUntilRotation(now: start + 100) == nil)
    _ = append(to: &writer, at: start + 500)
    _ = append(to: &writer, at: start + 600)
    #expect(
      directory.names == [
        "calls-20261122T204953Z-000001.ndjson", "calls-20261122T204953Z-000002.ndjson", "current.ndjson",
      ])
  }

  @Test func `the age of a segment from before a restart counts from its first line`() throws {
    try directory.write("{\"time\":\"2026-11-22T20:49:53.000000Z\"}\n", to: "current.ndjson")
    var writer = writer(SegmentLimits(segmentAge: 60_000_000_000))
    try writer.prepare(now: start + 59_000_000_000, report: { _ in })
    #expect(writer.timeUntilRotation(now: start + 59_000_000_000) == 1_000_000_000)
  }

  @Test func `a clock that jumps back does not put rotation off beyond the age`() throws {
    var writer = writer(SegmentLimits(segmentAge: 100))
    _ = append(to: &writer, at: start)
    #expect(writer.timeUntilRotation(now: start - 1_000_000) == 100)
  }

  @Test func `rotation on request leaves an empty segment alone`() throws {
    var writer = writer(SegmentLimits())
    try writer.prepare(now: start, report: { _ in })
    #expect(writer.rotate(now: start, report: { _ in }) == nil)
    #expect(directory.names == ["current.ndjson"])
    _ = append(to: &writer, at: start)
    var events: [CallLogEvent] = []
    #expect(writer.rotate(now: start, report: { events.append($0) }) == nil)
    #expect(events == [.rotated(segment: "calls-20261122T204953Z-000001.ndjson")])
  }

  /// A kill after the rename and before the new file, or before the rename.
  @Test(arguments: [true, false])
  func `an interrupted rotation loses and doubles nothing`(renamed: Bool) throws {
    try directory.write(line, to: renamed ? "calls-20261122T204953Z-000001.ndjson" : "current.ndjson")
    var writer = writer(SegmentLimits(segmentSize: 8))
    try writer.prepare(now: start, report: { _ in })
    _ = append(to: &writer, at: start)
    #expect(directory.names == ["calls-20261122T204953Z-000001.ndjson", "current.ndjson"])
    #expect(
      try directory.read("calls-20261122T204953Z-000001.ndjson") + directory.read("current.ndjson") == line + line)
  }

  private func writer(_ limits: SegmentLimits) -> SegmentWriter {
    SegmentWriter(directory: directory.path, limits: Lock(limits), rotated: {})
  }

  private func append(to writer: inout SegmentWriter, at now: Int) -> SegmentFile.Outcome {
    writer.append(line.utf8Span.span, count: 1, now: now, report: { _ in })
  }
}
