public import Kernel

/// A message in one line of text, for comparing decoders with each other.
///
/// Every part that changes what a message means is in it: two decoders that write the same line would forward the
/// same message. Bytes outside visible ASCII, and `|` and `%`, are percent-encoded.
public enum MessageSummary {
  /// Appends `request|METHOD|TARGET|1.x|name=value|…|framing|keep-alive or close`.
  public static func append(_ head: borrowing RequestHead, _ source: Span<UInt8>, to out: inout ByteBuffer) {
    out.append("request|")
    escape(head.methodRange.bytes(in: source), into: &out)
    out.append("|")
    escape(head.targetRange.bytes(in: source), into: &out)
    out.append("|1.")
    out.append(decimal: Int(head.minorVersion))
    append(head.headers, source, to: &out)
    append(head.framing, to: &out)
    out.append(head.keepAlive ? "|keep-alive" : "|close")
  }

  /// Appends `response|STATUS|REASON|1.x|name=value|…|framing|keep-alive or close`.
  public static func append(_ head: borrowing ResponseHead, _ source: Span<UInt8>, to out: inout ByteBuffer) {
    out.append("response|")
    out.append(decimal: head.status)
    out.append("|")
    escape(head.reasonRange.bytes(in: source), into: &out)
    out.append("|1.")
    out.append(decimal: Int(head.minorVersion))
    append(head.headers, source, to: &out)
    append(head.framing, to: &out)
    out.append(head.keepAlive ? "|keep-alive" : "|close")
  }

  public static func append(_ error: HTTPError, to out: inout ByteBuffer) {
    out.append("error|")
    out.append(error.reason)
  }

  /// Appends the received fields, names in lower case.
  public static func append(_ headers: borrowing HeaderBlock, _ source: Span<UInt8>, to out: inout ByteBuffer) {
    for index in headers.fields.indices {
      let field = headers.fields[index]
      out.append("|")
      escape(field.name(in: source), into: &out, lowercased: true)
      out.append("=")
      escape(field.value(in: source), into: &out)
    }
  }

  private static func append(_ framing: BodyFraming, to out: inout ByteBuffer) {
    switch framing {
    case .none: out.append("|none")
    case .length(let length):
      out.append("|length ")
      out.append(decimal: length)
    case .chunked: out.append("|chunked")
    case .untilClose: out.append("|until-close")
    }
  }

  /// Appends bytes as visible ASCII.
  public static func escape(_ bytes: Span<UInt8>, into out: inout ByteBuffer, lowercased: Bool = false) {
    for index in bytes.indices {
      let byte = bytes[index]
      if byte <= 0x20 || byte >= 0x7f || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "%") {
        out.append(UInt8(ascii: "%"))
        out.append(hexadecimal: UInt64(byte), digits: 2)
      } else {
        out.append(lowercased && byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)
      }
    }
  }
}
