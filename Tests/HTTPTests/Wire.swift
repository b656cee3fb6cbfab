import HTTP
import Kernel

/// Runs the decoders over text, as a whole or in pieces, and writes down what they made of it.
enum Wire {
  /// What the decoder says after it has seen each of these prefixes in turn: a summary, `error|…` or `incomplete`.
  static func request(
    _ bytes: [UInt8], prefixes: [Int]? = nil, limits: HTTPLimits = HTTPLimits(), isPiecewise: Bool = false
  ) -> String {
    var decoder = RequestDecoder(limits: limits, isPiecewise: isPiecewise)
    var head = RequestHead()
    var out = ByteBuffer()
    do throws(HTTPError) {
      for prefix in prefixes ?? [bytes.count] {
        let seen = bytes.span.extracting(0..<prefix)
        if try decoder.decode(seen, into: &head) {
          MessageSummary.append(head, seen, to: &out)
          out.append("|\(head.length)")
          return text(out.span)
        }
      }
      return "incomplete"
    } catch {
      MessageSummary.append(error, to: &out)
      return text(out.span)
    }
  }

  static func response(
    _ bytes: [UInt8], prefixes: [Int]? = nil, answering method: Method = .get, limits: HTTPLimits = HTTPLimits(),
    isPiecewise: Bool = false
  ) -> String {
    var decoder = ResponseDecoder(limits: limits, isPiecewise: isPiecewise)
    var head = ResponseHead()
    var out = ByteBuffer()
    do throws(HTTPError) {
      for prefix in prefixes ?? [bytes.count] {
        let seen = bytes.span.extracting(0..<prefix)
        if try decoder.decode(seen, into: &head, answering: method) {
          MessageSummary.append(head, seen, to: &out)
          out.append("|\(head.length)")
          return text(out.span)
        }
      }
      return "incomplete"
    } catch {
      MessageSummary.append(error, to: &out)
      return text(out.span)
    }
  }

  /// What a body decoder makes of these pieces: content, trailers, what is left over, or the error.
  static func body(_ pieces: [[UInt8]], _ framing: BodyFraming, limits: HTTPLimits = HTTPLimits()) -> String {
    var decoder = BodyDecoder(framing, limits: limits)
    var content = ByteBuffer()
    var rest = 0
    do throws(HTTPError) {
      for piece in pieces {
        var bytes = piece
        var span = bytes.mutableSpan
        let step = try decoder.decode(&span)
        content.append(span.span.extracting(step.start..<step.start + step.produced))
        rest += piece.count - step.consumed
      }
    } catch {
      return "error|\(error.reason)"
    }
    var out = ByteBuffer()
    MessageSummary.escape(content.span, into: &out)
    decoder.withTrailers { headers, bytes in MessageSummary.append(headers, bytes, to: &out) }
    return text(out.span) + (decoder.isDone ? "|done|\(rest) left" : "|open")
  }

  /// Every way to cut into two pieces, and byte by byte, as lists of prefix lengths.
  static func cuts(_ count: Int) -> [[Int]] {
    (0...count).map { [$0, count] } + [Array(0...count)]
  }

  /// The pieces between these prefix lengths.
  static func pieces(_ bytes: [UInt8], _ prefixes: [Int]) -> [[UInt8]] {
    var start = 0
    return prefixes.map { end in
      defer { start = end }
      return Array(bytes[start..<end])
    }
  }

  static func text(_ span: Span<UInt8>?) -> String? {
    if let span { text(span) } else { nil }
  }

  static func text(_ span: Span<UInt8>) -> String {
    var bytes: [UInt8] = []
    for index in span.indices { bytes.append(span[index]) }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A seeded generator (SplitMix64): the same seed gives the same mutations.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
