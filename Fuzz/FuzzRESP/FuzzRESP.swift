import Driver
import Engine
import Kernel

// Bytes are what a store sends. Nothing may trap, and a reply that is complete means the same with more behind it.

@c(FuzzRESP_main)
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  unsafe fuzz(count, arguments) { start, count in
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    check(input)
    return 0
  }
}

private func check(_ bytes: [UInt8]) {
  guard let whole = try? RESPDecoder.decode(bytes.span) else { return }
  precondition(whole.length <= bytes.count)
  for count in 0..<whole.length {
    let part = try? RESPDecoder.decode(bytes.span.extracting(0..<count))
    precondition(part == nil, "a reply was complete before its end")
  }
}
