import HTTP
import Kernel
import PluginKit

/// The text that is signed (RFC 9421 §2.5), made from a request again.
enum SignatureBase {
  /// Longer fields of signatures and digests are refused before they are read.
  static let longestField = 8 << 10

  /// - Parameters:
  ///   - member: of Signature-Input.
  ///   - components: what it covers.
  static func append(
    _ member: StructuredMember, _ components: [String], of exchange: borrowing Exchange, to out: inout ByteBuffer
  ) throws(SignatureMistake) {
    for component in components {
      out.append("\"")
      out.append(component)
      out.append("\": ")
      if component.utf8.first == UInt8(ascii: "@") {
        try append(derived: component, of: exchange, to: &out)
      } else {
        guard append(field: component, of: exchange, to: &out) else { throw .component }
      }
      out.append("\n")
    }
    out.append("\"@signature-params\": ")
    member.appendValue(to: &out)
  }

  /// Appends the values of all fields of a name, with commas between them; false when there is none, or when the name
  /// is none that may be covered.
  static func append(
    field name: String, of exchange: borrowing Exchange, to out: inout ByteBuffer, limit: Int = .max
  ) -> Bool {
    let bytes = name.utf8Span.span
    guard !name.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else { return false }
    var values = ByteBuffer(capacity: 256)
    var count = 0
    exchange.request.head.headers.forEachValue(named: bytes, in: exchange.request.source) { value in
      if count > 0 { values.append(", ") }
      values.append(value)
      count += 1
    }
    guard count > 0, values.count <= limit else { return false }
    out.append(values.span)
    return true
  }

  private static func append(
    derived component: String, of exchange: borrowing Exchange, to out: inout ByteBuffer
  ) throws(SignatureMistake) {
    switch component {
    case "@method": out.append(exchange.request.methodText)
    case "@authority": append(authorityOf: exchange, to: &out)
    case "@scheme": out.append(exchange.isSecure ? "https" : "http")
    case "@path": append(pathOf: exchange, to: &out)
    case "@query":
      out.append("?")
      out.append(exchange.query)
    case "@request-target": out.append(exchange.request.head.targetRange.bytes(in: exchange.request.source))
    case "@target-uri":
      out.append(exchange.isSecure ? "https://" : "http://")
      append(authorityOf: exchange, to: &out)
      append(pathOf: exchange, to: &out)
      if exchange.request.head.hasQuery {
        out.append("?")
        out.append(exchange.query)
      }
    default: throw .component
    }
  }

  /// In lower case and without the port that the scheme has anyway (RFC 9421 §2.2.3).
  private static func append(authorityOf exchange: borrowing Exchange, to out: inout ByteBuffer) {
    let host = exchange.host
    let port = ByteScan.bytes(of: exchange.isSecure ? ":443" : ":80")
    let isDefault = host.count > port.count && ByteScan.equal(host.extracting(last: port.count), port)
    for index in 0..<(isDefault ? host.count - port.count : host.count) {
      let byte = host[index]
      out.append((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte)
    }
  }

  /// As it came: what is forwarded is made from it.
  private static func append(pathOf exchange: borrowing Exchange, to out: inout ByteBuffer) {
    let path = exchange.request.head.pathRange
    if path.isEmpty { out.append("/") } else { out.append(path.bytes(in: exchange.request.source)) }
  }
}
