import HTTP
import Kernel

/// How a body's content is rewritten on its way: between gRPC-Web and gRPC, which differ in it (PROTOCOL-WEB of gRPC).
enum BodyCoding {
  case none
  /// A request in base64.
  case fromText
  /// An answer whose trailers become the last frame of its body.
  case trailersInBody
  /// The same in base64; each piece is padded for itself, so that it can be read at once.
  case toText

  /// Whether content changes its length.
  var isText: Bool { self == .fromText || self == .toText }

  var framesTrailers: Bool { self == .trailersInBody || self == .toText }

  /// Appends the frame of trailers: a flag byte, the length, and the lines.
  static func appendTrailers(_ lines: Span<UInt8>, asText: Bool, to out: inout ByteBuffer) {
    var frame = ByteBuffer(capacity: lines.count + 5)
    frame.append(0x80)
    for shift in stride(from: 24, through: 0, by: -8) { frame.append(UInt8(truncatingIfNeeded: lines.count >> shift)) }
    frame.append(lines)
    if asText { Base64.append(frame.span, to: &out) } else { out.append(frame.span) }
  }
}
