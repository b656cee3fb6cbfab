import GatewayTesting
import Kernel
import Testing

@testable import Telemetry

/// A call log leaves its directory to a successor's.
@Suite struct HandoverTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func open(_ limits: SegmentLimits = SegmentLimits()) throws -> CallLog {
    try CallLog(CallLogOptions(.directory(directory.path), limits: limits, chunkSize: 4096))
  }

  private func write(_ numbers: Range<Int>, to queue: CallLogQueue) {
    for number in numbers {
      queue.begin(time: Clock.wall)
      queue.append(.attempts, integer: number)
      queue.end()
    }
    queue.flush()
  }

  /// The numbers in all plain segments, after those that are compressed were unpacked.
  private func numbers() throws -> [Int] {
    Shell.run("cd \(directory.path) && for f in *.lz4; do lz4cat $f > ${f%.lz4} && rm $f; done")
    return try directory.names.filter { $0.hasSuffix(".ndjson") }.flatMap { name in
      try directory.read(name).split(separator: "\n").map {
        try #require(try JSONValue(parsing: $0)["attempts"]?.integer)
      }
    }
  }

  private func awaitWritten(_ log: CallLog, _ count: Int) {
    #expect(Deadline.usual.poll { log.counters.written == count })
  }

  @Test(
    .enabled(if: Shell.has("lz4cat"), "the tool lz4cat is not installed"),
    arguments: [SegmentLimits(), SegmentLimits(segmentSize: 5_000)])
  func `two logs write one directory and every line is there once`(limits: SegmentLimits) throws {
    let old = try open(limits)
    let before = old.makeQueue()
    write(0..<500, to: before)
    before.close()
    #expect(old.setAside())
    let new = try open(limits)
    let threads = try [(old, 500), (new, 3_250)].map { log, first in
      try Thread.start(name: "worker") {
        let queue = log.makeQueue()
        for start in stride(from: first, to: first + 2_750, by: 50) {
          write(start..<start + 50, to: queue)
          // As lines may be dropped when the writer gets no turn for long.
          while log.counters.produced - log.counters.written > 1_000 { Pause.milliseconds(1) }
        }
        queue.close()
      }
    }
    for thread in threads { thread.join() }
    #expect(old.stop())
    #expect(new.stop())
    #expect(old.counters.dropped + new.counters.dropped == 0)
    #expect(!directory.names.contains { $0.hasPrefix("draining") }, "\(directory.names)")
    #expect(try numbers().sorted() == Array(0..<6_000))
  }

  @Test func `a log whose successor did not come goes on in the same file`() throws {
    let log = try open()
    let queue = log.makeQueue()
    write(0..<10, to: queue)
    awaitWritten(log, 10)
    #expect(log.setAside())
    #expect(directory.names == ["draining-\(ProcessSignal.ownProcess).ndjson"])
    write(10..<20, to: queue)
    awaitWritten(log, 20)
    log.resume()
    write(20..<30, to: queue)
    queue.close()
    #expect(log.stop())
    #expect(directory.names == ["current.ndjson"])
    #expect(try numbers() == Array(0..<30))
  }

  @Test func `what a successor wrote before it failed is kept beside what is taken back`() throws {
    let log = try open()
    let queue = log.makeQueue()
    write(0..<10, to: queue)
    awaitWritten(log, 10)
    #expect(log.setAside())
    try directory.write("{\"attempts\":99}\n", to: "current.ndjson")
    log.resume()
    write(10..<20, to: queue)
    queue.close()
    #expect(log.stop())
    #expect(try directory.read("current.ndjson").hasPrefix("{\"attempts\":99}\n"))
    #expect(Set(try numbers()) == Set(Array(0..<20) + [99]))
  }

  @Test func `a log that wrote nothing leaves nothing`() throws {
    let log = try open()
    #expect(log.setAside())
    #expect(log.stop())
    #expect(directory.names == [])
  }

  @Test func `the segment of a process that was killed while it drained is given its place`() throws {
    try directory.write("{\"attempts\":1}\n{\"att", to: "draining-123.ndjson")
    try directory.write("{\"attempts\":2}\n", to: "draining-124.ndjson")
    let claimed = try File(directory["draining-124.ndjson"], .append)
    let isClaimed = claimed.claim()
    #expect(isClaimed)
    let events = Lock<[CallLogEvent]>([])
    SegmentStore(directory: directory.path).tidy(now: Clock.wall, limits: SegmentLimits()) { event in
      events.withLock { $0.append(event) }
    }
    #expect(events.withLock { $0 }.contains(.cutTornTail(bytes: 5)))
    #expect(directory.names.count == 2)
    #expect(directory.names[0].hasSuffix("-000001.ndjson.lz4"))
    #expect(directory.names[1] == "draining-124.ndjson")
    let size = try claimed.status().size
    #expect(size == 15)
  }

  @Test(.timeLimit(.minutes(1)))
  func `a log that rotates under its own name loses nothing to one that looks for what was left behind`() throws {
    var file = SegmentFile(directory: directory.path)
    file.setAside(as: SegmentName.aside(process: 1))
    let store = SegmentStore(directory: directory.path)
    let isDone = Lock(false)
    let other = try Thread.start(name: "other") {
      while !isDone.withLock({ $0 }) {
        store.tidy(now: Clock.wall, limits: SegmentLimits(), report: { _ in }, shouldStop: { true })
      }
    }
    defer { other.join() }
    defer { isDone.withLock { $0 = true } }
    for number in 0..<4_000 {
      _ = try file.prepare(now: Clock.wall)
      let line = "{\"attempts\":\(number)}\n"
      let outcome = file.append(line.utf8Span.span, count: 1, now: Clock.wall)
      #expect(outcome.lines == 1)
      let name = SegmentName(rotatedAt: 1_795_380_593_000_000_000, number: 100_000 + number)
      try file.rotate(to: name)
      #expect(try directory.read(name.text) == line)
      try FileSystem.remove(directory[name.text])
    }
  }

  @Test func `a number that another process took is not taken again`() throws {
    var file = SegmentFile(directory: directory.path)
    _ = try file.prepare(now: 0)
    _ = file.append("{}\n".utf8Span.span, count: 1, now: 0)
    let name = SegmentName(rotatedAt: 1_795_380_593_000_000_000, number: 1)
    try directory.write("other", to: name.text)
    var failure: Errno?
    do throws(CallLogFailure) { try file.rotate(to: name) } catch { failure = error.errno }
    #expect(failure == .exists)
    #expect(try directory.read(name.text) == "other")
  }
}
