import Kernel

/// A value of RESP, the protocol of Redis and Valkey: versions 2 and 3.
public indirect enum RESPValue: Sendable, Equatable {
  case null
  case text([UInt8])
  case integer(Int)
  /// Numbers and truth values of version 3 as they were written.
  case other([UInt8])
  case error(String)
  /// Lists, sets, pushed messages, and maps as one key and value after another.
  case list([RESPValue])
}

/// What makes a reply unreadable.
public enum RESPError: Error, Sendable, Equatable {
  case malformed
  case tooLarge
}

/// Reads replies of RESP from bytes that come in pieces.
///
/// It keeps nothing between calls: a reply that is not complete is looked at again when more is there. Replies here are
/// a few numbers or values, and one that does not fit `longest` is an error, so looking twice is cheaper than any state.
public enum RESPDecoder {
  public static let longest = 64 << 10
  private static let deepest = 8
  private static let mostElements = 1024

  /// The first reply and how many bytes it has; nil when it is not complete.
  public static func decode(_ bytes: Span<UInt8>) throws(RESPError) -> (value: RESPValue, length: Int)? {
    var reader = Reader()
    guard let value = try reader.value(bytes, depth: 0) else {
      if bytes.count >= longest { throw .tooLarge }
      return nil
    }
    return (value, reader.place)
  }

  private struct Reader {
    var place = 0
    private var elements = 0

    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(RESPError) -> RESPValue? {
      guard depth <= deepest else { throw .tooLarge }
      guard place < bytes.count else { return nil }
      let kind = bytes[place]
      guard let line = try line(bytes) else { return nil }
      switch kind {
      case UInt8(ascii: "+"): return .text(Self.copy(bytes, line))
      case UInt8(ascii: "-"): return .error(Self.string(bytes, line))
      case UInt8(ascii: ":"): return .integer(try Self.number(bytes, line))
      case UInt8(ascii: "_"): return .null
      case UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: "("): return .other(Self.copy(bytes, line))
      case UInt8(ascii: "$"), UInt8(ascii: "="): return try bulk(bytes, line).map { $0.map { .text($0) } ?? .null }
      case UInt8(ascii: "!"):
        return try bulk(bytes, line).map { .error(String(decoding: $0 ?? [], as: UTF8.self)) }
      case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"): return try list(bytes, line, times: 1, depth)
      case UInt8(ascii: "%"): return try list(bytes, line, times: 2, depth)
      case UInt8(ascii: "|"):
        // Attributes stand before the value that they are about.
        guard try list(bytes, line, times: 2, depth) != nil else { return nil }
        return try value(bytes, depth: depth + 1)
      default: throw .malformed
      }
    }

    /// What stands between the first byte and the line's end; nil when the end has not come.
    private mutating func line(_ bytes: Span<UInt8>) throws(RESPError) -> Range<Int>? {
      var end = place + 1
      while end < bytes.count, bytes[end] != 0x0D {
        if bytes[end] == 0x0A { throw .malformed }
        end += 1
      }
      guard end + 1 < bytes.count else { return nil }
      guard bytes[end + 1] == 0x0A else { throw .malformed }
      let range = place + 1..<end
      place = end + 2
      return range
    }

    /// Nil when it is not complete; the value nil is the null of version 2.
    private mutating func bulk(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(RESPError) -> [UInt8]?? {
      let count = try Self.number(bytes, line)
      if count == -1 { return .some(nil) }
      guard count >= 0, count <= longest else { throw count < 0 ? .malformed : .tooLarge }
      guard place + count + 2 <= bytes.count else { return nil }
      guard bytes[place + count] == 0x0D, bytes[place + count + 1] == 0x0A else { throw .malformed }
      let content = Self.copy(bytes, place..<place + count)
      place += count + 2
      return content
    }

    private mutating func list(
      _ bytes: Span<UInt8>, _ line: Range<Int>, times: Int, _ depth: Int
    ) throws(RESPError) -> RESPValue? {
      let count = try Self.number(bytes, line)
      if count == -1 { return .null }
      guard count >= 0 else { throw .malformed }
      guard count <= mostElements else { throw .tooLarge }
      elements += count * times
      guard elements <= mostElements else { throw .tooLarge }
      var values: [RESPValue] = []
      for _ in 0..<count * times {
        guard let value = try value(bytes, depth: depth + 1) else { return nil }
        values.append(value)
      }
      return .list(values)
    }

    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(RESPError) -> Int {
      guard let number = Int(string(bytes, range)) else { throw .malformed }
      return number
    }

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] { range.map { bytes[$0] } }

    private static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
      String(decoding: copy(bytes, range), as: UTF8.self)
    }
  }
}

/// Writes commands of RESP, as lists of texts.
enum RESPEncoder {
  static func begin(_ count: Int, into out: inout ByteBuffer) {
    out.append("*")
    out.append(decimal: count)
    out.append("\r\n")
  }

  static func append(_ bytes: Span<UInt8>, into out: inout ByteBuffer) {
    out.append("$")
    out.append(decimal: bytes.count)
    out.append("\r\n")
    out.append(bytes)
    out.append("\r\n")
  }

  static func append(_ text: String, into out: inout ByteBuffer) { append(text.utf8Span.span, into: &out) }
}
