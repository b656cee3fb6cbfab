import Configuration
import HTTP
import JSON
import Kernel
import PluginKit

/// What expressions read beside the exchange: the body, and the element that is edited.
struct BodyContext: ~Copyable {
  var document = JSONDocument()
  /// Whether `document` is the body's: there is none where there is no body.
  var hasDocument = false
  var direction = Direction.request
  /// The element that `map` is at.
  var item: Int?

  /// Appends a template as JSON; false, with nothing of use appended, when it is one expression without a value.
  mutating func append(
    json template: Template, _ exchange: borrowing Exchange, _ body: Span<UInt8>, to out: inout ByteBuffer
  ) throws(JSONError) -> Bool {
    for part in template.json {
      switch part {
      case .literal(let bytes): out.append(bytes.span)
      case .text(let expression):
        var text = ByteBuffer(capacity: 64)
        if try append(text: expression, exchange, body, to: &text) { out.append(jsonEscaped: text.span) }
      case .value(let expression):
        if try append(value: expression, exchange, body, to: &out) { continue }
        if template.sole != nil { return false }
        out.append("null")
      }
    }
    return true
  }

  /// Appends a template as text; false when it is one expression without a value, or is no text at all.
  mutating func append(
    text template: Template, _ exchange: borrowing Exchange, _ body: Span<UInt8>, to out: inout ByteBuffer
  ) throws(JSONError) -> Bool {
    guard let parts = template.text else { return false }
    for part in parts {
      switch part {
      case .literal(let bytes): out.append(bytes.span)
      case .text(let expression), .value(let expression):
        if try !append(text: expression, exchange, body, to: &out), template.sole != nil { return false }
      }
    }
    return true
  }

  /// Appends the value of an expression as JSON: what comes from a body with its type, everything else as a string.
  private mutating func append(
    value expression: Template.Expression, _ exchange: borrowing Exchange, _ body: Span<UInt8>,
    to out: inout ByteBuffer
  ) throws(JSONError) -> Bool {
    if case .body(let path) = expression { return try append(path, from: 0, body, to: &out) }
    if case .item(let path) = expression { return try append(path, from: item, body, to: &out) }
    var text = ByteBuffer(capacity: 64)
    guard try append(text: expression, exchange, body, to: &text) else { return false }
    out.append(json: text.span)
    return true
  }

  private func append(
    _ path: JSONPath, from start: Int?, _ body: Span<UInt8>, to out: inout ByteBuffer
  ) throws(JSONError) -> Bool {
    guard let node = try resolve(path, from: start, body) else { return false }
    out.append(document.text(node, in: body))
    return true
  }

  func resolve(_ path: JSONPath, from start: Int?, _ body: Span<UInt8>) throws(JSONError) -> Int? {
    guard hasDocument, let start else { return nil }
    return try path.resolve(in: document, from: start, body)
  }

  /// Appends the value of an expression as text: a string without its quotes and escapes, other JSON as it stands.
  private func append(
    text expression: Template.Expression, _ exchange: borrowing Exchange, _ body: Span<UInt8>,
    to out: inout ByteBuffer
  ) throws(JSONError) -> Bool {
    switch expression {
    case .now:
      DateTime.append(exchange.began, to: &out)
      return true
    case .header(let name):
      let value =
        direction == .request ? exchange.request.header(named: name) : exchange.response.header(named: name)
      guard let value else { return false }
      out.append(value)
      return true
    case .request(let value): return append(value, exchange, to: &out)
    case .body(let path): return try append(textAt: path, from: 0, body, to: &out)
    case .item(let path): return try append(textAt: path, from: item, body, to: &out)
    }
  }

  /// Values of the path and the query stand there percent-encoded.
  private func append(_ value: RequestValue, _ exchange: borrowing Exchange, to out: inout ByteBuffer) -> Bool {
    switch value {
    case .path, .query:
      var encoded = ByteBuffer(capacity: 64)
      guard value.append(of: exchange, to: &encoded) else { return false }
      var form = false
      if case .query = value { form = true }
      PercentEncoding.append(decoding: encoded.span, form: form, to: &out)
      return true
    default: return value.append(of: exchange, to: &out)
    }
  }

  private func append(
    textAt path: JSONPath, from start: Int?, _ body: Span<UInt8>, to out: inout ByteBuffer
  ) throws(JSONError) -> Bool {
    guard let node = try resolve(path, from: start, body) else { return false }
    if document.kind(node) == .string {
      JSONString.append(decoding: document.content(node, in: body), to: &out)
    } else {
      out.append(document.text(node, in: body))
    }
    return true
  }
}

/// Dates with times as RFC 3339 writes them, in UTC and to the millisecond.
enum DateTime {
  /// - Parameter moment: nanoseconds since 1970.
  static func append(_ moment: Int, to out: inout ByteBuffer) {
    let seconds = moment / 1_000_000_000
    let (year, month, day) = HTTPDate.civil(seconds / 86_400)
    let time = seconds % 86_400
    append(year, 4, to: &out)
    append(month, 2, after: "-", to: &out)
    append(day, 2, after: "-", to: &out)
    append(time / 3600, 2, after: "T", to: &out)
    append(time / 60 % 60, 2, after: ":", to: &out)
    append(time % 60, 2, after: ":", to: &out)
    append(moment / 1_000_000 % 1000, 3, after: ".", to: &out)
    out.append("Z")
  }

  private static func append(_ value: Int, _ digits: Int, after mark: StaticString = "", to out: inout ByteBuffer) {
    out.append(mark)
    var unit = 1
    for _ in 1..<digits { unit *= 10 }
    while unit > 0 {
      out.append(UInt8(truncatingIfNeeded: value / unit % 10) + 0x30)
      unit /= 10
    }
  }
}
