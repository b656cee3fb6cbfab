import HTTP
import Kernel
import PluginKit

/// Content types of answers that last as long as there is something to say.
///
/// Their length in time is no sign of trouble, so `timeouts.total` does not bound them; their silences are bounded by
/// `timeouts.idle` like anybody's.
enum StreamingType {
  private static let names = [
    "text/event-stream", "application/grpc", "application/x-ndjson", "application/jsonl", "application/json-seq",
    "application/vnd.amazon.eventstream", "multipart/x-mixed-replace",
  ]

  /// Whether the answer that begins is such a stream.
  static func isAnswered(_ response: inout ResponseMessage) -> Bool {
    guard let type = response.header(.contentType) else { return false }
    for name in names where isNamed(name.utf8Span.span, by: type) { return true }
    return false
  }

  /// Whether the type is this one, whatever its parameters or its suffix (`application/grpc+proto`) are.
  private static func isNamed(_ name: Span<UInt8>, by type: Span<UInt8>) -> Bool {
    guard type.count >= name.count, ByteScan.equalIgnoringCase(type.extracting(0..<name.count), name) else {
      return false
    }
    if type.count == name.count { return true }
    let next = type[name.count]
    return next == UInt8(ascii: ";") || next == UInt8(ascii: "+") || next == UInt8(ascii: "-") || next == 0x20
  }
}
