import GatewayTesting
import Testing

/// Connections that end at every byte of a request and of an answer: one record each, and nothing is left behind.
struct DroppedConnectionTests {
  enum End: CaseIterable { case close, halfClose, reset }

  private static let requests = [
    "GET /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nX: y\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\nhello world",
    "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: u\r\n\r\n",
  ]

  private static let text = """
    admin: "127.0.0.1:${ADMIN_PORT}"
    upstreams: { u: { targets: [{ url: ORIGIN }], retries: { maximum: 0 } } }
    routes: { all: { match: /*, upstream: u } }
    """

  /// Expects that no connection, descriptor or line of the log was lost.
  private func expectNothingLeft(_ gateway: RunningGateway, descriptors: Int, records: Int) throws {
    let isClean = Deadline.usual.poll { gateway.process.openDescriptors <= descriptors }
    #expect(isClean, "\(gateway.process.openDescriptors) descriptors, \(descriptors) before")
    #expect(try gateway.awaitRecords(records).count == records)
    #expect(try gateway.metric("sluice_call_log_lines_produced_total") == records)
    #expect(try gateway.metric("sluice_call_log_lines_written_total") == records)
    #expect(try gateway.metric("sluice_call_log_lines_dropped_total") == 0)
  }

  @Test(arguments: End.allCases)
  func `a request that ends at any byte is recorded once`(end: End) throws {
    let origin = try Origin.ok()
    try withGateway(Self.text, to: origin) { gateway in
      _ = try gateway.admin("/healthz")
      #expect(try gateway.get("/").status == 200)
      Pause.milliseconds(20)
      let descriptors = gateway.process.openDescriptors
      var count = 1
      for request in Self.requests {
        let bytes = Array(request.utf8)
        for length in 1..<bytes.count {
          let client = try gateway.connect()
          try client.send(Array(bytes[..<length]))
          switch end {
          case .close: client.close()
          case .halfClose:
            client.halfClose()
            #expect(client.isClosedByPeer(), "\(length) bytes of \(request)")
          case .reset:
            // Lets the gateway read first: a reset takes unread bytes along.
            Pause.milliseconds(3)
            client.reset()
          }
          count += 1
        }
      }
      let isClean = Deadline.usual.poll { gateway.process.openDescriptors <= descriptors }
      #expect(isClean)
      if end == .reset { count = try gateway.awaitQuiet() }
      try expectNothingLeft(gateway, descriptors: descriptors, records: count)
      for record in try gateway.records().dropFirst() {
        #expect(record["cancelled"]?.string == "client")
        #expect(record["reason"]?.string == "client_closed")
      }
      #expect(origin.requests.count == 1)
      #expect(try gateway.get("/").status == 200)
    }
  }

  @Test(arguments: [false, true])
  func `an answer that ends at any byte is recorded once`(isReset: Bool) throws {  // long: one scenario, told whole
    let answers = [
      Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello".utf8),
      Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: u\r\n\r\n".utf8),
    ]
    let origin = try Origin { connection in
      guard let request = try connection.request(), request.target != "/warm" else {
        return try connection.answer(body: "warm")
      }
      let words = request.target.split(separator: "/").compactMap { Int($0) }
      try connection.send(Array(answers[words[0]][..<words[1]]))
      if isReset {
        connection.wait(milliseconds: 2)
        connection.reset()
      }
    }
    // Ejections would answer in the target's place.
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      upstreams:
        u: { targets: [{ url: ORIGIN }], retries: { maximum: 0 }, health_check: { path: /warm, interval: 50ms } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text, to: origin) { gateway in
      _ = try gateway.admin("/healthz")
      #expect(try gateway.get("/warm").status == 200)
      for (index, answer) in answers.enumerated() {
        for length in 0..<answer.count {
          let client = try gateway.connect()
          try client.send("GET /\(index)/\(length) HTTP/1.1", ["Host: a.example"])
          let response = try? client.response()
          // A head that is not complete is 502, or 503 while the target is out; later it can only be cut.
          if let response { #expect([502, 503].contains(response.status), "\(index) \(length)") }
        }
        #expect(try Deadline.usual.poll { try gateway.get("/\(index)/\(answer.count)").text == "hello" })
      }
      try gateway.stop()
      let records = try gateway.records()
      let broken = records.filter { $0["fault"] != nil }
      #expect(broken.allSatisfy { $0["fault"]?.string == "upstream" })
      #expect(records.count - broken.count == 3)
    }
  }

  @Test func `a client that leaves at any byte of an answer is recorded once`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
        let block = [UInt8](repeating: 0x61, count: 40_000)
        for _ in 1...100 { try connection.send(block) }
      }
    }
    try withGateway(Self.text, to: origin) { gateway in
      _ = try gateway.admin("/healthz")
      #expect(try gateway.get("/").body.count == 4_000_000)
      Pause.milliseconds(20)
      let descriptors = gateway.process.openDescriptors
      let lengths = Array(0...120) + [1000, 39_000, 100_000, 1_000_000, 3_000_000]
      for length in lengths {
        let client = try gateway.connect()
        try client.send("GET / HTTP/1.1", ["Host: a.example"])
        _ = try client.reader.take(length)
        client.close()
      }
      try expectNothingLeft(gateway, descriptors: descriptors, records: lengths.count + 1)
    }
  }
}

extension RunningGateway {
  /// Waits until no more records come, and says how many there are.
  fileprivate func awaitQuiet() throws -> Int {
    var count = -1
    while try records().count != count {
      count = try records().count
      Pause.milliseconds(300)
    }
    return count
  }
}
