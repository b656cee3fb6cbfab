import GatewayTesting
import Testing

/// The tests' own reader finds what is wrong with a message, so that it can vouch for what is right.
struct MessageReaderTests {
  private func read(_ bytes: String, method: String = "GET") throws -> WireMessage {
    let origin = try Origin { try $0.send(bytes) }
    defer { origin.stop() }
    return try Client(origin.address).response(to: method)
  }

  @Test func `content is read by length, by chunks and to the end`() throws {
    #expect(try read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc").text == "abc")
    let chunked = try read(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n")
    #expect(chunked.text == "abc")
    #expect(chunked.chunks == [2, 1])
    #expect(chunked.trailers == [.init(name: "T", value: "1")])
    #expect(try read("HTTP/1.1 200 OK\r\n\r\nabc").text == "abc")
    #expect(try read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", method: "HEAD").text == "")
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
  ])
  func `a broken message is an error`(bytes: String) {
    #expect(throws: WireError.self) { try read(bytes) }
  }

  @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "HTTP/1.1 200", ""])
  func `a message that ends too early is an error`(bytes: String) {
    #expect(throws: WireError.self) { try read(bytes) }
  }

  @Test func `a silent peer is given up at the deadline`() throws {
    let origin = try Origin.silent()
    defer { origin.stop() }
    let client = try Client(origin.address)
    #expect(throws: WireError.timedOut) { try client.response(until: .after(seconds: 0.05)) }
  }
}
