import GatewayTesting
import Kernel
import Testing

@testable import Telemetry

@Suite struct CallLogTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test(.enabled(if: Shell.has("lz4cat"), "the tool lz4cat is not installed"))
  func `lines of several workers are all there, over many segments, in each worker's order`() throws {
    let log = try CallLog(
      CallLogOptions(
        .directory(directory.path), limits: SegmentLimits(segmentSize: 40_000), chunkSize: 4096, chunksPerQueue: 64))
    let threads = try (0..<2).map { worker in
      try Thread.start(name: "worker") {
        let queue = log.makeQueue()
        for number in 0..<5_000 {
          queue.begin(time: Clock.wall)
          queue.append(.listener, integer: worker)
          queue.append(.attempts, integer: number)
          queue.end()
          if number % 97 == 0 { queue.flush() }
        }
        queue.close()
      }
    }
    for thread in threads { thread.join() }
    #expect(log.stop())
    let counters = log.counters
    #expect(counters.produced == 10_000)
    #expect(counters.written + counters.dropped == 10_000)
    #expect(counters.rotated > 0)

    SegmentStore(directory: directory.path).tidy(now: Clock.wall, limits: SegmentLimits(), report: { _ in })
    Shell.run("cd \(directory.path) && (lz4cat calls-*.lz4; cat current.ndjson) > all")
    let text = try directory.read("all")
    #expect(text.utf8.count == counters.bytes)
    var last = [-1, -1]
    var count = 0
    for line in text.split(separator: "\n") {
      let value = try JSONValue(parsing: line)
      let worker = try #require(value["listener"]?.integer)
      let number = try #require(value["attempts"]?.integer)
      #expect(number > last[worker])
      last[worker] = number
      count += 1
    }
    #expect(count == counters.written)
  }

  @Test(.enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
  func `a full disk drops and counts lines, says so once, and is used again`() throws {
    let disk = try SmallDisk(kilobytes: 64)
    let events = Lock<[CallLogEvent]>([])
    let log = try CallLog(
      CallLogOptions(.directory(disk.path), chunkSize: 4096), events: { event in events.withLock { $0.append(event) } })
    let queue = log.makeQueue()
    for _ in 0..<40 {
      write(50, to: queue)
      settle(log, queue)
    }
    #expect(log.counters.dropped > 0)
    #expect(log.counters.errors > 0)
    let kept = log.counters.written
    let current = disk.path + "/current.ndjson"
    let lines = try TemporaryDirectory.contents(of: current).split(separator: "\n")
    #expect(lines.count == kept)
    for line in lines { _ = try JSONValue(parsing: line) }

    // The operator makes room.
    try File(current, .append).truncate(to: 0)
    try FileSystem.remove(current)
    write(10, to: queue)
    settle(log, queue)
    #expect(log.counters.written == kept + 10)
    queue.close()
    log.stop()
    #expect(log.counters.produced == 2_010)
    #expect(log.counters.written + log.counters.dropped == 2_010)
    let told = events.withLock { $0 }
    #expect(told == [.failing(operation: "write \(current)", reason: Errno.noSpace.description), .recovered])
  }

  @Test func `a directory that vanishes is made again`() throws {
    let log = try CallLog(CallLogOptions(.directory(directory["calls"]), chunkSize: 4096))
    let queue = log.makeQueue()
    write(1, to: queue)
    settle(log, queue)
    try TemporaryDirectory.remove(directory["calls"])
    write(1, to: queue)
    queue.close()
    log.stop()
    #expect(try directory.read("calls/current.ndjson").split(separator: "\n").count == 1)
    #expect(log.counters.written == 2)
  }

  @Test func `rotation and reopening on request`() throws {
    let log = try CallLog(CallLogOptions(.directory(directory.path)))
    let queue = log.makeQueue()
    write(1, to: queue)
    settle(log, queue)
    log.rotate()
    while log.counters.rotated == 0 { Thread.yield() }
    write(1, to: queue)
    settle(log, queue)
    try FileSystem.rename(directory["current.ndjson"], to: directory["moved"])
    log.reopen()
    write(1, to: queue)
    queue.close()
    log.stop()
    #expect(try directory.read("moved").split(separator: "\n").count == 1)
    #expect(try directory.read("current.ndjson").split(separator: "\n").count == 1)
    #expect(directory.names.contains { $0.hasPrefix("calls-") })
  }

  @Test func `a segment goes by age while nothing is written`() throws {
    let log = try CallLog(
      CallLogOptions(.directory(directory.path), limits: SegmentLimits(segmentAge: 20_000_000)))
    let queue = log.makeQueue()
    write(1, to: queue)
    queue.flush()
    while log.counters.rotated == 0 { Thread.yield() }
    queue.close()
    log.stop()
    #expect(log.counters.rotated == 1)
  }

  @Test func `a directory that cannot be written is an error at start`() throws {
    try directory.write("", to: "file")
    #expect(throws: CallLogFailure.self) { try CallLog(CallLogOptions(.directory(directory["file"]))) }
  }

  @Test func `what is not handed over when the log stops is dropped and counted`() throws {
    let log = try CallLog(CallLogOptions(.directory(directory.path)))
    let queue = log.makeQueue()
    write(3, to: queue)
    log.stop()
    queue.close()
    #expect(log.counters == CallLogCounters(produced: 3, dropped: 3))
  }

  private func write(_ count: Int, to queue: CallLogQueue) {
    for number in 0..<count {
      queue.begin(time: Clock.wall)
      queue.append(.attempts, integer: number)
      queue.append(.path, text: "/a/path/of/some/length/that/fills/the/disk")
      queue.end()
    }
  }

  /// Hands everything over and waits until the writer has dealt with it.
  private func settle(_ log: CallLog, _ queue: CallLogQueue) {
    while queue.needsFlush { queue.flush() }
    while log.counters.written + log.counters.dropped < log.counters.produced { Thread.yield() }
  }
}
