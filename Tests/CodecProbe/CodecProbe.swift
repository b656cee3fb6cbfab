import HTTP
import Kernel

/// Says what Sluice's decoders make of bytes, for comparison with other decoders.
///
/// Standard input holds records: one byte for the kind (`Q` requests, `R` responses to GET, `H` to HEAD), four for the
/// length, most significant first, and the bytes of a connection. For each record the answer is a line for every
/// message that was accepted whole, with tabs between its parts (summary, content, trailers, where it ends, and in
/// hexadecimal how it is forwarded), then a line `end` with the reason why no more are read.
@main
enum CodecProbe {
  static func main() throws {
    var input = StandardInput(try File("/dev/stdin", .read))
    let output = File.standardOutput
    while let kind = try input.take(1)?.first, let length = try input.take(4), let bytes = try input.take(of: length) {
      var answer = ByteBuffer(capacity: 4096)
      switch kind {
      case UInt8(ascii: "Q"): RequestReading.describe(bytes, into: &answer)
      case UInt8(ascii: "R"): ResponseReading.describe(bytes, answering: .get, into: &answer)
      default: ResponseReading.describe(bytes, answering: .head, into: &answer)
      }
      try output.writeAll(answer.span)
    }
  }
}

/// Reads exact numbers of bytes.
struct StandardInput: ~Copyable {
  private let file: File
  private var pending: [UInt8] = []
  private var taken = 0

  init(_ file: consuming File) { self.file = file }

  /// Nil at the end of the input.
  mutating func take(_ count: Int) throws -> [UInt8]? {
    while pending.count - taken < count {
      var block = [UInt8](repeating: 0, count: 1 << 20)
      var space = block.mutableSpan
      let read = try file.read(into: &space)
      if read == 0 { return nil }
      pending.removeFirst(taken)
      taken = 0
      pending += block[..<read]
    }
    defer { taken += count }
    return Array(pending[taken..<taken + count])
  }

  /// As many bytes as `length` says.
  mutating func take(of length: [UInt8]) throws -> [UInt8]? {
    try take(length.reduce(0) { $0 << 8 | Int($1) })
  }
}
