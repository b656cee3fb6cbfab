import HTTP
import Kernel
import PluginKit
import Runtime

/// A connection that begins with the preface of HTTP/2 (RFC 9113 §3.4) is handed to one that speaks it.
extension ServerConnection {
  /// Whether a head was refused because it is the preface, where HTTP/2 may be spoken.
  func isPreface(_ error: HTTPError, _ slot: ExchangeSlot) -> Bool {
    guard error == .unsupportedVersion, listener.speaksHTTP2, carrier == nil, requestsServed == 0 else { return false }
    return agreesToHTTP2 && Self.isPreface(&slot.exchange.request.buffer)
  }

  /// Under TLS it is spoken where ALPN chose it, and nowhere else (RFC 9113 §3.2).
  private var agreesToHTTP2: Bool {
    guard security != nil else { return true }
    return (socket as? TLSSocket)?.negotiatedProtocol == HTTP2ClientConnection.name
  }

  /// The preface as far as it came; the session checks the rest.
  private static func isPreface(_ buffer: inout IOBuffer) -> Bool {
    let preface = ByteScan.bytes(of: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    let count = min(preface.count, buffer.count)
    return ByteScan.equal(buffer.readable.extracting(0..<count), preface.extracting(0..<count))
  }

  func switchToHTTP2(_ slot: ExchangeSlot) { Self.pass(&slot.exchange.request.buffer, of: self) }

  private static func pass(_ buffer: inout IOBuffer, of connection: ServerConnection) {
    connection.worker.switchToHTTP2(connection, buffer.readable)
  }

  /// Gives the socket away, after which this connection is none any more; nil when it has closed.
  func handOver() -> Transport? {
    guard !isClosed else { return nil }
    isClosed = true
    waker.cancelDeadline()
    waker.isParked = false
    waker.parkedOwner = nil
    return socket
  }
}
