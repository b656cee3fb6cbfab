import GatewayTesting
import Kernel
import Runtime
import Testing

@testable import Engine

@Suite struct ProbeCallTests {
  /// What a probe of an origin with this script finds.
  private func probe(
    timeout: Int = 5_000_000_000, _ script: @escaping Origin.Script
  ) async throws -> ProbeOutcome {
    let origin = try Origin(script)
    defer { origin.stop() }
    return try await probe(origin.address, path: "/", timeout: timeout)
  }

  private func probe(_ address: SocketAddress, path: String?, timeout: Int) async throws -> ProbeOutcome {
    let thread = try LoopThread()
    let set = TargetSet([TargetEntry(name: "t", addresses: [address])], limits: nil)
    let outcome: ProbeOutcome = await withCheckedContinuation { continuation in
      let loop = thread.loop
      loop.post {
        let call = ProbeCall(loop, timeout: timeout)
        loop.start((call, BufferPool(blockSize: 4096, keep: 1))) { (call, buffers) in
          continuation.resume(returning: await call.run(set.targets[0], path: path, buffers: buffers))
        }
      }
    }
    thread.stop()
    return outcome
  }

  @Test(arguments: [
    (200, true), (204, true), (299, true), (302, true), (399, true), (400, false), (404, false), (500, false),
  ])
  func `a status of 200 to 399 is good`(status: Int, isGood: Bool) async throws {
    let outcome = try await probe { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 \(status) Whatever\r\n\r\n")
    }
    #expect(outcome == (isGood ? .good : .bad("answered with status \(status)")))
  }

  @Test func `an answer may come byte by byte, after interim ones`() async throws {
    let outcome = try await probe { connection in
      _ = try connection.request()
      for byte in "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" {
        try connection.send(String(byte))

      }
    }
    #expect(outcome == .good)
  }

  @Test func `what is no HTTP is bad`() async throws {
    let outcome = try await probe { connection in
      _ = try connection.request()
      try connection.send("220 mail.example ESMTP\r\n")
      connection.awaitEnd()
    }
    guard case .bad(let why) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(why.hasPrefix("answered what is no HTTP: "))
  }

  @Test func `a head without end is bad`() async throws {
    let outcome = try await probe { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200 OK\r\n" + String(repeating: "X-Fill: 0123456789abcdef\r\n", count: 1000))
      connection.awaitEnd()
    }
    #expect(outcome != .good)
  }

  @Test func `a connection that is closed or reset before the answer is bad`() async throws {
    let closed = try await probe { connection in _ = try connection.request() }
    let reset = try await probe { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200")
      connection.reset()
    }
    #expect(closed == .bad("closed the connection before it answered"))
    #expect(reset == closed)
  }

  @Test func `silence is bad once the time is over`() async throws {
    let outcome = try await probe(timeout: 50_000_000) { connection in
      connection.awaitEnd()
    }
    #expect(outcome == .bad("did not answer in time"))
  }

  @Test func `a port that nobody listens on is bad, with a path and without`() async throws {
    let address = Ports.loopback(Ports.free())
    for path in ["/", nil] {
      #expect(try await probe(address, path: path, timeout: 5_000_000_000) == .bad("refuses connections"))
    }
  }

  @Test func `a Unix socket that is not there is bad`() async throws {
    let outcome = try await probe(.unix(path: "/nowhere/at-all"), path: nil, timeout: 5_000_000_000)
    #expect(outcome == .bad("cannot be reached: connect: No such file or directory"))
  }
}
