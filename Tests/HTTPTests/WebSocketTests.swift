import HTTP
import Kernel
import Testing

/// The handshake of RFC 6455 §4, and following frames without holding them.
struct WebSocketTests {
  private func accept(_ key: String) -> String {
    var out = ByteBuffer(capacity: 32)
    WebSocketHandshake.appendAccept(for: key.utf8Span.span, to: &out)
    return String(decoding: bytes(out), as: UTF8.self)
  }

  private func bytes(_ buffer: borrowing ByteBuffer) -> [UInt8] { buffer.span.indices.map { buffer.span[$0] } }

  @Test func `the answer to a key is that of RFC 6455`() {
    #expect(accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    // And the one of Python's hashlib for another.
    #expect(accept("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=")
  }

  private func mistake(_ lines: [String]) -> WebSocketHandshake.Mistake? {
    let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    let source = Array(text.utf8)
    do {
      guard try decoder.decode(source.span, into: &head) else { return .malformed }
      guard WebSocketHandshake.isAsked(by: head, source.span) else {
        Issue.record("not asked: \(lines)")
        return nil
      }
      try WebSocketHandshake.check(head, source.span)
      return nil
    } catch let error as WebSocketHandshake.Mistake {
      return error
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  private static let good = [
    "GET /chat HTTP/1.1", "Host: a", "Connection: keep-alive, Upgrade", "Upgrade: h9, WebSocket",
    "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ]

  @Test func `a handshake passes, and each part of it is needed`() {
    #expect(mistake(Self.good) == nil)
    func changed(_ index: Int, _ line: String) -> [String] {
      var lines = Self.good
      lines[index] = line
      return lines
    }
    #expect(mistake(changed(0, "POST /chat HTTP/1.1")) == .malformed)
    #expect(mistake(changed(4, "Sec-WebSocket-Version: 8")) == .version)
    #expect(mistake(changed(4, "X: y")) == .version)
    #expect(mistake(Self.good + ["Sec-WebSocket-Version: 13"]) == .version)
    for key in ["", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25j*Q==", "dGhlIHNhbXBsZSBub25jZQAA", "aGVsbG8="] {
      #expect(mistake(changed(5, "Sec-WebSocket-Key: \(key)")) == .malformed, "\(key)")
    }
    #expect(mistake(Self.good + [Self.good[5]]) == .malformed)
    #expect(mistake(Self.good + ["Content-Length: 3"]) == .malformed)
  }

  @Test(arguments: [
    ["GET / HTTP/1.1", "Host: a", "Upgrade: websocket"],
    ["GET / HTTP/1.1", "Host: a", "Connection: upgrade"],
    ["GET / HTTP/1.1", "Host: a", "Connection: upgraded", "Upgrade: websocket"],
    ["GET / HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: h2c"],
    ["GET / HTTP/1.0", "Host: a", "Connection: upgrade", "Upgrade: websocket"],
  ])
  func `what only looks like an upgrade asks for none`(_ lines: [String]) throws {
    let source = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    let isComplete = try decoder.decode(source.span, into: &head)
    #expect(isComplete)
    let isAsked = WebSocketHandshake.isAsked(by: head, source.span)
    #expect(!isAsked)
  }

  // MARK: Frames

  private func frame(_ opcode: UInt8, _ payload: [UInt8], mask: [UInt8]? = nil) -> [UInt8] {
    var frame: [UInt8] = [0x80 | opcode]
    let masked: UInt8 = mask == nil ? 0 : 0x80
    switch payload.count {
    case 0..<126: frame.append(masked | UInt8(payload.count))
    case 126..<65536: frame += [masked | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default:
      frame.append(masked | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        frame.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    guard let mask else { return frame + payload }
    return frame + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
  }

  @Test(arguments: [nil, [0x12, 0x34, 0x56, 0x78] as [UInt8]])
  func `a close code is read at every split, behind frames of every length`(_ mask: [UInt8]?) {
    var stream: [UInt8] = []
    for count in [0, 1, 125, 126, 700] { stream += frame(2, Array(repeating: 0x88, count: count), mask: mask) }
    stream += frame(9, [1, 2], mask: mask)
    let close = stream.count
    stream += frame(8, [0x0f, 0xa1] + Array("bye".utf8), mask: mask)
    for split in 0...stream.count {
      var frames = WebSocketFrames()
      frames.pass(stream.span.extracting(0..<split))
      #expect(frames.isClosed == (split == stream.count))
      if split == close { #expect(frames.isBetweenFrames) }
      if split > close { #expect(!frames.isBetweenFrames) }
      frames.pass(stream.span.extracting(split..<stream.count))
      #expect(frames.closeCode == 4001)
      #expect(frames.isClosed)
      frames.pass(stream.span)
      #expect(frames.closeCode == 4001)
    }
  }

  @Test func `a long frame is passed over, and a close frame without a code has none`() {
    var frames = WebSocketFrames()
    let long = frame(1, Array(repeating: 0x88, count: 70_000))
    frames.pass(long.span.extracting(0..<40_000))
    #expect(!frames.isBetweenFrames)
    frames.pass(long.span.extracting(40_000..<long.count))
    #expect(frames.isBetweenFrames)
    frames.pass(frame(8, []).span)
    #expect(frames.isClosed)
    #expect(frames.closeCode == nil)
  }

  @Test func `octets that are no frames close nothing`() {
    for start in [0x83, 0x8b, 0x8f] as [UInt8] {
      var frames = WebSocketFrames()
      frames.pass([start, 0x02, 0x88, 0x02, 0x03, 0xe8].span)
      #expect(!frames.isClosed)
      #expect(!frames.isBetweenFrames)
    }
    var frames = WebSocketFrames()
    frames.pass([0x88, 0x7e, 0x00, 0x02, 0x03, 0xe8].span)
    #expect(frames.closeCode == nil)
  }

  @Test(arguments: [nil, 0x0102_0304 as UInt32])
  func `a close frame that is written is read back`(_ mask: UInt32?) {
    var out = ByteBuffer(capacity: 16)
    WebSocketFrames.appendClose(1001, mask: mask, to: &out)
    #expect(bytes(out) == (mask == nil ? [0x88, 2, 3, 0xe9] : [0x88, 0x82, 1, 2, 3, 4, 2, 0xeb]))
    var frames = WebSocketFrames()
    frames.pass(out.span)
    #expect(frames.closeCode == 1001)
  }
}
