import HTTP
import Kernel
import PluginKit

/// Writes the request's head as the target gets it.
///
/// One pass: the request line with the normalised, rewritten path; the client's fields without those about its own
/// connection; then what the gateway says of itself and of the client.
extension Worker {
  func encodeRequest(_ slot: ExchangeSlot, route: WorkerRoute, listener: ListenerIdentity) {
    prepareForwardingFields(slot)
    if route.rewrite?.host != nil { slot.exchange.request.head.headers.remove(.host) }
    slot.outgoing.append(slot.exchange.request.methodText)
    slot.outgoing.append(" ")
    appendTarget(slot.exchange, rewrite: route.rewrite, to: &slot.outgoing)
    slot.outgoing.append(" HTTP/1.1\r\n")
    if let host = route.rewrite?.host {
      slot.outgoing.append("Host: ")
      slot.outgoing.append(host)
      slot.outgoing.append("\r\n")
    } else if !slot.exchange.request.head.headers.contains(.host) {
      // An HTTP/1.0 client may send none; HTTP/1.1 asks for one, and an empty one is allowed (RFC 9112 §3.2).
      slot.outgoing.append("Host: ")
      slot.outgoing.append(slot.exchange.host)
      slot.outgoing.append("\r\n")
    }
    slot.exchange.request.head.headers.write(from: slot.exchange.request.source, into: &slot.outgoing)
    appendForwarding(slot, listener: listener)
    if slot.exchange.request.head.framing == .chunked { slot.outgoing.append("Transfer-Encoding: chunked\r\n") }
    slot.outgoing.append("\r\n")
  }

  /// Takes away what the gateway says anew: a client may not speak for a proxy unless it is a trusted one.
  private func prepareForwardingFields(_ slot: ExchangeSlot) {
    slot.exchange.request.head.headers.remove(.xRequestID)
    if slot.exchange.peerIsTrusted { return }
    slot.exchange.request.head.headers.remove(.forwarded)
    slot.exchange.request.head.headers.remove(.xForwardedFor)
    slot.exchange.request.head.headers.remove(.xForwardedProto)
    slot.exchange.request.head.headers.remove(.xForwardedHost)
  }

  private func appendTarget(_ exchange: borrowing Exchange, rewrite: Rewrite?, to out: inout ByteBuffer) {
    if exchange.request.head.form == .asterisk { return out.append("*") }
    if let rewrite { rewrite.append(exchange, to: &out) } else { out.append(exchange.path) }
    if exchange.request.head.hasQuery {
      out.append("?")
      out.append(exchange.query)
    }
  }

  private func appendForwarding(_ slot: ExchangeSlot, listener: ListenerIdentity) {
    let headers = slot.exchange.peerIsTrusted
    slot.outgoing.append("Via: 1.")
    slot.outgoing.append(UInt8(ascii: "0") + UInt8(slot.exchange.request.head.minorVersion & 1))
    slot.outgoing.append(" sluice\r\nX-Request-Id: ")
    slot.outgoing.append(slot.exchange.id.span)
    slot.outgoing.append("\r\nX-Forwarded-For: ")
    slot.exchange.peer.append(to: &slot.outgoing)
    if !headers || !slot.exchange.request.head.headers.contains(.xForwardedProto) {
      slot.outgoing.append("\r\nX-Forwarded-Proto: http")
    }
    if !headers || !slot.exchange.request.head.headers.contains(.xForwardedHost) {
      slot.outgoing.append("\r\nX-Forwarded-Host: ")
      slot.outgoing.append(slot.exchange.host)
    }
    slot.outgoing.append("\r\nForwarded: for=")
    appendNode(slot.exchange.peer, to: &slot.outgoing)
    slot.outgoing.append(";host=\"")
    slot.outgoing.append(slot.exchange.host)
    slot.outgoing.append("\";proto=http\r\n")
  }

  /// RFC 7239 §6: an IPv6 address stands in brackets and quotes.
  private func appendNode(_ address: IPAddress, to out: inout ByteBuffer) {
    if address.isV4 { return address.append(to: &out) }
    out.append("\"[")
    address.append(to: &out)
    out.append("]\"")
  }
}

/// How a route changes the path and host on the way to its upstream.
struct Rewrite: Sendable {
  var stripPrefix: [UInt8]
  var prefix: [UInt8]
  var path: [UInt8]?
  var host: String?

  init(_ settings: RewriteSettings) {
    stripPrefix = Array((settings.stripPrefix ?? "").utf8)
    while stripPrefix.last == UInt8(ascii: "/") { stripPrefix.removeLast() }
    prefix = Array((settings.prefix ?? "").utf8)
    while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
    path = settings.path.map { Array($0.utf8) }
    host = settings.host
  }

  /// Writes the path as the target gets it.
  func append(_ exchange: borrowing Exchange, to out: inout ByteBuffer) {
    let original = exchange.path
    if let path { return out.append(path.span) }
    out.append(prefix.span)
    let count = stripPrefix.count
    guard count > 0, original.count >= count, ByteScan.equal(original.extracting(0..<count), stripPrefix.span),
      original.count == count || original[count] == UInt8(ascii: "/")
    else { return out.append(original) }
    if original.count == count {
      out.append("/")
    } else {
      out.append(original.extracting(count..<original.count))
    }
  }
}
