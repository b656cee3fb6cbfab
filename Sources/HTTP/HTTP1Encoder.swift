public import Kernel

/// Writes the parts of HTTP/1.1 messages that are not copied from the message received.
public enum HTTP1Encoder {
  /// Writes `method SP path[?query] SP HTTP/1.1 CRLF`.
  ///
  /// - Parameters:
  ///   - path: an empty one, as absolute-form targets may have, is written as `/`.
  ///   - query: nil for none; an empty one keeps its `?`.
  public static func requestLine(
    method: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>?, into out: inout ByteBuffer
  ) {
    out.reserve(method.count + path.count + (query?.count ?? 0) + 16)
    out.append(method)
    out.append(UInt8(ascii: " "))
    if path.isEmpty { out.append(UInt8(ascii: "/")) } else { out.append(path) }
    if let query {
      out.append(UInt8(ascii: "?"))
      out.append(query)
    }
    out.append(" HTTP/1.1\r\n")
  }

  /// Writes the request line of a received head with its own target: as it came in origin and asterisk form; in
  /// absolute form only path and query, and `*` for OPTIONS without a path (RFC 9112 §3.2.4).
  public static func requestLine(_ head: borrowing RequestHead, from source: Span<UInt8>, into out: inout ByteBuffer) {
    if head.form != .absolute {
      out.append(source.extracting(Int(head.methodRange.start)..<head.targetRange.end))
      out.append(" HTTP/1.1\r\n")
      return
    }
    let method = head.methodRange.bytes(in: source)
    if head.method == .options && head.pathRange.isEmpty && !head.hasQuery {
      requestLine(method: method, path: ByteScan.bytes(of: "*"), query: nil, into: &out)
    } else {
      let query = head.hasQuery ? head.queryRange.bytes(in: source) : nil
      requestLine(method: method, path: head.pathRange.bytes(in: source), query: query, into: &out)
    }
  }

  /// Writes a received head as it is forwarded with its own target: the request line and the lines to forward,
  /// without the empty line. A head that nothing is taken from is one copy.
  public static func head(
    _ head: borrowing RequestHead, from source: Span<UInt8>, into out: inout ByteBuffer,
    droppingContentLength: Bool = false
  ) {
    var start = Int(head.methodRange.start)
    if head.form != .origin || head.minorVersion != 1 {
      requestLine(head, from: source, into: &out)
      start = head.headers.start
    }
    head.headers.write(from: source, startingAt: start, into: &out, droppingContentLength: droppingContentLength)
  }

  /// As above for a received response: the status line, with the reason as it came, and the lines to forward.
  public static func head(
    _ head: borrowing ResponseHead, from source: Span<UInt8>, into out: inout ByteBuffer,
    droppingContentLength: Bool = false
  ) {
    var start = 0
    if head.minorVersion != 1 {
      statusLine(head.status, reason: head.reasonRange.bytes(in: source), into: &out)
      start = head.headers.start
    }
    head.headers.write(from: source, startingAt: start, into: &out, droppingContentLength: droppingContentLength)
  }

  /// Writes a status line with the standard reason phrase.
  public static func statusLine(_ status: Int, into out: inout ByteBuffer) {
    switch status {
    case 200: out.append("HTTP/1.1 200 OK\r\n")
    case 204: out.append("HTTP/1.1 204 No Content\r\n")
    case 304: out.append("HTTP/1.1 304 Not Modified\r\n")
    case 404: out.append("HTTP/1.1 404 Not Found\r\n")
    default: statusLine(status, reason: ByteScan.bytes(of: Status.reason(status)), into: &out)
    }
  }

  /// Writes a status line with this reason phrase, which must be one that a decoder let pass or a literal.
  public static func statusLine(_ status: Int, reason: Span<UInt8>, into out: inout ByteBuffer) {
    precondition(status >= 100 && status <= 999)
    out.append("HTTP/1.1 ")
    out.append(decimal: status)
    out.append(UInt8(ascii: " "))
    out.append(reason)
    out.append("\r\n")
  }

  /// Writes one field line of a known name; the value must be one that may stand in a field.
  public static func field(_ name: FieldName, _ value: Span<UInt8>, into out: inout ByteBuffer) {
    out.append(name.text)
    out.append(": ")
    out.append(value)
    out.append("\r\n")
  }

  public static func contentLength(_ length: Int, into out: inout ByteBuffer) {
    out.append("Content-Length: ")
    out.append(decimal: length)
    out.append("\r\n")
  }

  /// The field that announces a chunked body.
  public static let chunked: StaticString = "Transfer-Encoding: chunked\r\n"
  /// What ends the head.
  public static let endOfHead: StaticString = "\r\n"
  /// What ends each chunk's data.
  public static let endOfChunk: StaticString = "\r\n"
  /// What ends a chunked body without trailers.
  public static let lastChunk: StaticString = "0\r\n\r\n"
  /// What stands before trailers, which the empty line then ends.
  public static let lastChunkBeforeTrailers: StaticString = "0\r\n"
  /// The interim response to `Expect: 100-continue`.
  public static let continueResponse: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

  /// Writes a chunk's size line; data and `endOfChunk` follow.
  ///
  /// - Parameters:
  ///   - size: above zero, for zero ends the body.
  ///   - digits: the least width, for a header that is filled in place later.
  public static func chunkHeader(_ size: Int, digits: Int = 1, into out: inout ByteBuffer) {
    precondition(size > 0)
    out.append(hexadecimal: UInt64(size), digits: digits)
    out.append("\r\n")
  }
}
