import HTTP
import Kernel
import Testing

/// Damages valid messages at random, and holds the decoders to what must be true of any bytes.
///
/// A failure names its seed; the same seed gives the same bytes.
@Suite struct MutationTests {
  private static let pieces: [String] = [
    "\r", "\n", "\r\n", " ", "\t", "\0", ":", ",", ";", "0", "5", "-", "_", "%2e", "/", "..", "?", "#", "\u{e9}",
    "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close, x\r\n", "Host: b\r\n", "HTTP/1.1",
    "Expect: 100-continue\r\n", "Transfer-Encoding", "chunked", "http://a", "\r\n\r\n", "X: y\r\n",
  ]

  static func mutate(_ bytes: [UInt8], with generator: inout SeededGenerator) -> [UInt8] {
    var result = bytes
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let at = Int.random(in: 0...result.count, using: &generator)
      let end = min(result.count, at + Int.random(in: 0...12, using: &generator))
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: if at < result.count { result[at] = UInt8.random(in: 0...255, using: &generator) }
      case 1: result.insert(contentsOf: Self.pieces.randomElement(using: &generator)!.utf8, at: at)
      case 2: result.removeSubrange(at..<end)
      case 3: result.insert(contentsOf: result[at..<end], at: Int.random(in: 0...result.count, using: &generator))
      default: if at < result.count { result[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
      }
    }
    return result
  }

  private static func cut(_ count: Int, with generator: inout SeededGenerator) -> [Int] {
    [Int.random(in: 0...count, using: &generator), Int.random(in: 0...count, using: &generator), count].sorted()
  }

  /// What a request means, whatever its spelling: everything that is forwarded.
  private func meaning(_ head: borrowing RequestHead, _ source: Span<UInt8>) -> String {
    // An empty path in absolute form is `/`, or `*` for OPTIONS (RFC 9112 §3.2.4).
    let isServerWide = head.form == .asterisk || (head.method == .options && head.pathRange.isEmpty && !head.hasQuery)
    let path = head.pathRange.isEmpty ? "/" : Wire.text(head.pathRange.bytes(in: source))
    var text = [
      Wire.text(head.methodRange.bytes(in: source)), Wire.text(head.hostRange.bytes(in: source)).lowercased(),
      isServerWide ? "*" : path,
      head.hasQuery ? Wire.text(head.queryRange.bytes(in: source)) : "no query", "\(head.framing)",
    ]
    for index in head.headers.fields.indices {
      let field = head.headers.fields[index]
      if !field.isForwarded || field.name == .host { continue }
      text.append(Wire.text(field.name(in: source)) + "=" + Wire.text(field.value(in: source)))
    }
    return text.joined(separator: "|")
  }

  /// Decodes a request and forwards it; nil when it is refused or incomplete.
  private func forward(_ bytes: [UInt8]) -> (meaning: String, forwarded: [UInt8])? {
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    guard (try? decoder.decode(bytes.span, into: &head)) == true else { return nil }
    let length = head.length
    #expect(length <= bytes.count)
    var out = ByteBuffer()
    HTTP1Encoder.requestLine(head, from: bytes.span, into: &out)
    let before = meaning(head, bytes.span)
    if !head.headers.contains(.host) { head.headers.add(.host, head.hostRange.bytes(in: bytes.span)) }
    head.headers.write(from: bytes.span, into: &out)
    if head.framing == .chunked { out.append(HTTP1Encoder.chunked) }
    out.append(HTTP1Encoder.endOfHead)
    var forwarded: [UInt8] = []
    for index in 0..<out.count { forwarded.append(out.span[index]) }
    return (before, forwarded)
  }

  @Test(arguments: 1...8)
  func `a damaged request is refused or means the same when forwarded`(_ seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let valid = Sample.requests
    let refused = Sample.refusedRequests.filter { $0.bytes.count < 1000 }
    var passed = 0
    for _ in 0..<2500 {
      let bytes = Self.mutate(
        (Bool.random(using: &generator) ? valid : refused).randomElement(using: &generator)!.bytes, with: &generator)
      let whole = Wire.request(bytes)
      let inParts = Wire.request(bytes, prefixes: Self.cut(bytes.count, with: &generator))
      #expect(whole == inParts, "seed \(seed): \(bytes)")
      #expect(whole == Wire.request(bytes, isPiecewise: true), "seed \(seed): \(bytes)")
      guard let first = forward(bytes) else { continue }
      // HTTP/1.0 without any host cannot be forwarded by itself.
      if first.meaning.split(separator: "|", omittingEmptySubsequences: false)[1].isEmpty { continue }
      passed += 1
      guard let second = forward(first.forwarded) else {
        Issue.record("seed \(seed): forwarded what it would refuse: \(bytes)")
        return
      }
      #expect(second.meaning == first.meaning, "seed \(seed): \(bytes)")
    }
    #expect(passed > 100)
  }

  @Test(arguments: 1...4)
  func `a damaged response is decoded the same however it is cut`(_ seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let samples = Sample.responses + Sample.refusedResponses.filter { $0.bytes.count < 1000 }
    for _ in 0..<2500 {
      let bytes = Self.mutate(samples.randomElement(using: &generator)!.bytes, with: &generator)
      let inParts = Wire.response(bytes, prefixes: Self.cut(bytes.count, with: &generator))
      #expect(Wire.response(bytes) == inParts, "seed \(seed): \(bytes)")
      #expect(Wire.response(bytes, isPiecewise: true) == inParts, "seed \(seed): \(bytes)")
    }
  }

  @Test(arguments: 1...4)
  func `damaged chunks are decoded the same however they are cut`(_ seed: UInt64) {
    var generator = SeededGenerator(state: seed)
    let samples = (Sample.chunkedBodies + Sample.refusedBodies).filter { $0.bytes.count < 1000 }
    for _ in 0..<2500 {
      let bytes = Self.mutate(samples.randomElement(using: &generator)!.bytes, with: &generator)
      let parts = Wire.pieces(bytes, Self.cut(bytes.count, with: &generator))
      let result = Wire.body([bytes], .chunked)
      #expect(result == Wire.body(parts, .chunked), "seed \(seed): \(bytes)")
      #expect(result.utf8.count <= bytes.count * 3 + 40)
    }
  }

  @Test func `noise is never taken for a message`() {
    var generator = SeededGenerator(state: 7)
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 1...64, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      #expect(!Wire.request(bytes).hasPrefix("request"))
      #expect(!Wire.response(bytes).hasPrefix("response"))
    }
  }
}
