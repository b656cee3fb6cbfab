import GatewayTesting
import Testing

/// Both bodies on the way at once.
struct EarlyAnswerTests {
  private static let block = [UInt8](repeating: 0x61, count: 64 << 10)

  @Test(arguments: ["Content-Length: 8388608", "Transfer-Encoding: chunked"])
  func `an answer that comes while the body is still sent reaches the client`(framing: String) throws {
    let origin = try Origin { connection in
      guard try connection.requestHead() != nil else { return }
      try connection.answer("403 Forbidden", body: "enough")
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", framing])
      if framing.hasSuffix("chunked") { try client.send("5\r\nhello\r\n") } else { try client.send("hello") }
      let response = try client.response()
      #expect(response.status == 403)
      #expect(response.text == "enough")
      #expect(response["Connection"] == "close")
      #expect(client.isClosedByPeer())
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["status"]?.integer == 403)
      #expect(record["fault"] == nil)
    }
  }

  @Test func `a target that answers and closes without reading the body is heard`() throws {
    let origin = try Origin { connection in
      guard try connection.requestHead() != nil else { return }
      try connection.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
      connection.stream.finishWriting()
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 8388608"])
      for _ in 1...8 { _ = try? client.stream.writeSome(Self.block) }
      #expect(try client.response().text == "big")
    }
  }

  @Test func `a conversation in both directions is not held back`() throws {
    let origin = try Origin { connection in
      guard try connection.requestHead() != nil else { return }
      try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      for _ in 1...20 {
        // "1\r\nx\r\n" in, the same out.
        let chunk = try connection.reader.take(6)
        try connection.send(chunk)
      }
      _ = try connection.reader.take(5)
      try connection.send("0\r\n\r\n")
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Transfer-Encoding: chunked"])
      for index in 1...20 {
        try client.send("1\r\nx\r\n")
        if index == 1 {
          while try !client.reader.line().isEmpty {}
        }
        #expect(try client.reader.take(6) == Array("1\r\nx\r\n".utf8))
      }
      try client.send("0\r\n\r\n")
      #expect(try client.reader.take(5) == Array("0\r\n\r\n".utf8))
      #expect(try gateway.awaitRecords(1)[0]["status"]?.integer == 200)
    }
  }
}
