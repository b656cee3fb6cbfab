import Foreign
import Kernel
import Testing

/// A client's session and a server's, joined by nothing but octets.
@Suite struct HTTP2SessionTests {
  /// One side: what it has to say, and what it was told.
  final class Side {
    let session: HTTP2Session
    var events: [String] = []
    private var output = IOBuffer()
    private let pool = BufferPool(blockSize: 64 << 10, keep: 2)

    init(_ role: HTTP2Session.Role, _ options: HTTP2Options = HTTP2Options()) throws {
      session = try HTTP2Session(role, options)
    }

    func offer(_ text: String, _ end: HTTP2BodyEnd, of slot: Int) throws -> (taken: Int, ended: Bool) {
      output.lease(from: pool)
      return try session.offer(text.utf8Span.span, end: end, of: slot, into: &output)
    }

    /// All that it has to say now.
    func say() throws -> [UInt8] {
      var octets: [UInt8] = []
      var hasMore = true
      while hasMore {
        output.lease(from: pool)
        hasMore = try session.produce(into: &output)
        octets += Self.octets(output)
        output.removeAll()
      }
      return octets
    }

    private static func octets(_ buffer: borrowing IOBuffer) -> [UInt8] {
      buffer.readable.indices.map { buffer.readable[$0] }
    }

    func hear(_ octets: [UInt8]) throws {
      note([])
      var rest = octets[...]
      while !rest.isEmpty {
        let part = Array(rest)
        let taken = try session.feed(part.span)
        note(part)
        rest = rest.dropFirst(taken)
      }
    }

    private func note(_ octets: [UInt8]) {
      while let event = session.nextEvent() {
        switch event {
        case .head(let slot, let lines, _, let isTruncated, let isEnd):
          let texts = Self.texts(session.received, lines)
          events.append("head \(slot) \(texts.joined(separator: " "))\(isTruncated ? " …" : "")\(isEnd ? " end" : "")")
        case .data(let slot, let range):
          events.append("data \(slot) \(String(decoding: octets[range], as: UTF8.self))")
        case .refused: events.append("refused")
        case .end(let slot): events.append("end \(slot)")
        case .writable(let slot): events.append("writable \(slot)")
        case .closed(let slot, let code):
          events.append("closed \(slot) \(code)")
          session.release(slot)
        case .goAway(let last, let code): events.append("goaway \(last) \(code)")
        case .pong: events.append("pong")
        case .settings: break
        }
      }
    }

    private static func texts(_ fields: borrowing HTTP2Fields, _ lines: Range<Int>) -> [String] {
      var texts: [String] = []
      for index in lines { texts.append("\(text(fields.name(index)))=\(text(fields.value(index)))") }
      return texts
    }

    private static func text(_ octets: Span<UInt8>) -> String {
      String(decoding: octets.indices.map { octets[$0] }, as: UTF8.self)
    }

    func takeEvents() -> [String] {
      note([])
      defer { events = [] }
      return events
    }
  }

  private static func request(_ method: StaticString, priority: String? = nil) -> HTTP2Fields {
    var fields = HTTP2Fields()
    for (name, value) in [(":method", method), (":scheme", "http"), (":path", "/"), (":authority", "a")]
      as [(StaticString, StaticString)]
    {
      fields.append(name, ByteScan.bytes(of: value))
    }
    if let priority { fields.append("priority", priority.utf8Span.span) }
    return fields
  }

  private static func answer() -> HTTP2Fields {
    var fields = HTTP2Fields()
    fields.append(":status", ByteScan.bytes(of: "200"))
    fields.append("X-Upper", ByteScan.bytes(of: "b"))
    return fields
  }

  private func request(_ method: StaticString, isEnd: Bool, _ client: Side) throws -> Int {
    let slot = client.session.submitRequest(Self.request(method), isEnd: isEnd)
    return try #require(slot)
  }

  private func exchange(_ client: Side, _ server: Side, rounds: Int = 4) throws {
    for _ in 0..<rounds {
      try server.hear(client.say())
      try client.hear(server.say())
    }
  }

  @Test func `an exchange with content and trailers both ways arrives as it was sent`() throws {
    let client = try Side(.client)
    let server = try Side(.server)
    let slot = try request("POST", isEnd: false, client)
    #expect(try client.offer("hello", .content, of: slot) == (5, true))
    var trailers = HTTP2Fields()
    trailers.append("x-sum", ByteScan.bytes(of: "5"))
    client.session.submitTrailers(trailers, to: slot)
    try exchange(client, server)
    #expect(
      server.takeEvents() == [
        "head 0 :method=POST :scheme=http :path=/ :authority=a", "data 0 hello", "head 0 x-sum=5 end",
      ])
    server.session.submitResponse(Self.answer(), to: 0, isEnd: false)
    #expect(try server.offer("world", .message, of: 0) == (5, true))
    try exchange(client, server)
    #expect(server.takeEvents() == ["closed 0 0"])
    #expect(client.takeEvents() == ["head 0 :status=200 x-upper=b", "data 0 world", "end 0", "closed 0 0"])
  }

  @Test func `octets may come in pieces of any size`() throws {
    let client = try Side(.client)
    let slot = try request("POST", isEnd: false, client)
    _ = try client.offer("hello", .message, of: slot)
    let octets = try client.say()
    for split in 0...octets.count {
      let server = try Side(.server)
      try server.hear(Array(octets[..<split]))
      try server.hear(Array(octets[split...]))
      let events = server.takeEvents()
      #expect(events.first == "head 0 :method=POST :scheme=http :path=/ :authority=a")
      #expect(events.filter { $0.hasPrefix("data") }.map { $0.dropFirst(7) }.joined() == "hello")
      #expect(events.last == "end 0")
    }
  }

  @Test func `what no window has room for is left with the caller, who is told when there is room`() throws {
    let client = try Side(.client, HTTP2Options(streamWindow: 10))
    let server = try Side(.server)
    let slot = try request("GET", isEnd: true, client)
    try exchange(client, server)
    _ = server.takeEvents()
    server.session.submitResponse(Self.answer(), to: 0, isEnd: false)
    #expect(try server.offer("0123456789abcdef", .message, of: 0) == (10, false))
    try exchange(client, server)
    #expect(server.takeEvents() == [])
    client.session.consume(10, of: slot)
    try exchange(client, server)
    #expect(server.takeEvents() == ["writable 0"])
    #expect(try server.offer("abcdef", .message, of: 0) == (6, true))
  }

  /// A client and a server with a stream for each priority, all of which wait for the connection's window, which is full.
  private func waiting(_ priorities: [String?]) throws -> (client: Side, server: Side) {
    let client = try Side(.client, HTTP2Options(streamWindow: 1 << 20, connectionWindow: 65_535))
    let server = try Side(.server)
    for priority in priorities {
      #expect(client.session.submitRequest(Self.request("GET", priority: priority), isEnd: true) != nil)
    }
    try exchange(client, server)
    for slot in priorities.indices { server.session.submitResponse(Self.answer(), to: slot, isEnd: false) }
    var left = 65_535
    while left > 0 {
      left -= try server.offer(String(repeating: "a", count: left), .open, of: 0).taken
      try exchange(client, server)
    }
    for slot in priorities.indices { #expect(try server.offer("more", .message, of: slot) == (0, false)) }
    try exchange(client, server)
    _ = server.takeEvents()
    return (client, server)
  }

  @Test func `when a connection's window opens, the most urgent stream is told first`() throws {
    let (client, server) = try waiting(["u=7", "u=1", nil, "u=0, i"])
    client.session.consume(65_535, of: 0)
    try exchange(client, server)
    #expect(server.takeEvents() == ["writable 3", "writable 1", "writable 2", "writable 0"])
  }

  @Test func `a client may change its mind about what is urgent`() throws {
    let (client, server) = try waiting(["u=1", "u=2", "u=3"])
    // PRIORITY_UPDATE (RFC 9218 §7.1) of the third stream.
    try server.hear([0, 0, 7, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 5] + Array("u=0".utf8))
    client.session.consume(65_535, of: 0)
    try exchange(client, server)
    #expect(server.takeEvents() == ["writable 2", "writable 0", "writable 1"])
  }

  @Test func `content that a tiny window lets out piece by piece is counted as nothing`() throws {
    let client = try Side(.client, HTTP2Options(streamWindow: 1))
    let server = try Side(.server)
    let slot = try request("GET", isEnd: true, client)
    try exchange(client, server)
    server.session.submitResponse(Self.answer(), to: 0, isEnd: false)
    let before = server.session.tally.idle
    for _ in 0..<10 {
      #expect(try server.offer("0123456789", .message, of: 0) == (1, false))
      try exchange(client, server)
      client.session.consume(1, of: slot)
      try exchange(client, server)
    }
    #expect(server.session.tally.idle - before == 10)
  }

  @Test func `a head that is too long comes cut off, and takes no more memory`() throws {
    let client = try Side(.client)
    let server = try Side(.server, HTTP2Options(headSize: 200))
    var fields = Self.request("GET")
    for _ in 0..<20 { fields.append("x-long", ByteScan.bytes(of: "0123456789012345678901234567890123456789")) }
    _ = client.session.submitRequest(fields, isEnd: true)
    try exchange(client, server)
    let events = server.takeEvents()
    #expect(events.count == 1)
    #expect(events[0].hasSuffix("… end"))
    #expect(events[0].utf8.count < 400)
  }

  @Test func `resets of either side end a stream for both`() throws {
    let client = try Side(.client)
    let server = try Side(.server)
    let slots = (0..<2).compactMap { _ in client.session.submitRequest(Self.request("GET"), isEnd: true) }
    try exchange(client, server)
    client.session.reset(slots[0], code: .cancel)
    server.session.reset(1, code: .refusedStream)
    try exchange(client, server)
    #expect(server.takeEvents().suffix(2) == ["closed 0 8", "closed 1 7"])
    #expect(client.takeEvents() == ["closed 0 8", "closed 1 7"])
    #expect(server.session.tally.resetsReceived == 1)
    #expect(server.session.tally.resetsProvoked == 0)
  }

  @Test func `a slot is used again when its stream is over`() throws {
    let client = try Side(.client)
    let server = try Side(.server)
    for _ in 0..<5 {
      _ = client.session.submitRequest(Self.request("GET"), isEnd: true)
      try exchange(client, server)
      server.session.submitResponse(Self.answer(), to: 0, isEnd: true)
      try exchange(client, server)
      #expect(server.takeEvents().last == "closed 0 0")
      #expect(client.takeEvents().last == "closed 0 0")
    }
  }

  @Test func `a session that was told to end is over when its streams are`() throws {
    let client = try Side(.client)
    let server = try Side(.server)
    _ = client.session.submitRequest(Self.request("GET"), isEnd: true)
    try exchange(client, server)
    server.session.refuseFurtherStreams()
    try exchange(client, server)
    #expect(client.takeEvents() == ["goaway 1 0"])
    #expect(!server.session.isOver)
    server.session.submitResponse(Self.answer(), to: 0, isEnd: true)
    try exchange(client, server)
    #expect(server.session.isOver)
  }

  @Test func `octets that are no HTTP/2 are an error`() throws {
    let server = try Side(.server)
    #expect(throws: HTTP2Failure.self) { try server.hear(Array("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8)) }
  }
}
