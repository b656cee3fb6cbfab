import GatewayTesting
import Testing

/// A connection that the gateway closes while the client still sends: closing with unread octets would reset it, and
/// destroy the answer on its way (RFC 9112 §9.6).
struct LingeringCloseTests {
  struct Refused: Sendable {
    let head: String
    let status: Int
  }

  private static let fields = (0..<101).map { "X-\($0): 1\r\n" }.joined()

  static let refused = [
    Refused(head: "POST / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n", status: 431),
    Refused(head: "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", status: 431),
    Refused(head: "POST /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n", status: 414),
    Refused(head: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", status: 501),
    Refused(head: "POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 600000\r\n\r\n", status: 400),
  ]

  /// More than both kernels hold between an answer and a client that has not read it.
  private static let block = [UInt8](repeating: 0x61, count: 64 << 10)

  @Test(arguments: refused)
  func `a client that sends on behind a refused head reads the answer`(refused: Refused) throws {
    try withGateway("routes: { a: { match: /*, respond: 200 } }") { gateway in
      let client = try gateway.connect()
      try client.send(refused.head)
      // Each block is on its way before the next: a reset that answers one breaks the next.
      for _ in 1...16 { try client.send(Self.block) }
      let answer = try client.response()
      #expect(answer.status == refused.status)
      #expect(answer["Connection"] == "close")
      #expect(client.isClosedByPeer())
    }
  }

  @Test(arguments: ["/local", "/forwarded"])
  func `a client that sends on behind its last request reads the answer`(path: String) throws {
    let origin = try Origin.ok()
    let text = """
      routes:
        local: { match: /local, respond: { body: ok } }
        forwarded: { match: /forwarded, upstream: ORIGIN }
      """
    try withGateway(text, to: origin) { gateway in
      // The first request makes a connection to the target, so that the second is carried without a task.
      #expect(try gateway.get(path).text == "ok")
      let client = try gateway.connect()
      let request = "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      try client.send(Array(request.utf8) + Self.block)
      for _ in 1...15 { try client.send(Self.block) }
      #expect(try client.response().text == "ok")
      #expect(client.isClosedByPeer())
      client.close()
      try gateway.stop()
      #expect(try gateway.records().count == 2)
    }
  }

  @Test func `what a client sends without end is read for a while only`() throws {
    try withGateway("routes: { a: { match: /*, respond: 200 } }") { gateway in
      let client = try gateway.connect()
      try client.send(Self.refused[3].head)
      let isCut = Deadline.usual.poll {
        do { for _ in 1...64 { _ = try client.stream.writeSome(Self.block) } } catch { return true }
        return false
      }
      #expect(isCut)
    }
  }
}
