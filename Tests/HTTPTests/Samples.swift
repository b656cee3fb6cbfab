import HTTP
import Testing

/// A message and what must become of it: a summary, or an error's word.
struct Sample: Sendable, CustomTestStringConvertible {
  let bytes: [UInt8]
  let result: String
  var testDescription: String { String(decoding: bytes.prefix(90), as: UTF8.self).debugDescription }

  init(_ text: String, _ result: String) {
    self.init(Array(text.utf8), result)
  }

  init(_ bytes: [UInt8], _ result: String) {
    self.bytes = bytes
    self.result = result
  }

  init(_ text: String, _ error: HTTPError) {
    self.init(text, "error|\(error.reason)")
  }

  init(_ bytes: [UInt8], _ error: HTTPError) {
    self.init(bytes, "error|\(error.reason)")
  }
}
