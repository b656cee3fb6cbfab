import GatewayTesting

/// A WebSocket handshake whose key and answer are those of RFC 6455 §1.3.
enum Handshake {
  static let fields = [
    "Host: a.example", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ]
  static let answer =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

  /// An unmasked close frame with a code.
  static func close(_ code: Int) -> [UInt8] { [0x88, 2, UInt8(code >> 8), UInt8(code & 255)] }

  /// A masked one, as clients send.
  static func maskedClose(_ code: Int) -> [UInt8] {
    [0x88, 0x82, 1, 2, 3, 4, UInt8(code >> 8) ^ 1, UInt8(code & 255) ^ 2]
  }

  /// Takes the mask off a close frame with a code and nothing else; nil when it is none.
  static func code(ofMasked frame: [UInt8]) -> Int? {
    guard frame.count == 8, frame[0] == 0x88, frame[1] == 0x82 else { return nil }
    return Int(frame[6] ^ frame[2]) << 8 | Int(frame[7] ^ frame[3])
  }
}

extension RunningGateway {
  /// A connection over which WebSocket is spoken.
  func upgraded(_ target: String = "/") throws -> Client {
    let client = try connect()
    try client.send("GET \(target) HTTP/1.1", Handshake.fields)
    let response = try client.response()
    guard response.status == 101 else { throw WireError.malformed("\(response.startLine): \(response.text)") }
    return client
  }
}

extension Origin {
  /// Upgrades every connection and then does what `talk` says.
  static func upgrading(_ talk: @escaping @Sendable (OriginConnection) throws -> Void) throws -> Origin {
    try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send(Handshake.answer)
      try talk(connection)
    }
  }

  /// Sends back whatever comes, octet by octet, until the end of it.
  static func echoing() throws -> Origin {
    try upgrading { connection in
      while true {
        let bytes = try connection.stream.read()
        if bytes.isEmpty { return }
        try connection.send(bytes)
      }
    }
  }
}
