import GatewayTesting
import Kernel
import Testing

/// Server-sent events and long polls: each piece passes at once, and silence is what timeouts are about.
struct EventStreamTests {
  /// How a target may frame a stream.
  enum Framing: CaseIterable, Sendable {
    case chunked, untilClose

    var head: String {
      let field = self == .chunked ? "Transfer-Encoding: chunked" : "Connection: close"
      return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\(field)\r\n\r\n"
    }

    func frame(_ event: String) -> String {
      self == .chunked ? String(event.utf8.count, radix: 16) + "\r\n\(event)\r\n" : event
    }
  }

  private static func event(_ number: Int) -> String { "data: \(number)\n\n" }

  /// The next event becomes known only when the one before it has arrived: nothing can have been held back.
  @Test(arguments: Framing.allCases, ["HTTP/1.1", "HTTP/1.0"])
  func `each event arrives before the next is sent`(_ framing: Framing, _ version: String) throws {
    let arrived = Lock(-1)
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(framing.head)
      for number in 0..<20 {
        try connection.send(framing.frame(Self.event(number)))
        guard Deadline.usual.poll({ arrived.withLock { $0 } == number }) else { throw WireError.timedOut }
      }
      if framing == .chunked { try connection.send("0\r\n\r\n") }
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET /events \(version)", ["Host: a.example", "Accept: text/event-stream"])
      while try !client.reader.line().isEmpty {}
      for number in 0..<20 {
        let event = Self.event(number)
        if version == "HTTP/1.1" {
          #expect(try client.reader.line() == String(event.utf8.count, radix: 16))
        }
        #expect(try client.reader.take(event.utf8.count) == Array(event.utf8))
        if version == "HTTP/1.1" { #expect(try client.reader.line().isEmpty) }
        arrived.withLock { $0 = number }
      }
      #expect(try gateway.awaitRecords(1)[0]["fault"] == nil)
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test func `a long poll is answered when there is something to say`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        connection.wait(milliseconds: 700)
        try connection.answer(body: "news")
      }
    }
    let text = "routes: { all: { match: /*, upstream: ORIGIN, timeouts: { idle: 200ms } } }"
    try withGateway(text, to: origin) { gateway in
      let response = try gateway.get("/poll")
      #expect(response.text == "news")
    }
  }

  @Test(arguments: Framing.allCases)
  func `the idle timeout counts the silence between two events`(_ framing: Framing) throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(framing.head)
      for number in 0..<6 {
        try connection.send(framing.frame(Self.event(number)))
        connection.wait(milliseconds: 200)
      }
      connection.awaitEnd()
    }
    let text = "routes: { all: { match: /*, upstream: ORIGIN, timeouts: { idle: 600ms, total: 500ms } } }"
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      #expect(throws: WireError.self) { try client.response() }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["reason"]?.string == "idle_timeout")
      // All six came, over twice as long as a silence may last.
      #expect(record["bytes_out"]?.integer == 6 * Self.event(0).utf8.count)
      #expect((record["total_us"]?.integer ?? 0) > 1_500_000)
      #expect(origin.awaitNoConnection())
    }
  }

  @Test(arguments: Framing.allCases)
  func `a client that leaves ends the stream at its source at once`(_ framing: Framing) throws {
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(framing.head + framing.frame(Self.event(0)))
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      while try !client.reader.line().isEmpty {}
      client.close()
      #expect(origin.awaitNoConnection(until: .after(seconds: 5)))
      #expect(try gateway.awaitRecords(1)[0]["cancelled"]?.string == "client")
    }
  }
}
