import JSON
import Kernel

/// Text as JSON, for the few places that put a document together of pieces.
enum JSONText {
  static func literal(_ text: String) -> String {
    var buffer = ByteBuffer(capacity: text.utf8.count + 2)
    buffer.append(json: text)
    return String(decoding: Array(copying: buffer.span), as: UTF8.self)
  }

  static func literal(_ text: [UInt8]) -> [UInt8] {
    var buffer = ByteBuffer(capacity: text.count + 2)
    buffer.append(json: text.span)
    return Array(copying: buffer.span)
  }
}
