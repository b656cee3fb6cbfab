import GatewayTesting
import Testing

/// A gateway that has more to do than it can.
struct OverloadTests {
  @Test func `background is refused under pressure, and everything is served once it is over`() throws {
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      overload: { queue_delay: 1us, interval: 20ms }
      routes:
        normal: { match: /*, respond: 200 }
        later: { match: /later, priority: background, respond: 200 }
        now: { match: /now, priority: critical, respond: 200 }
      """
    try withGateway(text) { gateway in
      // Any queue at all is too long here, and clients that ask without rest make one.
      let load = try Load(clients: 32, port: gateway.port)
      let client = try gateway.connect()
      var refused: WireMessage?
      let isShedding = try Deadline.usual.poll {
        let answer = try client.get("/later")
        if answer.status == 503 { refused = answer }
        return refused != nil
      }
      #expect(isShedding)
      #expect(refused?["X-Fault"] == "gateway")
      #expect(refused?["Retry-After"] == "1")
      #expect(refused?.text.contains("\"code\":\"overloaded\"") == true)
      _ = load.finish()
      let isOver = try Deadline.usual.poll {
        try ["/later", "/x", "/now"].allSatisfy { try client.get($0).status == 200 }
      }
      #expect(isOver)
      #expect(try gateway.metric("sluice_shed_requests_total") ?? 0 > 0)
    }
  }

  @Test func `nothing is refused by default, nor when it is turned off`() throws {
    for overload in ["", "overload: { shed: false, queue_delay: 1us, interval: 1ms }"] {
      let text = "\(overload)\nroutes: { later: { match: /*, priority: background, respond: 200 } }"
      try withGateway(text) { gateway in
        let load = try Load(clients: 32, port: gateway.port)
        #expect(load.pass(3000))
        let outcome = load.finish()
        #expect(outcome.answers.keys.sorted() == [200])
      }
    }
  }
}
