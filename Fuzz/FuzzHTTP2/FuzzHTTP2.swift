import Driver
import Engine
import Foreign
import Kernel

// The first byte of an input says how it is cut; the rest is what a client of HTTP/2 sends behind its preface. Nothing
// may trap, and what is held and written for it is bounded, whatever it is.

@c(FuzzHTTP2_main)
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  unsafe fuzz(count, arguments) { start, count in
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    if let first = input.first { check(preface + input[1...], step: 1 + Int(first)) }
    return 0
  }
}

private let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

private func check(_ octets: [UInt8], step: Int) {
  guard let session = try? HTTP2Session(.server, HTTP2Options(streams: 16)) else { return }
  let pool = BufferPool(blockSize: 64 << 10, keep: 2)
  var output = IOBuffer()
  var written = 0
  var position = 0
  do throws(HTTP2Failure) {
    while position < octets.count, !session.isOver {
      let part = Array(octets[position..<min(position + step, octets.count)])
      let taken = try session.feed(part.span)
      precondition(session.received.size <= 512 << 10, "too much is held of heads")
      answer(session)
      var hasMore = true
      while hasMore {
        output.lease(from: pool)
        hasMore = try session.produce(into: &output)
        written += output.count
        output.removeAll()
      }
      while let event = session.nextEvent() { if case .closed(let slot, _) = event { session.release(slot) } }
      if taken == 0 { break }
      position += taken
    }
  } catch {}
  precondition(written <= 4096 + octets.count * 64, "much is written for little")
}

/// Puts every request down as HTTP/1.1 and answers it, as the gateway does.
private func answer(_ session: HTTP2Session) {
  var text = ByteBuffer(capacity: 1024)
  var random = SplitMix(seed: 1)
  var fields = HTTP2Fields()
  fields.append(":status", ByteScan.bytes(of: "204"))
  while let event = session.nextEvent() {
    switch event {
    case .head(let slot, let lines, _, _, let isEnd):
      if RequestTranslation.encode(session.received, lines, isEnd: isEnd, random: &random, into: &text) == nil {
        session.reset(slot, code: .protocolError)
      } else if isEnd {
        session.submitResponse(fields, to: slot, isEnd: true)
      }
      precondition(text.count <= 1 << 20)
      text.removeAll()
    case .data(let slot, let octets): session.consume(octets.count, of: slot)
    case .closed(let slot, _): session.release(slot)
    default: break
    }
  }
}
