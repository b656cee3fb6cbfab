import GatewayTesting
import Kernel
import Logging
import Testing

@testable import Telemetry

@Suite struct ProcessLogTests {
  private let written = Lock("")

  @Test func `an entry is one JSON object with its metadata`() throws {
    let log = log(.json)
    var logger = log.logger("engine")
    logger[metadataKey: "upstream"] = "api"
    logger.warning(
      "target \"a\" is out\n", metadata: ["failures": .stringConvertible(3), "time": "x", "list": ["a", ["b": "c"]]])
    let text = written.withLock { $0 }
    #expect(
      text == #"{"time":"2026-11-22T20:49:53.123456Z","level":"warning","logger":"engine","#
        + #""message":"target \"a\" is out\n","failures":3,"list":["a",{"b":"c"}],"metadata.time":"x","upstream":"api"}"#
        + "\n")
    _ = try JSONValue(parsing: text)
  }

  @Test func `an entry is a line for people on a terminal`() {
    let log = log(.text)
    log.logger("engine").error("no room\u{1b}[31m", metadata: ["path": "/a b", "n": "1", "empty": ""])
    #expect(written.withLock { $0 } == "20:49:53.123 ERROR   no room\u{FFFD}[31m  empty=\"\"  n=1  path=\"/a b\"\n")
  }

  @Test func `levels below the log's own are not written, and the log's own can change`() {
    let log = log(.text)
    let logger = log.logger("engine")
    logger.debug("one")
    log.level = .debug
    logger.debug("two")
    log.level = .error
    logger.warning("three")
    #expect(written.withLock { $0 } == "20:49:53.123 DEBUG   two\n")
  }

  @Test func `through the thread every line arrives in order`() {
    let log = log(.text)
    log.start()
    let logger = log.logger("engine")
    for number in 0..<500 { logger.info("line \(number)") }
    log.stop()
    let lines = written.withLock { $0 }.split(separator: "\n")
    #expect(lines == (0..<500).map { "20:49:53.123 INFO    line \($0)" })
    logger.info("after the end")
    #expect(written.withLock { $0 }.hasSuffix("after the end\n"))
  }

  @Test func `a reader that is too slow costs lines and says how many`() {
    let gate = Monitor(false)
    let log = ProcessLog(format: .text, clock: { 0 }, capacity: 100) { [written] bytes in
      _ = gate.wait { $0 ? true : nil }
      let text = String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
      written.withLock { $0 += text }
    }
    log.start()
    let logger = log.logger("engine")
    for number in 0..<100 { logger.info("line \(number)") }
    gate.withLock { $0 = true }
    gate.broadcast()
    log.stop()
    let lines = written.withLock { $0 }.split(separator: "\n")
    let kept = lines.count { $0.contains("INFO") }
    let dropped = lines.compactMap { $0.contains("lines=") ? Int($0.split(separator: "=")[1]) : nil }
    #expect(kept < 100)
    #expect(kept + dropped.reduce(0, +) == 100)
  }

  @Test func `the banner is a few lines on a terminal and entries elsewhere`() throws {
    let banner = StartBanner(
      version: "0.1.0", configuration: "/etc/sluice/gateway.conf", workers: 2,
      listeners: [("public", "http://127.0.0.1:8080"), ("tls", "https://127.0.0.1:8443")],
      admin: "http://127.0.0.1:9900")
    #expect(
      banner.text == """
        Sluice 0.1.0
          config   /etc/sluice/gateway.conf
          workers  2
          public   http://127.0.0.1:8080
          tls      https://127.0.0.1:8443
          admin    http://127.0.0.1:9900

        """)
    banner.write(to: log(.json))
    let entries = try written.withLock { $0 }.split(separator: "\n").map { try JSONValue(parsing: $0) }
    #expect(entries.map { $0["message"]?.string } == ["started", "listening", "listening"])
    #expect(entries.first?["workers"]?.integer == 2)
  }

  private func log(_ format: ProcessLog.Format) -> ProcessLog {
    ProcessLog(format: format, clock: { 1_795_380_593_123_456_789 }) { [written] bytes in
      let text = String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
      written.withLock { $0 += text }
    }
  }
}
