import GatewayTesting
import Kernel
import Testing

/// What goes through an open tunnel, and how it ends.
struct TunnelTests {
  @Test func `octets pass both ways in any pieces, and the record has the first close code`() throws {
    let origin = try Origin.echoing()
    let text = "admin: \"127.0.0.1:${ADMIN_PORT}\"\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.upgraded()
      let payload = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      // A frame of 200,000 bytes, so that the tunnel can follow it.
      let frame: [UInt8] = [0x82, 127, 0, 0, 0, 0, 0, 3, 0x0d, 0x40] + payload
      for piece in [frame[..<1], frame[1..<7], frame[7..<60_000], frame[60_000...]] { try client.send(Array(piece)) }
      #expect(try client.reader.take(frame.count) == frame)
      #expect(try gateway.metric("sluice_tunnels") == 1)
      try client.send(Handshake.maskedClose(4002))
      #expect(try client.reader.take(8) == Handshake.maskedClose(4002))
      client.halfClose()
      #expect(client.isClosedByPeer())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["close_code"]?.integer == 4002)
      #expect(record["closed_by"]?.string == "client")
      #expect(record["bytes_in"]?.integer == frame.count + 8)
      #expect(record["bytes_out"]?.integer == frame.count + 8)
      #expect(try gateway.metric("sluice_tunnels") == 0)
      #expect(origin.awaitNoConnection())
    }
  }

  @Test func `a target that says goodbye and ends is the one who closed`() throws {
    let origin = try Origin.upgrading { connection in
      try connection.send(Handshake.close(1000))
      connection.stream.finishWriting()
      // Half-closed, it still hears the client.
      #expect(try connection.reader.rest() == Handshake.maskedClose(1000))
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.upgraded()
      #expect(try client.reader.rest() == Handshake.close(1000))
      try client.send(Handshake.maskedClose(1000))
      client.halfClose()
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["closed_by"]?.string == "upstream")
      #expect(record["close_code"]?.integer == 1000)
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test(arguments: [false, true])
  func `a client that is gone takes its target along`(_ reset: Bool) throws {
    let origin = try Origin.upgrading { connection in connection.awaitEnd() }
    try withGateway(to: origin) { gateway in
      let client = try gateway.upgraded()
      try client.send([0x82, 0x05, 1])
      reset ? client.reset() : client.close()
      #expect(origin.awaitNoConnection())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["closed_by"]?.string == "client")
      #expect(record["close_code"] == nil)
    }
  }

  @Test func `a target that breaks off takes its client along`() throws {
    let origin = try Origin.upgrading { connection in
      _ = try connection.reader.take(1)
      connection.reset()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.upgraded()
      try client.send([0x82])
      #expect(client.isClosedByPeer())
      #expect(try gateway.awaitRecords(1)[0]["closed_by"]?.string == "upstream")
    }
  }

  @Test func `a silent tunnel is closed with 1001 to both, and one that speaks is not`() throws {
    let origin = try Origin.upgrading { connection in
      #expect(try connection.reader.take(6).first == 0x81)
      let goodbye = try connection.reader.take(8)
      #expect(Handshake.code(ofMasked: goodbye) == 1001)
      #expect(try connection.reader.rest().isEmpty)
    }
    let text = "routes: { all: { match: /*, upstream: ORIGIN, timeouts: { tunnel: 600ms } } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.upgraded()
      let began = Clock.monotonic
      Pause.milliseconds(400)
      try client.send([0x81, 0x80, 0, 0, 0, 0])
      #expect(try client.reader.rest() == Handshake.close(1001))
      #expect(Clock.monotonic - began >= 1_000_000_000)
      client.close()
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "tunnel_idle")
      #expect(record["fault"]?.string == "policy")
      #expect(record["closed_by"]?.string == "gateway")
      #expect(record["close_code"]?.integer == 1001)
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test func `a tunnel outlives a reload, and the end of a drain says 1001 to both`() throws {
    let origin = try Origin.upgrading { connection in
      try connection.send(connection.reader.take(6))
      let goodbye = try connection.reader.take(8)
      #expect(Handshake.code(ofMasked: goodbye) == 1001)
    }
    let text = "drain_limit: 1s\nadmin: \"127.0.0.1:${ADMIN_PORT}\"\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.upgraded()
      gateway.process.signal(ProcessSignal.hangup)
      #expect(try Deadline.usual.poll { try gateway.metric("sluice_config_reloads_total") == 1 })
      gateway.process.terminate()
      Pause.milliseconds(200)
      try client.send([0x81, 0x80, 0, 0, 0, 0])
      #expect(try client.reader.take(6) == [0x81, 0x80, 0, 0, 0, 0])
      #expect(try client.reader.rest() == Handshake.close(1001))
      client.close()
      #expect(try gateway.process.wait(until: .usual) == .exited(0))
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "cut_by_drain")
      #expect(record["close_code"]?.integer == 1001)
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test func `a client that does not read stops its target, and is cut when it never does`() throws {
    let sent = Lock(0)
    let origin = try Origin.upgrading { connection in
      let piece = Array(repeating: UInt8(0x81), count: 64 << 10)
      while true {
        let count = try connection.stream.writeSome(piece)
        sent.withLock { $0 += count }
        if count == 0 { connection.wait(milliseconds: 5) }
      }
    }
    let text = "limits: { body_timeout: 1500ms }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.upgraded()
      var before = -1
      // Once the kernel's buffers are full nothing more is taken.
      #expect(
        Deadline.usual.poll {
          Pause.milliseconds(150)
          defer { before = sent.withLock { $0 } }
          return before == sent.withLock { $0 }
        })
      #expect(before < 32 << 20)
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "client_stalled")
      #expect(record["closed_by"]?.string == "gateway")
      client.close()
    }
  }
}
