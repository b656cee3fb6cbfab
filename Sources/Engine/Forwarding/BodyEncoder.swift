import Foreign
import HTTP
import Kernel
import PluginKit

/// Puts a body into a content coding on its way to the client.
///
/// A class, so that a flow without one holds a word. Its memory is the coding's window and one piece of output; it
/// goes with the answer.
final class BodyEncoder {
  private var encoder: ContentEncoder
  private var output = ByteBuffer(capacity: 4096)
  /// Whether content has gone in that need not have come out.
  private(set) var isBehind = false

  /// - Returns: nil when there is no memory for it: then the body goes as it is.
  init?(_ coding: OutgoingCoding) {
    let made: ContentEncoder? =
      switch coding {
      case .gzip(let level): ContentEncoder(.gzip, level: level)
      case .zstd(let level): ContentEncoder(.zstd, level: level)
      }
    guard let made else { return nil }
    encoder = made
  }

  /// Appends what came out for these bytes, framed; nothing while the coding holds it back.
  ///
  /// - Returns: how many bytes of that are content.
  func encode(
    _ content: Span<UInt8>, _ flush: ContentEncoder.Flush, _ framing: BodyFlow.Framing, into out: inout ByteBuffer
  ) -> Int {
    output.removeAll()
    encoder.encode(content, flush, into: &output)
    isBehind = flush == .none && (isBehind || !content.isEmpty)
    // A chunk of no length would be the last one.
    if !output.isEmpty { BodyFlow.append(output.span, framing, to: &out) }
    return output.count
  }
}

extension ServerConnection {
  /// The encoder of an answer whose hooks have chosen a coding, with its fields mended; nil when it goes as it is.
  func beginEncoding(_ slot: ExchangeSlot) -> BodyEncoder? {
    guard let coding = slot.exchange.response.coding else { return nil }
    slot.exchange.response.coding = nil
    if slot.exchange.response.header(.contentEncoding) != nil { return nil }
    guard let encoder = BodyEncoder(coding) else { return nil }
    slot.exchange.response.head.headers.remove(.contentLength)
    slot.exchange.response.addHeader(.contentEncoding, ByteScan.bytes(of: coding.name))
    EntityTag.weaken(&slot.exchange)
    return encoder
  }

  /// Encodes a body that is here as a whole.
  func encodeHeldBody(_ slot: ExchangeSlot) {
    if slot.exchange.response.coding == nil || slot.exchange.response.heldCount == 0 { return }
    slot.exchange.response.unfoldStored()
    guard let encoder = beginEncoding(slot) else { return }
    var coded = ByteBuffer(capacity: slot.exchange.response.body.count / 2)
    Self.encode(&slot.exchange, encoder, into: &coded)
    slot.exchange.response.exchangeBody(with: &coded)
  }

  private static func encode(_ exchange: inout Exchange, _ encoder: BodyEncoder, into out: inout ByteBuffer) {
    _ = encoder.encode(exchange.response.body.span, .end, .plain, into: &out)
  }
}
