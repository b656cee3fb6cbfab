import Kernel
import Testing

@Suite struct ByteBufferTests {
  @Test func `a buffer without memory takes it with the first octet`() {
    var buffer = ByteBuffer(capacity: 0)
    #expect(buffer.capacity == 0 && buffer.isEmpty && buffer.span.isEmpty)
    buffer.removeAll()
    buffer.append("")
    #expect(buffer.capacity == 0)
    buffer.append(UInt8(ascii: "a"))
    for _ in 0..<400 { buffer.append("bc") }
    let text = String(decoding: Array(copying: buffer.span), as: UTF8.self)
    #expect(text == "a" + String(repeating: "bc", count: 400))
  }

  @Test func `a buffer without memory takes all of a long text at once`() {
    var buffer = ByteBuffer(capacity: 0)
    buffer.append([UInt8](repeating: 7, count: 1000).span)
    #expect(buffer.count == 1000 && buffer.capacity == 1000)
    var small = ByteBuffer(capacity: 0)
    small.append(decimal: 0)
    #expect(small.count == 1 && small.capacity == 256)
  }
}
