import GatewayTesting
import Testing

/// How calls ended was told wrongly by the call log and the metrics.
struct RecordedEndTests {
  private let text = """
    admin: "127.0.0.1:${ADMIN_PORT}"
    routes: { all: { match: /*, upstream: ORIGIN } }
    """

  private func metric(_ gateway: RunningGateway, _ start: String) throws -> [String] {
    try gateway.admin("/metrics").text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(start) }
  }

  @Test func `an answer that its target broke off is cancelled by the upstream`() throws {
    let origin = try Origin.sending("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", thenCloses: true)
    try withGateway(text, to: origin) { gateway in
      #expect(throws: WireError.self) { _ = try gateway.get("/") }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["cancelled"]?.string == "upstream")
      #expect(record["reason"]?.string == "upstream_truncated")
      #expect(record["bytes_out"]?.integer == 5)
      let seconds = try metric(gateway, "http_server_request_duration_seconds_count")
      #expect(seconds.count == 1)
      #expect(seconds[0].contains(#"error_type="upstream_truncated""#))
      let attempts = try metric(gateway, "http_client_request_duration_seconds_count")
      #expect(attempts.count == 1)
      #expect(attempts[0].contains(#"error_type="upstream_truncated""#))
    }
  }

  @Test func `an answer that the gateway makes for a target that is away is whole, and the connect is timed`() throws {
    // Whose queue is full: a connect to it is neither taken nor refused.
    let full = """
      import pathlib, socket, sys, time
      listener = socket.socket()
      listener.bind(("127.0.0.1", 0))
      listener.listen(0)
      waiting = [socket.socket() for _ in range(3)]
      for each in waiting:
          each.setblocking(False)
          each.connect_ex(listener.getsockname())
      pathlib.Path(sys.argv[1] + ".part").write_text(str(listener.getsockname()[1]))
      pathlib.Path(sys.argv[1] + ".part").rename(sys.argv[1])
      time.sleep(60)
      """
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(["/usr/bin/env", "python3", "-c", full, directory["port"]])
    defer { child.kill() }
    try #require(Deadline.usual.poll { (try? directory.read("port")) != nil })
    let text = """
      routes:
        refused: { match: /refused, upstream: "http://127.0.0.1:\(Ports.free())" }
        silent: { match: /silent, upstream: silent }
        hurried: { match: /hurried, upstream: patient, timeouts: { connect: 50ms } }
      upstreams:
        silent: { targets: "http://127.0.0.1:\(try directory.read("port"))", timeouts: { connect: 50ms } }
        patient: { targets: "http://127.0.0.1:\(try directory.read("port"))", timeouts: { connect: 10m } }
      """
    try withGateway(text) { gateway in
      for path in ["/refused", "/silent", "/hurried"] {
        let response = try gateway.get(path)
        #expect(response.status >= 500)
      }
      let records = try gateway.awaitRecords(3)
      #expect(records.map { $0["reason"]?.string } == ["connect_failed", "connect_timeout", "connect_timeout"])
      #expect(records.allSatisfy { $0["cancelled"] == nil })
      for record in records[1...] { #expect(try #require(record["connect_us"]?.integer) >= 50_000) }
    }
  }

  @Test func `only tries that were made count as retries`() throws {
    let origin = try Origin { connection in
      _ = try connection.request()
      connection.reset()
    }
    try withGateway(text, to: origin) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 502)
      #expect(try gateway.awaitRecords(1)[0]["attempts"]?.integer == 1)
      #expect(try gateway.metric("sluice_upstream_retries_total") == nil)
    }
  }

  @Test func `what does not apply is absent from the record`() throws {
    let origin = try Origin.ok()
    var plan = RunningGateway.Plan()
    plan.callLog = #"{ path: "${DIRECTORY}/calls", headers: { request: [user-agent], response: [x-absent] } }"#
    try withGateway(text, to: origin, plan) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.0", [])
      #expect(try client.response().status == 200)
      let record = try gateway.awaitRecords(1)[0]
      for key in ["host", "bytes_in", "request_headers", "response_headers"] { #expect(record[key] == nil, "\(key)") }
    }
  }

  @Test func `a host is one name however a client spells it`() throws {
    let origin = try Origin.ok()
    try withGateway(text, to: origin) { gateway in
      let response = try gateway.connect().get("/", host: "A.Example:80")
      #expect(response.status == 200)
      #expect(try gateway.awaitRecords(1)[0]["host"]?.string == "a.example")
    }
  }

  @Test func `requests in flight are counted by method`() throws {
    let origin = try Origin.ok()
    try withGateway(text, to: origin) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 200)
      let active = try metric(gateway, "http_server_active_requests")
      #expect(active.contains { $0.contains(#"http_request_method="GET""#) && $0.hasSuffix(" 0") })
    }
  }

  @Test func `a target cannot say whose fault its answer is`() throws {
    let origin = try Origin.sending(
      "HTTP/1.1 502 Bad Gateway\r\nX-Fault: client\r\nContent-Length: 0\r\n\r\n", thenCloses: false)
    try withGateway(text, to: origin) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 502)
      #expect(response["X-Fault"] == nil)
    }
  }
}
