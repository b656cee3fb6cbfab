import HTTP
import Kernel
import PluginKit

/// Writes response heads as the client gets them.
extension Worker {
  /// The head of a target's answer.
  func encodeResponse(_ slot: ExchangeSlot, framing: BodyFraming) {
    slot.exchange.response.head.headers.remove(.xRequestID)
    // Only a gateway says whose fault an answer is.
    slot.exchange.response.head.headers.remove(.xFault)
    appendStatusLine(slot)
    slot.exchange.response.head.headers.write(from: slot.exchange.response.source, into: &slot.reply)
    if slot.exchange.response.holdsBody {
      HTTP1Encoder.contentLength(slot.exchange.response.body.count, into: &slot.reply)
    } else if case .chunked = framing {
      slot.reply.append("Transfer-Encoding: chunked\r\n")
    }
    if !slot.exchange.response.head.headers.contains(.date) { appendDate(slot) }
    appendEnd(slot, keepAlive: slot.keepsConnection)
  }

  /// An interim answer (RFC 9110 §15.2), as the target sent it.
  func encodeInformational(_ slot: ExchangeSlot) {
    slot.reply.removeAll()
    slot.replySent = 0
    appendStatusLine(slot)
    slot.exchange.response.head.headers.write(from: slot.exchange.response.source, into: &slot.reply)
    slot.reply.append("\r\n")
    slot.account.headBytesOut += slot.reply.count
  }

  /// The head of a target's 101, which is the last one of the connection.
  func encodeSwitch(_ slot: ExchangeSlot) {
    slot.exchange.response.head.headers.remove(.xRequestID)
    slot.exchange.response.head.headers.remove(.xFault)
    encodeInformational(slot)
    slot.account.headBytesOut -= slot.reply.count
    slot.reply.truncate(to: slot.reply.count - 2)
    slot.reply.append(WebSocketHandshake.fields)
    slot.reply.append("X-Request-Id: ")
    slot.reply.append(slot.exchange.id.span)
    slot.reply.append("\r\n\r\n")
    slot.account.headBytesOut += slot.reply.count
  }

  /// The head of an answer that the gateway makes itself.
  func encodeLocalResponse(_ slot: ExchangeSlot, keepAlive: Bool) {
    slot.reply.removeAll()
    slot.replySent = 0
    let status = slot.exchange.response.head.status
    HTTP1Encoder.statusLine(status, into: &slot.reply)
    slot.exchange.response.head.headers.write(from: slot.exchange.response.source, into: &slot.reply)
    if status >= 200, status != 204, status != 304 {
      slot.reply.append("Content-Length: ")
      slot.reply.append(decimal: slot.exchange.response.heldCount)
      slot.reply.append("\r\n")
    }
    if !slot.exchange.response.head.headers.contains(.date) { appendDate(slot) }
    appendEnd(slot, keepAlive: keepAlive)
    if let stored = slot.exchange.response.stored, stored.count <= Self.copiedBody,
      slot.exchange.request.method != .head
    {
      // So that one call to the kernel sends both.
      stored.append(to: &slot.reply)
      slot.exchange.response.stored = nil
    }
  }

  private static let copiedBody = 16 << 10

  /// The head of a stream that the gateway writes itself.
  func encodeLocalStream(_ slot: ExchangeSlot, isChunked: Bool, keepAlive: Bool) {
    slot.reply.removeAll()
    slot.replySent = 0
    appendStatusLine(slot)
    slot.exchange.response.head.headers.write(from: slot.exchange.response.source, into: &slot.reply)
    if isChunked { slot.reply.append("Transfer-Encoding: chunked\r\n") }
    appendDate(slot)
    appendEnd(slot, keepAlive: keepAlive)
  }

  /// Of local answers, and of a target's that has none (RFC 9110 §6.6.1).
  private func appendDate(_ slot: ExchangeSlot) {
    slot.reply.append("Date: ")
    date.append(Clock.wall / 1_000_000_000, into: &slot.reply)
    slot.reply.append("\r\n")
  }

  /// The status line; a status without usual words goes without any (RFC 9112 §4).
  private func appendStatusLine(_ slot: ExchangeSlot) {
    HTTP1Encoder.statusLine(slot.exchange.response.head.status, into: &slot.reply)
  }

  private func appendEnd(_ slot: ExchangeSlot, keepAlive: Bool) {
    slot.reply.append("X-Request-Id: ")
    slot.reply.append(slot.exchange.id.span)
    if !keepAlive {
      slot.reply.append("\r\nConnection: close\r\n\r\n")
    } else if slot.exchange.request.head.minorVersion == 0 {
      slot.reply.append("\r\nConnection: keep-alive\r\n\r\n")
    } else {
      slot.reply.append("\r\n\r\n")
    }
    slot.account.headBytesOut += slot.reply.count
  }
}
