import GatewayTesting
import Kernel
import Testing

@testable import Telemetry

@Suite struct SegmentStoreTests {
  private let directory: TemporaryDirectory
  private let store: SegmentStore
  private let now = 1_795_380_593_000_000_000
  private let lines = (0..<5_000).map { "{\"n\":\($0),\"path\":\"/v1/items/\($0 * 7919)\"}\n" }.joined()

  init() throws {
    directory = try TemporaryDirectory()
    store = SegmentStore(directory: directory.path)
  }

  @Test(arguments: [
    "calls-20261122T204953Z-000042.ndjson", "calls-20261122T204953Z-1234567.ndjson.lz4",
    "calls-20261122T204953Z-000001.ndjson.lz4.partial",
  ])
  func `a segment's name is read as it was written`(name: String) {
    #expect(SegmentName(name)?.text == name)
    #expect(SegmentName(name)?.rotatedAt == now)
  }

  @Test(arguments: [
    "current.ndjson", "calls-.ndjson", "calls-20261122T204953Z-1.log", "calls-20261122T204953Z-1.ndjson.gz",
    "calls-yesterday-000001.ndjson", "calls-20261122T204953Z--1.ndjson", "notes.txt", "calls-20261122T204953Z.ndjson",
  ])
  func `a name that is not ours is left alone`(name: String) throws {
    #expect(SegmentName(name) == nil)
    try directory.write("mine", to: name)
    tidy(limits: SegmentLimits(retainSize: 0, retainAge: 0))
    #expect(directory.names == [name])
  }

  /// Every state that a kill between two steps of compression can leave.
  @Test(.enabled(if: Shell.has("lz4cat"), "the tool lz4cat is not installed"), arguments: Interrupted.allCases)
  func `an interrupted compression is finished by the next pass`(state: Interrupted) throws {
    let plain = "calls-20261122T204953Z-000007.ndjson"
    switch state {
    case .notBegun: break
    case .partialEmpty: try directory.write("", to: plain + ".lz4.partial")
    case .partialTorn: try directory.write("\u{4}\u{22}M\u{18}d@", to: plain + ".lz4.partial")
    case .partialWhole: Shell.run("cd \(directory.path) && printf x | lz4 -q > \(plain).lz4.partial")
    case .renamed: break
    }
    try directory.write(lines, to: plain)
    if state == .renamed { Shell.run("cd \(directory.path) && lz4 -q \(plain) \(plain).lz4") }
    tidy(limits: SegmentLimits())
    #expect(directory.names == [plain + ".lz4"])
    #expect(Shell.run("cd \(directory.path) && lz4cat \(plain).lz4 > out") == 0)
    #expect(try directory.read("out") == lines)
  }

  enum Interrupted: CaseIterable { case notBegun, partialEmpty, partialTorn, partialWhole, renamed }

  @Test(
    .enabled(if: Shell.has("lz4cat"), "the tool lz4cat is not installed"),
    arguments: [0, 1, 262_143, 262_144, 262_145, 1_000_000])
  func `lz4 finds every segment sound, whatever its length`(length: Int) throws {
    let text = String(repeating: lines, count: length / lines.utf8.count + 1).prefix(length)
    try directory.write(String(text), to: "calls-20261122T204953Z-000001.ndjson")
    tidy(limits: SegmentLimits())
    let name = "calls-20261122T204953Z-000001.ndjson.lz4"
    #expect(Shell.run("cd \(directory.path) && lz4 -q -t \(name) && lz4cat \(name) > out") == 0)
    #expect(try directory.read("out") == String(text))
  }

  @Test(.enabled(if: Shell.has("lz4"), "the tool lz4 is not installed"))
  func `a damaged segment does not pass its checksum`() throws {
    let name = "calls-20261122T204953Z-000001.ndjson"
    try directory.write(lines, to: name)
    tidy(limits: SegmentLimits())
    Shell.run("cd \(directory.path) && printf 'damaged' | dd of=\(name).lz4 bs=1 seek=2000 conv=notrunc 2>/dev/null")
    #expect(Shell.run("cd \(directory.path) && lz4 -q -t \(name).lz4 2>/dev/null") != 0)
  }

  @Test func `a stop leaves the plain segment and no partial one`() throws {
    try directory.write(lines, to: "calls-20261122T204953Z-000001.ndjson")
    var asked = 0
    store.tidy(now: now, limits: SegmentLimits(), report: { _ in }) {
      asked += 1
      return asked > 2
    }
    #expect(directory.names == ["calls-20261122T204953Z-000001.ndjson"])
  }

  @Test func `retention by size takes the oldest, counts the current segment, and never takes that`() throws {
    for number in 1...5 { try directory.write(String(repeating: "x", count: 100), to: name(number)) }
    try directory.write(String(repeating: "x", count: 150), to: "current.ndjson")
    let events = tidy(limits: SegmentLimits(retainSize: 400))
    #expect(directory.names == [name(4), name(5), "current.ndjson"])
    #expect(events == (1...3).map { .removed(segment: name($0)) })
    tidy(limits: SegmentLimits(retainSize: 0))
    #expect(directory.names == ["current.ndjson"])
  }

  @Test func `what retention takes is not compressed before`() throws {
    for number in 1...3 { try directory.write(lines, to: SegmentName(rotatedAt: now, number: number).text) }
    let events = tidy(limits: SegmentLimits(retainSize: lines.utf8.count))
    #expect(directory.names == [name(3)])
    #expect(
      Array(events.prefix(2))
        == [1, 2].map { .removed(segment: SegmentName(rotatedAt: now, number: $0).text) })
    #expect(events.count == 3)
  }

  @Test func `a segment that cannot be compressed does not keep the others`() throws {
    try FileSystem.makeDirectory(directory[SegmentName(rotatedAt: now, number: 1).text])
    try directory.write(lines, to: SegmentName(rotatedAt: now, number: 2).text)
    let events = tidy(limits: SegmentLimits())
    #expect(directory.names == [SegmentName(rotatedAt: now, number: 1).text, name(2)])
    #expect(events.count == 2)
    #expect(
      events.first
        == .housekeepingFailed(
          segment: SegmentName(rotatedAt: now, number: 1).text, reason: Errno.isDirectory.description))
  }

  @Test func `retention by age counts from the rotation`() throws {
    let day = 86_400_000_000_000
    for (number, age) in [(1, 8 * day), (2, 7 * day + 1_000_000_000), (3, 7 * day), (4, 0)] {
      try directory.write("x", to: SegmentName(rotatedAt: now - age, number: number).with(.compressed).text)
    }
    tidy(limits: SegmentLimits())
    #expect(directory.names.map { SegmentName($0)?.number } == [3, 4])
  }

  @Test func `numbers go on from the highest that is there`() throws {
    #expect(try store.nextNumber() == 1)
    try directory.write("x", to: name(9))
    try directory.write("x", to: name(10))
    #expect(try store.nextNumber() == 11)
  }

  @Test(.enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
  func `compression that finds no room leaves the plain segment and says so`() throws {
    let disk = try SmallDisk(kilobytes: 256)
    let plain = SegmentName(rotatedAt: now, number: 1).text
    var noise = SystemRandomNumberGenerator()
    let text = (0..<200_000).map { _ in String(Character(Unicode.Scalar(UInt8.random(in: 32...126, using: &noise)))) }
    try File(disk.path + "/" + plain, .replace).writeAll(text.joined().utf8Span.span)
    var events: [CallLogEvent] = []
    SegmentStore(directory: disk.path).tidy(now: now, limits: SegmentLimits(), report: { events.append($0) })
    #expect(events == [.housekeepingFailed(segment: plain, reason: Errno.noSpace.description)])
    #expect(try FileSystem.list(disk.path) == [plain])
  }

  private func name(_ number: Int) -> String {
    SegmentName(rotatedAt: now, number: number).with(.compressed).text
  }

  @discardableResult
  private func tidy(limits: SegmentLimits) -> [CallLogEvent] {
    var events: [CallLogEvent] = []
    store.tidy(now: now, limits: limits, report: { events.append($0) })
    return events
  }
}
