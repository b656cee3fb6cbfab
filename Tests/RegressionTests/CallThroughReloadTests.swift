import GatewayTesting
import Kernel
import Testing

/// A call that leased its connection after a reload had replaced the upstream ended the process.
@Suite struct CallThroughReloadTests {
  private func text(_ origin: Origin, queueTimeout: Int) -> String {
    """
    upstreams:
      u:
        targets: [ { url: "\(origin.url)" } ]
        connections: { maximum: 1, queue_timeout: \(queueTimeout)s }
    routes: { all: { match: /*, upstream: u } }
    """
  }

  @Test func `a call that waits for a connection goes on when its upstream is replaced`() throws {
    let gate = Lock(false)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        while !gate.withLock({ $0 }) { Pause.milliseconds(1) }
        try connection.answer(body: "\(connection.index)")
      }
    }
    defer { origin.stop() }
    try withGateway(text(origin, queueTimeout: 20)) { gateway in
      let first = try gateway.connect()
      try first.send("GET /first HTTP/1.1", ["Host: a.example"])
      _ = try origin.awaitRequests(1)
      let second = try gateway.connect()
      try second.send("GET /second HTTP/1.1", ["Host: a.example"])
      // Once a third one has an answer of the gateway's own, the second has been read too.
      let third = try gateway.connect()
      #expect(try third.get("/%00").status == 400)
      for timeout in 21...22 {
        let reloads = Self.reloads(gateway)
        try gateway.directory.write(
          RunningGateway.configuration(text(origin, queueTimeout: timeout)), to: "gateway.conf")
        gateway.process.signal(1)
        let isDone = Deadline.usual.poll { Self.reloads(gateway) > reloads }
        #expect(isDone)
        // The workers take over after the control thread: a connection made then is served by the new configuration.
        #expect(try gateway.get("/%00").status == 400)
      }
      gate.withLock { $0 = true }
      #expect(try first.response().text == "1")
      #expect(try second.response().text == "2")
      #expect(try first.get("/again").status == 200)
    }
  }

  private static func reloads(_ gateway: RunningGateway) -> Int {
    gateway.errors.split(separator: "\n").count { $0.contains("reload done") }
  }
}
