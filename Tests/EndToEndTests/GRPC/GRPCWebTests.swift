import GatewayTesting
import Testing

/// gRPC-Web in front, gRPC behind (PROTOCOL-WEB of gRPC).
struct GRPCWebTests {
  private let text = "routes: { all: { match: POST /*, upstream: ORIGIN, grpc_web: true } }"
  private static let message: [UInt8] = [0, 0, 0, 0, 3] + Array("abc".utf8)

  private func origin(_ answer: String) throws -> Origin {
    try Origin { connection in
      while try connection.request() != nil { try connection.send(answer) }
    }
  }

  private static let chunked =
    "HTTP/1.1 200 OK\r\nContent-Type: application/grpc+proto\r\nTransfer-Encoding: chunked\r\n\r\n"
    + "8\r\n\0\0\0\0\u{3}abc\r\n8\r\n\0\0\0\0\u{3}def\r\n0\r\ngrpc-status: 0\r\ngrpc-message: fine\r\n\r\n"

  private static let trailerFrame: [UInt8] = {
    let lines = "grpc-status: 0\r\ngrpc-message: fine\r\n"
    return [0x80, 0, 0, 0, UInt8(lines.utf8.count)] + Array(lines.utf8)
  }()

  /// Decodes base64 whose pieces may each be padded.
  private func decoded(_ body: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    for start in stride(from: 0, to: body.count, by: 4) {
      let quad = body[start..<start + 4].map { alphabet.firstIndex(of: $0) }
      let bits = quad.reduce(0) { $0 << 6 | ($1 ?? 0) }
      let count = 3 - quad.count { $0 == nil }
      out += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)].prefix(count)
    }
    return out
  }

  @Test func `a binary call is gRPC to the target, and trailers come back in the body`() throws {
    let origin = try origin(Self.chunked)
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        try client.send(
          "POST /s/m HTTP/1.1", ["Host: a", "Content-Type: application/grpc-web+proto", "Content-Length: 8"],
          body: String(decoding: Self.message, as: UTF8.self))
        let response = try client.response()
        #expect(response["Content-Type"] == "application/grpc-web+proto")
        #expect(response.body == Self.message + [0, 0, 0, 0, 3] + Array("def".utf8) + Self.trailerFrame)
        #expect(response.trailers.isEmpty)
      }
      let request = try #require(origin.requests.first)
      #expect(request["Content-Type"] == "application/grpc+proto")
      #expect(request["TE"] == "trailers")
      #expect(request.body == Self.message)
      #expect(try gateway.awaitRecords(2).map { $0["grpc_status"]?.integer } == [0, 0])
    }
  }

  @Test func `a call in base64 is decoded at every split and answered in base64`() throws {
    let origin = try origin(Self.chunked)
    let body = "AAAAAANhYmM="
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      for split in 0...body.utf8.count {
        let head =
          "POST /s/m HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web-text\r\nContent-Length: 12\r\n\r\n"
        try client.send(Array((head + body).utf8), splitAt: [head.utf8.count + split])
        let response = try client.response()
        #expect(response["Content-Type"] == "application/grpc-web-text+proto")
        #expect(response.trailers.isEmpty)
        #expect(decoded(response.body) == Self.message + [0, 0, 0, 0, 3] + Array("def".utf8) + Self.trailerFrame)
      }
      #expect(origin.requests.allSatisfy { $0.body == Self.message && $0["Content-Type"] == "application/grpc" })
      #expect(origin.requests.allSatisfy { $0["Content-Length"] == nil })
    }
  }

  @Test func `a large call in base64 goes through in both directions`() throws {
    let size = 3 * 100_000
    let answer = String(repeating: "x", count: size)
    let origin = try origin(
      "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nContent-Length: \(size)\r\ngrpc-status: 0\r\n\r\n" + answer)
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let body = String(repeating: "eHh4", count: 100_000)
      try client.send(
        "POST /s/m HTTP/1.1",
        ["Host: a", "Content-Type: application/grpc-web-text", "Content-Length: \(body.utf8.count)"], body: body)
      #expect(decoded(try client.response().body) == Array(answer.utf8))
      #expect(origin.requests.first?.text == answer)
    }
  }

  @Test func `what is no base64 is refused`() throws {
    let origin = try origin(Self.chunked)
    try withGateway(text, to: origin) { gateway in
      for body in ["AAAA*", "AAAAA"] {
        let client = try gateway.connect()
        try client.send(
          "POST /s/m HTTP/1.1", ["Host: a", "Content-Type: application/grpc-web-text", "Content-Length: 5"], body: body)
        #expect(try client.response()["grpc-status"] == "13")
      }
      #expect(try gateway.awaitRecords(2).map { $0["reason"]?.string } == ["invalid_base64", "invalid_base64"])
    }
  }

  @Test func `an answer that has only a head, or is no gRPC, stays what it is`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let type = request.target == "/none" ? "application/grpc" : "text/plain"
        try connection.answer("200 OK", ["Content-Type: \(type)", "grpc-status: 7"])
      }
    }
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      for (target, type) in [("/none", "application/grpc-web"), ("/text", "text/plain")] {
        try client.send(
          "POST \(target) HTTP/1.1", ["Host: a", "Content-Type: application/grpc-web", "Content-Length: 0"])
        let response = try client.response()
        #expect(response["Content-Type"] == type)
        #expect(response["grpc-status"] == "7")
        #expect(response.body.isEmpty)
      }
    }
  }
}
