import Foreign
import Kernel
import Testing

/// Memory that the sessions of a loop share.
@Suite struct HTTP2MemoryTests {
  private func request(_ fields: Int) -> HTTP2Fields {
    var request = HTTP2Fields()
    for (name, value) in [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
      as [(StaticString, StaticString)]
    {
      request.append(name, ByteScan.bytes(of: value))
    }
    for _ in 0..<fields { request.append("x-some", ByteScan.bytes(of: "a value that no table holds")) }
    return request
  }

  /// So many streams of one session, open at once; what the session holds of the memory then.
  private func open(_ streams: Int, fields: Int = 4, _ memory: HTTP2Memory) throws -> Int {
    let session = try HTTP2Session(.client, HTTP2Options(), memory: memory)
    var output = IOBuffer()
    let pool = BufferPool(blockSize: 64 << 10, keep: 1)
    output.lease(from: pool)
    for _ in 0..<streams { #expect(session.submitRequest(request(fields), isEnd: true) != nil) }
    _ = try session.produce(into: &output)
    let lent = memory.lent
    for slot in 0..<streams { session.reset(slot, code: .cancel) }
    return lent
  }

  @Test func `what a session held is back when it is closed, and serves the next`() throws {
    let memory = HTTP2Memory()
    #expect(try open(20, memory) > 20 * 64)
    #expect(memory.lent == 0)
    let kept = memory.kept
    #expect(kept > 0)
    _ = try open(20, memory)
    #expect((memory.lent, memory.kept) == (0, kept))
  }

  @Test func `what waits for later streams is bounded`() throws {
    let memory = HTTP2Memory()
    #expect(try open(20_000, fields: 8, memory) > 4 << 20)
    #expect(memory.lent == 0)
    #expect(memory.kept <= 4 << 20)
  }

  @Test func `heads larger than any list's blocks pass`() throws {
    let memory = HTTP2Memory()
    _ = try open(3, fields: 400, memory)
    #expect(memory.lent == 0)
  }
}
