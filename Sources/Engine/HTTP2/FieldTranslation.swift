import Foreign
import HTTP
import Kernel

/// Fields of HTTP/2 as lines of HTTP/1.1 and the other way.
enum FieldTranslation {
  /// Puts down one line with its CRLF; false when it could not stand in a message.
  static func appendLine(_ name: Span<UInt8>, _ value: Span<UInt8>, to out: inout ByteBuffer) -> Bool {
    guard !name.isEmpty, ByteScan.endOfToken(in: name, from: 0) == name.count,
      ByteScan.endOfFieldValue(in: value, from: 0) == value.count
    else { return false }
    out.append(name)
    out.append(": ")
    out.append(value)
    out.append("\r\n")
    return true
  }

  /// Whether a field says that trailers follow: `Trailer` does, and a type of gRPC, whose calls end with their status.
  static func tellsTrailers(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
    if name.count == 7 { return ByteScan.equal(name, ByteScan.bytes(of: "trailer")) }
    let type = ByteScan.bytes(of: "application/grpc")
    return name.count == 12 && value.count >= type.count && ByteScan.equal(name, ByteScan.bytes(of: "content-type"))
      && ByteScan.equalIgnoringCase(value.extracting(first: type.count), type)
  }

  /// Puts down the lines of a trailer section; false when one of them could not stand there.
  static func appendTrailers(
    _ fields: borrowing HTTP2Fields, _ lines: Range<Int>, to out: inout ByteBuffer
  ) -> Bool {
    for index in lines where !appendLine(fields.name(index), fields.value(index), to: &out) { return false }
    return true
  }

  /// Takes the lines of a trailer section, each with its CRLF.
  static func appendTrailers(_ lines: Span<UInt8>, to fields: inout HTTP2Fields) {
    var start = 0
    while start < lines.count {
      let end = ByteScan.index(of: UInt8(ascii: "\r"), in: lines, from: start)
      let colon = ByteScan.index(of: UInt8(ascii: ":"), in: lines, from: start)
      if colon < end {
        var value = colon + 1
        while value < end, lines[value] == 0x20 { value += 1 }
        fields.append(lines.extracting(start..<colon), lines.extracting(value..<end))
      }
      start = end + 2
    }
  }

  /// Takes the lines of a head that are to be forwarded; HTTP/2 has none about the connection (RFC 9113 §8.2.2).
  ///
  /// - Parameter omitted: the name of lines that are left out too.
  static func append(
    _ headers: borrowing HeaderBlock, _ source: Span<UInt8>, without omitted: StaticString? = nil,
    to fields: inout HTTP2Fields
  ) {
    for index in headers.fields.indices {
      let line = headers.fields[index]
      if !line.isForwarded || isOfConnection(line.name) { continue }
      if let omitted, ByteScan.equalIgnoringCase(line.name(in: source), ByteScan.bytes(of: omitted)) { continue }
      fields.append(line.name(in: source), line.value(in: source), isUnique: line.name == .xRequestID)
    }
  }

  private static func isOfConnection(_ name: FieldName) -> Bool {
    switch name {
    case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .te, .host: true
    default: false
    }
  }
}
