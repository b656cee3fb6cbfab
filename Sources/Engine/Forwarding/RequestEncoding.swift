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
    // Of an absolute target's request the target says the host (RFC 9112 §3.2.2).
    let isAbsolute = slot.exchange.request.head.form == .absolute
    if isAbsolute || route.rewrite?.host != nil { slot.exchange.request.head.headers.remove(.host) }
    slot.outgoing.append(slot.exchange.request.methodText)
    slot.outgoing.append(" ")
    appendTarget(&slot.exchange, rewrite: route.rewrite, to: &slot.outgoing)
    slot.outgoing.append(" HTTP/1.1\r\n")
    if let host = route.rewrite?.host {
      slot.outgoing.append("Host: ")
      slot.outgoing.append(host)
      slot.outgoing.append("\r\n")
    } else if isAbsolute {
      slot.outgoing.append("Host: ")
      slot.outgoing.append(slot.exchange.host)
      slot.outgoing.append("\r\n")
    } else if !slot.exchange.request.head.headers.contains(.host) {
      // An HTTP/1.0 client may send none, but HTTP/1.1 asks for one (RFC 9112 §3.2).
      slot.outgoing.append("Host: ")
      slot.outgoing.append(slot.account.upstream?.hostOfTarget ?? "localhost")
      slot.outgoing.append("\r\n")
    }
    slot.exchange.request.head.headers.write(from: slot.exchange.request.source, into: &slot.outgoing)
    appendForwarding(slot, listener: listener)
    // A gRPC server may refuse who does not say that trailers reach it, as they do.
    if slot.translatesGRPCWeb || slot.exchange.rpc == .native && Self.takesTrailers(&slot.exchange) {
      slot.outgoing.append("TE: trailers\r\nConnection: TE\r\n")
    }
    if slot.asksWebSocket { slot.outgoing.append(WebSocketHandshake.fields) }
    if slot.exchange.request.holdsBody {
      HTTP1Encoder.contentLength(slot.exchange.request.body.count, into: &slot.outgoing)
    } else if slot.upload.framing == .chunked {
      slot.outgoing.append("Transfer-Encoding: chunked\r\n")
    }
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
    // What else says such things, as X-Forwarded-Port does.
    slot.exchange.request.removeReceivedForwarding()
  }

  private static func takesTrailers(_ exchange: inout Exchange) -> Bool {
    guard let value = exchange.request.header(.te) else { return false }
    return ByteScan.equalIgnoringCase(value, ByteScan.bytes(of: "trailers"))
  }

  private func appendTarget(_ exchange: inout Exchange, rewrite: Rewrite?, to out: inout ByteBuffer) {
    if exchange.request.head.form == .asterisk { return out.append("*") }
    if Self.append(exchange.forwardedPath, to: &out) {
    } else if let rewrite {
      rewrite.append(exchange, to: &out)
    } else {
      out.append(exchange.path)
    }
    if exchange.forwardedQuery != nil {
      Self.appendQuery(exchange.forwardedQuery, to: &out)
    } else if exchange.request.head.hasQuery {
      out.append("?")
      out.append(exchange.query)
    }
  }

  private static func append(_ path: borrowing ByteBuffer?, to out: inout ByteBuffer) -> Bool {
    switch path {
    case .some(let path):
      out.append(path.span)
      return true
    case .none: return false
    }
  }

  /// An empty query that a plugin made is none.
  private static func appendQuery(_ query: borrowing ByteBuffer?, to out: inout ByteBuffer) {
    switch query {
    case .some(let query):
      if query.isEmpty { return }
      out.append("?")
      out.append(query.span)
    case .none: break
    }
  }

  private func appendForwarding(_ slot: ExchangeSlot, listener: ListenerIdentity) {
    addressText.render(slot.exchange.peer)
    ForwardingFields.append(&slot.exchange, peer: addressText, to: &slot.outgoing)
  }
}

/// What the gateway tells the target of the client and of itself.
private enum ForwardingFields {
  static func append(_ exchange: inout Exchange, peer: borrowing AddressText, to out: inout ByteBuffer) {
    let trusted = exchange.peerIsTrusted
    let host = exchange.host
    out.reserve(2 * host.count + 3 * peer.bytes.count + exchange.id.count + 192)
    switch exchange.version {
    case .http10: out.append("Via: 1.0 sluice\r\n")
    case .http11: out.append("Via: 1.1 sluice\r\n")
    case .http2: out.append("Via: 2.0 sluice\r\n")
    }
    out.append("X-Request-Id: ")
    out.append(exchange.id.span)
    out.append("\r\nX-Forwarded-For: ")
    out.append(peer.bytes.span)
    if !trusted || !exchange.request.head.headers.contains(.xForwardedProto) {
      out.append(exchange.isSecure ? "\r\nX-Forwarded-Proto: https" : "\r\nX-Forwarded-Proto: http")
    }
    if !trusted || !exchange.request.head.headers.contains(.xForwardedHost) {
      if !host.isEmpty { out.append("\r\nX-Forwarded-Host: ") }
      out.append(host)
    }
    // RFC 7239 §6: an IPv6 address stands in brackets and quotes.
    let quotes = !exchange.peer.isV4
    out.append("\r\nForwarded: for=")
    if quotes { out.append("\"[") }
    out.append(peer.bytes.span)
    if quotes { out.append("]\"") }
    if !host.isEmpty {
      out.append(";host=\"")
      out.append(host)
      out.append("\"")
    }
    out.append(exchange.isSecure ? ";proto=https\r\n" : ";proto=http\r\n")
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

  /// Writes the path as the target gets it. It never begins with `//`, which some servers take for an authority.
  func append(_ exchange: borrowing Exchange, to out: inout ByteBuffer) {
    let original = exchange.path
    if let path { return out.append(path.span) }
    out.append(prefix.span)
    let count = stripPrefix.count
    guard count > 0, original.count >= count, ByteScan.equal(original.extracting(0..<count), stripPrefix.span),
      original.count == count || original[count] == UInt8(ascii: "/")
    else { return append(original, from: 0, to: &out) }
    if original.count == count { return out.append("/") }
    append(original, from: count, to: &out)
  }

  private func append(_ path: Span<UInt8>, from start: Int, to out: inout ByteBuffer) {
    var start = start
    if prefix.isEmpty {
      while start + 1 < path.count, path[start] == UInt8(ascii: "/"), path[start + 1] == UInt8(ascii: "/") {
        start += 1
      }
    }
    out.append(path.extracting(start..<path.count))
  }
}
