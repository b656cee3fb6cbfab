public import Foreign
import HTTP
public import Kernel

/// A request's head of HTTP/2 as the equivalent head of HTTP/1.1 (RFC 9113 §8.3.1).
///
/// The library has refused what HTTP/2 forbids. Here is checked what would be read differently as HTTP/1.1: the
/// decoder that reads it judges the rest, and answers what it does not like as it does for everybody.
public enum RequestTranslation {
  /// What of a head must be known later.
  public struct Meaning {
    var framing = BodyFraming.none
    var isHead = false
    /// It asks for a WebSocket.
    var isTunnel = false
  }

  /// Where the pseudo-fields stand; -1 where there is none.
  private struct Pseudo {
    var method = -1
    var path = -1
    var authority = -1
    var tunnel = -1
    var isConnect = false
    var isWebSocket = false
  }

  /// - Parameters:
  ///   - isEnd: no content follows.
  ///   - random: for the key that HTTP/1.1 asks for in a WebSocket's handshake.
  /// - Returns: nil when the request cannot be said in HTTP/1.1.
  public static func encode(
    _ fields: borrowing HTTP2Fields, _ lines: Range<Int>, isEnd: Bool, random: inout some RandomNumberGenerator,
    into out: inout ByteBuffer
  ) -> Meaning? {
    guard let pseudo = findPseudo(fields, lines), appendRequestLine(fields, pseudo, to: &out) else { return nil }
    var meaning = Meaning(isHead: equals(fields.value(pseudo.method), "HEAD"), isTunnel: pseudo.isWebSocket)
    var cookies = 0
    var lengths = 0
    var hasTrailers = false
    let host = pseudo.authority
    if host >= 0, !FieldTranslation.appendLine(bytes("Host"), fields.value(host), to: &out) { return nil }
    for index in lines {
      let name = fields.name(index)
      if name.isEmpty { return nil }
      switch name[0] {
      case UInt8(ascii: ":"): continue
      case UInt8(ascii: "c") where equals(name, "cookie"):
        cookies += 1
        continue
      case UInt8(ascii: "c") where equals(name, "content-length"):
        lengths += 1
        continue
      case UInt8(ascii: "c"), UInt8(ascii: "t"):
        if FieldTranslation.tellsTrailers(name, fields.value(index)) { hasTrailers = true }
      case UInt8(ascii: "h") where equals(name, "host"):
        // The same said twice is one host; two hosts are left for the decoder to refuse.
        if host >= 0, ByteScan.equalIgnoringCase(fields.value(index), fields.value(host)) { continue }
      case UInt8(ascii: "s") where pseudo.isWebSocket && equals(name, "sec-websocket-key"): continue
      default: break
      }
      if !FieldTranslation.appendLine(name, fields.value(index), to: &out) { return nil }
    }
    if cookies > 0, !appendCookies(fields, lines, to: &out) { return nil }
    if pseudo.isWebSocket { WebSocketHandshake.appendRequest(key: (random.next(), random.next()), to: &out) }
    // Content of a known length has no place for trailers.
    if !pseudo.isWebSocket, !isEnd, lengths == 0 || hasTrailers {
      meaning.framing = .chunked
      out.append("transfer-encoding: chunked\r\n")
    } else if lengths > 0, !appendLengths(fields, lines, to: &out) {
      return nil
    }
    out.append("\r\n")
    return meaning
  }

  private static func findPseudo(_ fields: borrowing HTTP2Fields, _ lines: Range<Int>) -> Pseudo? {
    var pseudo = Pseudo()
    for index in lines {
      let name = fields.name(index)
      if name.isEmpty || name[0] != UInt8(ascii: ":") { break }
      if equals(name, ":method") { pseudo.method = index }
      if equals(name, ":path") { pseudo.path = index }
      if equals(name, ":authority") { pseudo.authority = index }
      if equals(name, ":protocol") { pseudo.tunnel = index }
    }
    guard pseudo.method >= 0 else { return nil }
    pseudo.isConnect = equals(fields.value(pseudo.method), "CONNECT")
    // RFC 8441 §4: what HTTP/1.1 calls a GET that asks to switch.
    pseudo.isWebSocket = pseudo.isConnect && pseudo.tunnel >= 0 && equals(fields.value(pseudo.tunnel), "websocket")
    if pseudo.isWebSocket { pseudo.isConnect = false }
    return pseudo
  }

  private static func appendRequestLine(
    _ fields: borrowing HTTP2Fields, _ pseudo: Pseudo, to out: inout ByteBuffer
  ) -> Bool {
    let method = fields.value(pseudo.method)
    let place = pseudo.isConnect ? pseudo.authority : pseudo.path
    guard place >= 0, !method.isEmpty, ByteScan.endOfToken(in: method, from: 0) == method.count else { return false }
    let target = fields.value(place)
    // One target, so that one request line comes of it.
    guard !target.isEmpty, ByteScan.endOfTarget(in: target, from: 0) == target.count else { return false }
    if pseudo.isWebSocket { out.append("GET") } else { out.append(method) }
    out.append(" ")
    out.append(target)
    out.append(" HTTP/1.1\r\n")
    return true
  }

  private static func appendLengths(
    _ fields: borrowing HTTP2Fields, _ lines: Range<Int>, to out: inout ByteBuffer
  ) -> Bool {
    for index in lines where equals(fields.name(index), "content-length") {
      if !FieldTranslation.appendLine(fields.name(index), fields.value(index), to: &out) { return false }
    }
    return true
  }

  /// One line of all crumbs (RFC 9113 §8.2.3).
  private static func appendCookies(
    _ fields: borrowing HTTP2Fields, _ lines: Range<Int>, to out: inout ByteBuffer
  ) -> Bool {
    out.append("cookie: ")
    var isFirst = true
    for index in lines where equals(fields.name(index), "cookie") {
      let value = fields.value(index)
      if ByteScan.endOfFieldValue(in: value, from: 0) < value.count { return false }
      if !isFirst { out.append("; ") }
      isFirst = false
      out.append(value)
    }
    out.append("\r\n")
    return true
  }

  @inline(__always)
  private static func equals(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
    bytes.count == text.utf8CodeUnitCount && ByteScan.equal(bytes, ByteScan.bytes(of: text))
  }

  @_lifetime(immortal)
  private static func bytes(_ text: StaticString) -> Span<UInt8> { ByteScan.bytes(of: text) }
}
