import GatewayTesting
import Kernel
import Testing

/// Bodies that are larger than memory should be: what one side does not take is not read from the other.
@Suite(.serialized)
struct BackPressureTests {
  private static let megabyte = 1 << 20
  private static let size = 100 * megabyte

  /// What the process may grow by while a body passes.
  /// A sanitizer keeps some of what was freed, and shadows all of it.
  private static let allowance = (ProcessEnvironment.value("SLUICE_SANITIZER") == nil ? 2 : 16) * megabyte

  @Test(arguments: [true, false])
  func `a download of 100 MiB to a slow reader takes no memory`(isChunked: Bool) throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.target == "/warm" {
          try connection.answer(body: "warm")
        } else if isChunked {
          try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
          let chunk = Array("100000\r\n".utf8) + [UInt8](repeating: 0x61, count: Self.megabyte) + [0x0D, 0x0A]
          for _ in 0..<Self.size / Self.megabyte { try connection.send(chunk) }
          try connection.send("0\r\n\r\n")
        } else {
          try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(Self.size)\r\n\r\n")
          let block = [UInt8](repeating: 0x61, count: Self.megabyte)
          for _ in 0..<Self.size / Self.megabyte { try connection.send(block) }
        }
      }
    }
    try withGateway(to: origin) { gateway in
      try Self.warm(gateway)
      let before = gateway.process.residentBytes
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example", "Connection: close"])
      Pause.milliseconds(300)
      var received = 0
      var peak = 0
      while true {
        let count = try client.stream.discard()
        if count == 0 { break }
        received += count
        if received % (10 * Self.megabyte) < count {
          Pause.milliseconds(10)
          peak = max(peak, gateway.process.residentBytes)
        }
      }
      #expect(received > Self.size)
      #expect(peak - before < Self.allowance, "grew by \(peak - before) bytes")
    }
  }

  @Test(arguments: [true, false])
  func `an upload of 100 MiB to a slow target takes no memory`(isChunked: Bool) throws {
    let origin = try Origin { connection in
      while let head = try connection.requestHead() {
        if head.method == "GET" {
          try connection.answer(body: "warm")
          continue
        }
        connection.wait(milliseconds: 300)
        var received = connection.reader.pendingCount
        // Framing of chunks comes on top; the end is the client's last byte.
        while received < Self.size {
          let count = try connection.stream.discard()
          if count == 0 { return }
          received += count
        }
        try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.awaitEnd()
      }
    }
    let text = "limits: { request_body: 1GiB }\nroutes: { all: { match: /*, upstream: ORIGIN } }"
    try withGateway(text, to: origin) { gateway in
      try Self.warm(gateway)
      let before = gateway.process.residentBytes
      var peak = 0
      let client = try gateway.connect()
      let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(Self.size)"
      try client.send("POST / HTTP/1.1", ["Host: a.example", framing])
      let content = [UInt8](repeating: 0x61, count: Self.megabyte)
      let block = isChunked ? Array("100000\r\n".utf8) + content + [0x0D, 0x0A] : content
      for index in 0..<Self.size / Self.megabyte {
        try client.send(block)
        if index % 10 == 0 { peak = max(peak, gateway.process.residentBytes) }
      }
      if isChunked { try client.send("0\r\n\r\n") }
      #expect(try client.response().status == 200)
      #expect(peak - before < Self.allowance, "grew by \(peak - before) bytes")
    }
  }

  /// Touches what the process touches once in its life, buffers for large bodies among it.
  private static func warm(_ gateway: RunningGateway) throws {
    for _ in 1...3 { _ = try gateway.get("/warm") }
  }
}
