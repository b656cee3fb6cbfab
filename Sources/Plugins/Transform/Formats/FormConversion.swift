import HTTP
import JSON
import Kernel

/// The fields of a form (`application/x-www-form-urlencoded`) as members, a list where a name comes again.
enum FormConversion {
  static func convert(_ body: Span<UInt8>, to out: inout ByteBuffer) throws(ConversionFailure) {
    var values = NamedValues()
    var start = 0
    while start < body.count {
      let end = ByteScan.index(of: UInt8(ascii: "&"), in: body, from: start)
      let equals = min(end, ByteScan.index(of: UInt8(ascii: "="), in: body, from: start))
      if end > start {
        let name = try decoded(body.extracting(start..<equals), at: start)
        let value = try decoded(body.extracting(min(equals + 1, end)..<end), at: equals)
        var json = ByteBuffer(capacity: 64)
        json.append(json: value.span)
        values.add(name, json.span.indices.map { json.span[$0] })
      }
      start = end + 1
    }
    values.append(to: &out)
  }

  private static func decoded(_ text: Span<UInt8>, at offset: Int) throws(ConversionFailure) -> [UInt8] {
    var out = ByteBuffer(capacity: text.count)
    PercentEncoding.append(decoding: text, form: true, to: &out)
    if UTF8Check.firstMistake(in: out.span) != nil { throw .malformed("it is not UTF-8", offset: offset) }
    return out.span.indices.map { out.span[$0] }
  }
}
