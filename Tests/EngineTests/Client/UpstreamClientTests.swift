import Configuration
import GatewayTesting
import Kernel
import PluginKit
import Runtime
import Testing

@testable import Engine

@Suite struct UpstreamClientTests {
  private static let get = ClientRequest(upstream: "u", target: "/keys?a=b")

  /// What a call to one origin with this script gives.
  private func call(
    _ request: ClientRequest = get, _ change: (inout UpstreamSettings) -> Void = { _ in },
    _ script: @escaping Origin.Script
  ) async throws -> Result<ClientResponse, Reason> {
    let origin = try Origin(script)
    defer { origin.stop() }
    let calling = try Calling([origin], change)
    defer { calling.stop() }
    let result = await calling.send(request)
    let connections = await calling.connections()
    #expect(connections.inFlight == 0)
    #expect(connections.open == connections.idle)
    return result
  }

  @Test func `a call arrives as it was said, and the response comes back whole`() async throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.answer("201 Created", ["X-Key: one", "x-key: two"], body: "made")
      }
    }
    defer { origin.stop() }
    let calling = try Calling([origin])
    defer { calling.stop() }
    let request = ClientRequest(
      method: "POST", upstream: "u", target: "/keys?a=b", headers: [("Accept", "text/plain"), ("x-a", "1")],
      body: Array("hello".utf8))
    for _ in 1...3 {
      let response = try await calling.send(request).get()
      #expect(response.status == 201)
      #expect(response.body == Array("made".utf8))
      #expect(response.header("X-KEY") == "one")
      #expect(response.headers.map(\.name) == ["Content-Length", "X-Key", "x-key"])
    }
    let seen = try #require(origin.requests.first)
    #expect(seen.startLine == "POST /keys?a=b HTTP/1.1")
    #expect(
      seen.fields.map { "\($0.name): \($0.value)" } == [
        "Host: \(origin.address)", "User-Agent: sluice", "Accept: text/plain", "x-a: 1", "Content-Length: 5",
      ])
    #expect(seen.text == "hello")
    // One after the other over one connection.
    #expect(origin.requests.count == 3)
    #expect(origin.accepted == 1, "\(origin.requests.map(\.startLine)) \(origin.failures)")
  }

  @Test func `what a caller says of host and agent holds`() async throws {
    let origin = try Origin.ok()
    defer { origin.stop() }
    let calling = try Calling([origin])
    defer { calling.stop() }
    var request = Self.get
    request.headers = [("host", "keys.example"), ("user-agent", "probe")]
    _ = try await calling.send(request).get()
    #expect(origin.requests[0].fields.map { "\($0.name): \($0.value)" } == ["host: keys.example", "user-agent: probe"])
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 5\r\n\r\n", "hello"),
    ("HTTP/1.0 200 OK\r\n\r\nhello", "hello"),
    (
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\n.",
      "."
    ),
    ("HTTP/1.1 204 No Content\r\n\r\n", ""),
  ])
  func `every framing is read, at once and byte by byte`(answer: String, body: String) async throws {
    for pause in [false, true] {
      let result = try await call { connection in
        _ = try connection.request()
        if !pause { return try connection.send(answer) }
        for byte in answer.utf8 { try connection.send([byte]) }
      }
      #expect(try result.get().body == Array(body.utf8))
    }
  }

  @Test func `HEAD has a length and no body`() async throws {
    var request = Self.get
    request.method = "HEAD"
    let result = try await call(request) { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
      connection.awaitEnd()
    }
    #expect(try result.get().body.isEmpty)
    #expect(try result.get().header("content-length") == "500")
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789.", "answer_too_large"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789.\r\n0\r\n\r\n", "answer_too_large"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "upstream_truncated"),
    ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "invalid_content_length"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "invalid_chunk_size"),
    ("HTTP/1.1 200 OK\r\nX: 1", "upstream_reset"),
    ("", "upstream_reset"),
    (String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 20), "too_many_1xx"),
  ])
  func `an answer that is no good is a fault`(answer: String, reason: String) async throws {
    var request = Self.get
    request.largestResponse = 10
    let result = try await call(request, { $0.retries.maximum = 0 }) { connection in
      _ = try connection.request()
      try connection.send(answer)
    }
    #expect(result.failure == Reason(reason))
  }

  @Test func `silence ends with the timeout that it breaks`() async throws {
    let silent: Origin.Script = { connection in connection.awaitEnd() }
    var hurried = Self.get
    hurried.timeout = 50_000_000
    #expect(try await call(hurried, { _ in }, silent).failure == "total_timeout")
    #expect(
      try await call(Self.get, { $0.timeouts.firstByte = 50_000_000 }, silent).failure == "first_byte_timeout")
    let result = try await call(Self.get, { $0.timeouts.idle = 50_000_000 }) { connection in
      _ = try connection.request()
      try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
      connection.awaitEnd()
    }
    #expect(result.failure == "idle_timeout")
  }

  @Test func `a target that is gone is ejected and the call goes on to the other`() async throws {
    let origin = try Origin.ok("here")
    defer { origin.stop() }
    let missing = Ports.loopback(Ports.free())
    let calling = try Calling([missing, .unix(path: "/nowhere/at-all"), origin.address])
    defer { calling.stop() }
    for _ in 1...8 { #expect(try await calling.send(Self.get).get().body == Array("here".utf8)) }
    let out = calling.upstream.targets.targets.filter { !$0.health.isHealthy }
    #expect(Set(out.map(\.address)) == [missing, .unix(path: "/nowhere/at-all")])
  }

  @Test func `a reset before the answer is tried on the other target where the method allows it`() async throws {
    let bad = try Origin { connection in
      _ = try connection.request()
      connection.reset()
    }
    defer { bad.stop() }
    let good = try Origin.ok("here")
    defer { good.stop() }
    for method in ["GET", "PUT", "POST"] {
      let calling = try Calling([bad, good])
      defer { calling.stop() }
      var request = Self.get
      request.method = method
      var results: [Result<ClientResponse, Reason>] = []
      for _ in 1...4 { results.append(await calling.send(request)) }
      let failures = results.compactMap(\.failure)
      #expect(failures == (method == "POST" ? ["upstream_reset"] : []))
    }
  }

  @Test func `a resting connection that was closed is replaced unseen`() async throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      try connection.answer(body: "\(connection.index)")
      // The next request meets a closed door, or finds it closing.
    }
    defer { origin.stop() }
    let calling = try Calling([origin]) { $0.retries.maximum = 0 }
    defer { calling.stop() }
    for index in 1...20 { #expect(try await calling.send(Self.get).get().body == Array("\(index)".utf8)) }
    #expect(calling.upstream.targets.targets[0].health.isHealthy)
  }

  @Test func `an answer that retries do not mend is the answer`() async throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer("503 Busy", body: "busy") }
    }
    defer { origin.stop() }
    let good = try Origin.ok("here")
    defer { good.stop() }
    let alone = try Calling([origin]) { $0.retries.statuses = [503] }
    defer { alone.stop() }
    let answer = try await alone.send(Self.get).get()
    #expect(answer.status == 503 && answer.body == Array("busy".utf8))
    let pair = try Calling([origin, good]) { $0.retries.statuses = [503] }
    defer { pair.stop() }
    for _ in 1...4 { #expect(try await pair.send(Self.get).get().status == 200) }
    let strict = try Calling([origin, good])
    defer { strict.stop() }
    var statuses: [Int] = []
    for _ in 1...4 { statuses.append(try await strict.send(Self.get).get().status) }
    #expect(statuses.sorted() == [200, 200, 503, 503])
  }

  @Test func `calls wait for a connection, and no longer than they may`() async throws {
    let gate = Lock(false)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        for _ in 0..<5_000 where !gate.withLock({ $0 }) { Pause.milliseconds(1) }
        try connection.answer()
      }
    }
    defer {
      gate.withLock { $0 = true }
      origin.stop()
    }
    let calling = try Calling([origin]) {
      $0.connections.maximum = 1
      $0.connections.queueTimeout = 50_000_000
    }
    defer { calling.stop() }
    async let first = calling.send(Self.get)
    // Waited for without a thread: the call needs one, and the pool may have only two.
    for _ in 0..<2_500 where origin.requests.isEmpty { try await Task.sleep(nanoseconds: 2_000_000) }
    #expect(await calling.send(Self.get).failure == "queue_timeout")
    async let second = calling.send(Self.get)
    gate.withLock { $0 = true }
    #expect(try await first.get().status == 200)
    #expect(try await second.get().status == 200)
    #expect(origin.accepted == 1)
  }

  @Test(arguments: [
    ClientRequest(method: "GET /x HTTP/1.1\r\nA:", upstream: "u", target: "/"),
    ClientRequest(method: "", upstream: "u", target: "/"), ClientRequest(method: "CONNECT", upstream: "u", target: "/"),
    ClientRequest(upstream: "u", target: ""), ClientRequest(upstream: "u", target: "http://elsewhere/"),
    ClientRequest(upstream: "u", target: "/a b"), ClientRequest(upstream: "u", target: "/\r\nX: 1"),
    ClientRequest(upstream: "u", target: "/", headers: [("X", "1\r\nY: 2")]),
    ClientRequest(upstream: "u", target: "/", headers: [("X Y", "1")]),
    ClientRequest(upstream: "u", target: "/", headers: [("content-length", "7")]),
    ClientRequest(upstream: "u", target: "/", headers: [("Transfer-Encoding", "chunked")]),
  ])
  func `a call that could break out of its request is refused`(request: ClientRequest) async throws {
    let calling = try Calling([Ports.loopback(Ports.free())])
    defer { calling.stop() }
    #expect(await calling.send(request).failure == "malformed_call")
    #expect(await calling.connections().open == 0)
  }

  @Test func `an upstream that is not configured is a fault`() async throws {
    let calling = try Calling([Ports.loopback(Ports.free())])
    defer { calling.stop() }
    #expect(await calling.send(ClientRequest(upstream: "v", target: "/")).failure == "unknown_upstream")
    #expect(await calling.send(Self.get).failure == "connect_failed")
  }
}
