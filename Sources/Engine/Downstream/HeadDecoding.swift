import HTTP
import Kernel
import PluginKit

/// Decodes a head into a message while the message's own buffer is borrowed for it.
enum HeadDecoding {
  static func decode(
    _ decoder: inout RequestDecoder, _ message: inout RequestMessage
  ) throws(HTTPError) -> Bool {
    try decode(&decoder, message.buffer, into: &message.head)
  }

  static func decode(
    _ decoder: inout ResponseDecoder, _ message: inout ResponseMessage, answering method: Method, mayUpgrade: Bool
  ) throws(HTTPError) -> Bool {
    try decode(&decoder, message.buffer, into: &message.head, answering: method, mayUpgrade: mayUpgrade)
  }

  private static func decode(
    _ decoder: inout RequestDecoder, _ buffer: borrowing IOBuffer, into head: inout RequestHead
  ) throws(HTTPError) -> Bool {
    try decoder.decode(buffer.readable, into: &head)
  }

  private static func decode(
    _ decoder: inout ResponseDecoder, _ buffer: borrowing IOBuffer, into head: inout ResponseHead,
    answering method: Method, mayUpgrade: Bool
  ) throws(HTTPError) -> Bool {
    try decoder.decode(buffer.readable, into: &head, answering: method, mayUpgrade: mayUpgrade)
  }
}
