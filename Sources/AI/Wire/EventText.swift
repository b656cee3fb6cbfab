import JSON
import Kernel

/// Writes server-sent events.
enum EventText {
  /// Appends one event whose data is a JSON document.
  static func append(_ name: StaticString?, to out: inout ByteBuffer, _ body: (inout JSONWriter) -> Void) {
    if let name {
      out.append("event: ")
      out.append(name)
      out.append("\n")
    }
    out.append("data: ")
    var json = JSONWriter()
    body(&json)
    out.append(json.buffer.span)
    out.append("\n\n")
  }
}
