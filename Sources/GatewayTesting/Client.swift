package import Kernel

/// A client's connection, byte by byte.
package final class Client: Opaque {
  package let stream: ByteStream
  package let reader: MessageReader

  package init(_ address: SocketAddress) throws {
    stream = try ByteStream(to: address)
    reader = MessageReader(stream)
  }

  package convenience init(port: Int) throws { try self.init(Ports.loopback(port)) }

  deinit { stream.close() }

  package func send(_ text: String) throws { try stream.write(text) }
  package func send(_ bytes: [UInt8]) throws { try stream.write(bytes) }

  /// Sends in pieces that end at these places, with a pause between them that lets each be read alone.
  package func send(_ bytes: [UInt8], splitAt places: [Int], pause: Int32 = 3) throws {
    var start = 0
    for end in places.sorted() + [bytes.count] where end > start {
      if start > 0 { Pause.milliseconds(pause) }
      try stream.write(Array(bytes[start..<end]))
      start = end
    }
  }

  /// Sends a request head made of these lines, and a body.
  package func send(_ requestLine: String, _ fields: [String] = [], body: String = "") throws {
    try send(([requestLine] + fields).joined(separator: "\r\n") + "\r\n\r\n" + body)
  }

  package func response(to method: String = "GET", until deadline: Deadline = .usual) throws -> WireMessage {
    try reader.response(to: method, until: deadline)
  }

  /// Sends a GET and reads its answer.
  package func get(
    _ target: String, _ fields: [String] = [], host: String = "a.example"
  ) throws -> WireMessage {
    try send("GET \(target) HTTP/1.1", ["Host: \(host)"] + fields)
    return try response()
  }

  /// Whether the peer closes, cleanly or not, without another byte.
  package func isClosedByPeer(until deadline: Deadline = .usual) -> Bool {
    guard reader.isEmpty else { return false }
    do { return try stream.read(until: deadline).isEmpty } catch WireError.broken { return true } catch { return false }
  }

  package func halfClose() { stream.finishWriting() }
  package func close() { stream.close() }
  package func reset() { stream.reset() }
}
