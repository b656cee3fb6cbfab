import GatewayTesting
import Kernel
import Testing

/// A shared store that is killed, stopped or slow while many ask: nobody waits longer than its time, what is answered
/// is what the configuration says, and the store is used again once it is well, without anybody's help.
struct StoreOutageTests {
  enum Harm: String, Sendable, CaseIterable { case killed, stopped, slow }

  private func text(_ port: Int, _ outage: String) -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    stores: { shared: { url: "redis://127.0.0.1:\(port)", timeout: 100ms, unavailable: \(outage) } }
    routes:
      all: { match: /*, plugins: [{ rate_limit: { rate: 1000000/s, key: header.x-user, store: shared } }], respond: 200 }
    """
  }

  /// How many calls of the store ended so far in one of these ways.
  private func calls(_ gateway: RunningGateway, _ outcomes: [String]) throws -> Int {
    try gateway.admin("/metrics").text.split(separator: "\n").reduce(0) { sum, line in
      let isMeant = outcomes.contains { line.hasPrefix(#"sluice_store_calls_total{store="shared",outcome="\#($0)"}"#) }
      return isMeant ? sum + (line.split(separator: " ").last.flatMap { Int($0) } ?? 0) : sum
    }
  }

  @Test(arguments: Harm.allCases, ["local", "refuse"])
  func `under load nobody waits for a store that is killed, stopped or slow`(harm: Harm, outage: String) throws {
    let redis = try RedisServer()
    let proxy = try DelayingProxy(to: redis.port)
    defer { proxy.stop() }
    try withGateway(text(proxy.port, outage)) { gateway in
      let isUsed = try Deadline.usual.poll {
        _ = try gateway.get("/")
        return try calls(gateway, ["ok"]) > 0
      }
      #expect(isUsed)
      let load = try Load(clients: 8, port: gateway.port)
      #expect(load.pass(100))

      switch harm {
      case .killed: redis.process.kill()
      case .stopped: redis.process.freeze()
      case .slow: proxy.isSlow.withLock { $0 = true }
      }
      let isNoticed = try Deadline.usual.poll { try calls(gateway, ["away", "timeout"]) > 0 }
      #expect(isNoticed)
      #expect(load.pass(400))
      #expect(try gateway.get("/").status == (outage == "local" ? 200 : 503))

      switch harm {
      case .killed: try redis.restart()
      case .stopped: redis.process.thaw()
      case .slow: proxy.isSlow.withLock { $0 = false }
      }
      let answered = try calls(gateway, ["ok"])
      let isBack = try Deadline.usual.poll { try calls(gateway, ["ok"]) > answered + 10 }
      #expect(isBack)
      #expect(load.pass(100))

      let outcome = load.finish()
      #expect(outcome.failures == [])
      #expect(Set(outcome.answers.keys) == (outage == "local" ? [200] : [200, 503]))
      // Far more than the store's 100 ms, and far less than a wait without an end.
      let longest = try gateway.awaitRecords(outcome.count).compactMap { $0["total_us"]?.integer }.max() ?? 0
      #expect(longest < 5_000_000, "\(longest)")
    }
  }
}

/// Stands before a server and passes octets both ways, late when it is told to.
private final class DelayingProxy: Sendable {
  let isSlow = Lock(false)
  private let origin: Origin

  init(to port: Int) throws {
    let isSlow = isSlow
    origin = try Origin { connection in
      let server = try ByteStream(to: Ports.loopback(port))
      let client = connection.stream
      let back = try Thread.start(name: "delay") {
        while let bytes = try? server.read(until: .after(seconds: 3600)), !bytes.isEmpty {
          // Longer than any answer is waited for.
          if isSlow.withLock({ $0 }) { Pause.milliseconds(300) }
          if (try? client.write(bytes)) == nil { break }
        }
        client.interrupt()
      }
      while let bytes = try? client.read(until: .after(seconds: 3600)), !bytes.isEmpty {
        if (try? server.write(bytes)) == nil { break }
      }
      server.interrupt()
      back.join()
    }
  }

  var port: Int { origin.port }
  func stop() { origin.stop() }
}
