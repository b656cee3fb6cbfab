import GatewayTesting

/// The origin behind the gateway that the Python clients of HTTP/2 know.
enum HTTP2Origin {
  static func make() throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() { try answer(request, connection) }
    }
  }

  private static let block = String(repeating: "a", count: 1 << 20)

  private static func answer(_ request: WireMessage, _ connection: OriginConnection) throws {
    switch request.target.split(separator: "?").first {
    case "/204": try connection.send("HTTP/1.1 204 No Content\r\n\r\n")
    case "/304": try connection.send("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n")
    case "/early-hints":
      try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
      try connection.answer()
    case "/fields":
      let lines =
        request.fields.map { "\($0.name): \($0.value)" }
        + request.trailers.map { "trailer of \($0.name): \($0.value)" }
      try connection.answer(body: lines.joined(separator: "\n"))
    case "/large":
      try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(10 << 20)\r\n\r\n")
      for _ in 0..<10 { try connection.send(block) }
    case "/never": connection.awaitEnd()
    case "/slow":
      connection.wait(milliseconds: 800)
      try connection.answer(body: "at last")
    case "/trailers":
      try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n")
      for _ in 0..<5 { try connection.send("5\r\nhello\r\n") }
      try connection.send("0\r\nx-sum: 25\r\n\r\n")
    default:
      try connection.answer(body: "\(request.method) \(request.target)\n\(request.body.count)")
    }
  }
}
