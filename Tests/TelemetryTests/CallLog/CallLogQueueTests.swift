import GatewayTesting
import Kernel
import Testing

@testable import Telemetry

@Suite struct CallLogQueueTests {
  private let time = 1_795_380_593_123_456_789

  @Test func `a line holds its fields in the order they were appended`() throws {
    let line = try line {
      $0.append(.requestID, text: "r-1" as String)
      $0.append(.method, "GET".utf8Span.span)
      $0.append(.status, integer: 200)
      $0.append(.fault, text: "upstream")
      $0.append(.total, microseconds: 1_999)
      $0.append(.queue, microseconds: -5)
      $0.beginHeaders(.requestHeaders)
      $0.header(name: "user-agent".utf8Span.span, value: "curl \"8\"".utf8Span.span)
      $0.header(name: "accept".utf8Span.span, value: "".utf8Span.span)
      $0.endHeaders()
      $0.beginHeaders(.responseHeaders)
      $0.endHeaders()
    }
    #expect(
      line == #"{"time":"2026-11-22T20:49:53.123456Z","request_id":"r-1","method":"GET","status":200,"#
        + #""fault":"upstream","total_us":1,"queue_us":0,"request_headers":{"user-agent":"curl \"8\"","accept":""}}"#
        + "\n")
  }

  @Test func `decisions are an array, absent without any`() throws {
    let line = try line {
      $0.beginDecisions()
      $0.decision(plugin: "jwt", verdict: "pass", microseconds: 12_999)
      $0.decision(plugin: "rate_limit", verdict: "refuse", microseconds: -1)
      $0.endDecisions()
    }
    #expect(
      line == #"{"time":"2026-11-22T20:49:53.123456Z","decisions":[{"plugin":"jwt","verdict":"pass","us":12},"#
        + #"{"plugin":"rate_limit","verdict":"refuse","us":0}]}"# + "\n")
    let none = try self.line {
      $0.beginDecisions()
      $0.endDecisions()
    }
    #expect(try JSONValue(parsing: none)["decisions"] == nil)
  }

  @Test func `every field has a key of its own and JSON of any bytes`() throws {
    let bytes = (0...255).map { UInt8($0) }
    let fields = CallField.allCases.filter { $0 != .time && $0 != .truncated }
    // A line has a length that it may have: not all of them fit into one.
    for part in [fields.prefix(fields.count / 2), fields.dropFirst(fields.count / 2)] {
      let line = try line(chunkSize: 128 << 10) { queue in
        for field in part { queue.append(field, bytes.span) }
      }
      let value = try JSONValue(parsing: line)
      #expect(value.keys == ["time"] + part.map { $0.key.description })
      for field in part { #expect(value[field.key.description]?.string == String(decoding: bytes, as: UTF8.self)) }
    }
    #expect(Set(fields.map { $0.key.description }).count == fields.count)
  }

  @Test(arguments: 0..<4)
  func `a value that is too long is cut between two characters and counted`(shift: Int) throws {
    let text = String(repeating: "a", count: shift) + String(repeating: "🚲", count: 100)
    let line = try line(chunkSize: 4096) { $0.append(.path, text: text) }
    let value = try JSONValue(parsing: line)
    #expect(
      value["path"]?.string
        == String(repeating: "a", count: shift) + String(repeating: "🚲", count: (128 - shift) / 4)
        + "…")
    #expect(value["truncated"]?.integer == 1)
  }

  @Test func `a line stays within a quarter of a chunk, whatever headers there are`() throws {
    let control = [UInt8](repeating: 1, count: 3_000)
    let line = try line(chunkSize: 8192) { queue in
      queue.append(.path, control.span)
      queue.append(.query, control.span)
      queue.beginHeaders(.requestHeaders)
      for _ in 0..<100 { queue.header(name: "x".utf8Span.span, value: control.span) }
      queue.endHeaders()
      queue.append(.status, integer: 500)
    }
    #expect(line.utf8.count < 8192 / 4 + 256)
    let dropped = try #require(try JSONValue(parsing: line)["truncated"]?.integer)
    #expect(dropped == 102)
  }

  @Test func `the time of each line is its own although the second is rendered once`() throws {
    let moments = [time, time + 1_000, time + 999_999_999, time - 1_000_000_000]
    let exchange = CallLogExchange(chunkSize: 4096, chunksPerQueue: 2)
    let queue = CallLogQueue(exchange)
    for moment in moments {
      queue.begin(time: moment)
      queue.end()
    }
    queue.close()
    let lines = try exchange.drain().text.split(separator: "\n").map { try JSONValue(parsing: $0)["time"]?.string }
    #expect(
      lines == [
        "2026-11-22T20:49:53.123456Z", "2026-11-22T20:49:53.123457Z", "2026-11-22T20:49:54.123456Z",
        "2026-11-22T20:49:52.123456Z",
      ])
  }

  @Test func `without an empty chunk lines are dropped and counted until there is one`() throws {
    let exchange = CallLogExchange(chunkSize: 4096, chunksPerQueue: 2)
    let queue = CallLogQueue(exchange)
    let produced = 500
    for number in 0..<produced {
      queue.begin(time: time)
      queue.append(.attempts, integer: number)
      queue.end()
    }
    let first = exchange.drain()
    #expect(exchange.tally().produced == produced)
    #expect(exchange.tally().dropped > 0)
    queue.begin(time: time)
    queue.append(.attempts, integer: produced)
    queue.end()
    queue.close()
    let second = exchange.drain()
    #expect(first.lines + second.lines + exchange.tally().dropped == produced + 1)
    let numbers = try (first.text + second.text).split(separator: "\n").map { line in
      try #require(try JSONValue(parsing: line)["attempts"]?.integer)
    }
    #expect(numbers == numbers.sorted())
    #expect(numbers.last == produced)
  }

  @Test func `a closed queue drops and counts, and loses the line that was open`() {
    let exchange = CallLogExchange(chunkSize: 4096, chunksPerQueue: 2)
    let queue = CallLogQueue(exchange)
    queue.begin(time: time)
    queue.end()
    queue.begin(time: time)
    queue.close()
    queue.begin(time: time)
    queue.append(.status, integer: 200)
    queue.end()
    queue.flush()
    #expect(exchange.drain().lines == 1)
    #expect(exchange.tally() == (2, 1))
  }

  @Test func `flush hands over whole lines only and nothing when there is none`() {
    let exchange = CallLogExchange(chunkSize: 4096, chunksPerQueue: 2)
    let queue = CallLogQueue(exchange)
    #expect(!queue.needsFlush)
    queue.flush()
    queue.begin(time: time)
    #expect(!queue.needsFlush)
    queue.flush()
    queue.end()
    #expect(queue.needsFlush)
    #expect(exchange.drain().lines == 0)
    queue.flush()
    #expect(!queue.needsFlush)
    #expect(exchange.drain().lines == 1)
  }

  /// One line through a queue of its own.
  private func line(chunkSize: Int = 4096, _ body: (CallLogQueue) -> Void) throws -> String {
    let exchange = CallLogExchange(chunkSize: chunkSize, chunksPerQueue: 2)
    let queue = CallLogQueue(exchange)
    queue.begin(time: time)
    body(queue)
    queue.end()
    queue.close()
    return exchange.drain().text
  }
}

extension CallLogExchange {
  /// Takes everything out, as the writer would.
  func drain() -> (text: String, lines: Int) {
    monitor.withLock { state in
      var text = ""
      var lines = 0
      while var chunk = state.full.pop() {
        text += String(copying: chunk.buffer)
        lines += chunk.lines
        chunk.removeAll()
        state.giveBack(chunk)
      }
      return (text, lines)
    }
  }
}
