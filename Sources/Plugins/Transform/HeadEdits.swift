import HTTP
import JSON
import Kernel
import PluginKit

/// Edits of fields, query and path.
struct HeadEdits: Sendable {
  private var removed: Set<String> = []
  private var removedFields = FieldNameSet([])
  private var fields: [(name: [UInt8], value: Template)] = []
  private var removedParameters: [[UInt8]] = []
  private var parameters: [(name: [UInt8], value: Template)] = []
  private var path: Template?

  var isEmpty: Bool { removed.isEmpty && fields.isEmpty && !editsQuery && path == nil }

  /// Whether any value comes from the body.
  var readsBody: Bool {
    (fields.map(\.value) + parameters.map(\.value) + (path.map { [$0] } ?? [])).contains { template in
      template.expressions.contains { if case .body = $0 { true } else { false } }
    }
  }

  private var editsQuery: Bool { !removedParameters.isEmpty || !parameters.isEmpty }

  /// False when the place has a value already.
  mutating func set(_ place: Place, _ value: Template) -> Bool {
    switch place {
    case .header(let name):
      if fields.contains(where: { $0.name == Array(name.utf8) }) { return false }
      fields.append((Array(name.utf8), value))
    case .query(let name):
      if parameters.contains(where: { $0.name == Array(name.utf8) }) { return false }
      parameters.append((Array(name.utf8), value))
    case .path:
      if path != nil { return false }
      path = value
    case .body, .item: return false
    }
    return true
  }

  mutating func remove(_ place: Place) -> Bool {
    switch place {
    case .header(let name):
      guard removed.insert(name).inserted else { return false }
      removedFields = FieldNameSet(removed)
    case .query(let name): removedParameters.append(Array(name.utf8))
    case .path, .body, .item: return false
    }
    return true
  }

  /// Edits the exchange's request; every value is read before anything is changed.
  func apply(
    toRequest exchange: inout Exchange, _ context: inout BodyContext, _ body: Span<UInt8>
  ) throws(TransformFailure) {
    var values = RenderedValues()
    try values.render(fields, exchange, &context, body)
    var query: ByteBuffer?
    if editsQuery { query = try editedQuery(exchange, &context, body) }
    var path: ByteBuffer?
    if let template = self.path { path = try renderedPath(template, exchange, &context, body) }
    if !removed.isEmpty { exchange.request.removeHeaders(removedFields) }
    for index in fields.indices {
      guard let range = values.ranges[index] else { continue }
      let name = fields[index].name
      if !exchange.request.setHeader(named: name.span, values.text.span.extracting(range)) {
        throw .invalidValue
      }
    }
    if query != nil { exchange.forwardedQuery = query.take() }
    if path != nil { exchange.forwardedPath = path.take() }
  }

  func apply(
    toResponse exchange: inout Exchange, _ context: inout BodyContext, _ body: Span<UInt8>
  ) throws(TransformFailure) {
    var values = RenderedValues()
    try values.render(fields, exchange, &context, body)
    if !removed.isEmpty { exchange.response.removeHeaders(removedFields) }
    for index in fields.indices {
      guard let range = values.ranges[index] else { continue }
      let name = fields[index].name
      if !exchange.response.setHeader(named: name.span, values.text.span.extracting(range)) {
        throw .invalidValue
      }
    }
  }

  private func editedQuery(
    _ exchange: borrowing Exchange, _ context: inout BodyContext, _ body: Span<UInt8>
  ) throws(TransformFailure) -> ByteBuffer {
    // What another plugin took out of the query, such as a key, stays out.
    switch exchange.forwardedQuery {
    case .some(let query): try edited(query.span, exchange, &context, body)
    case .none: try edited(exchange.query, exchange, &context, body)
    }
  }

  private func edited(
    _ query: Span<UInt8>, _ exchange: borrowing Exchange, _ context: inout BodyContext, _ body: Span<UInt8>
  ) throws(TransformFailure) -> ByteBuffer {
    var values = RenderedValues()
    try values.render(parameters, exchange, &context, body)
    var out = ByteBuffer(capacity: query.count + values.text.count + 32)
    var name = ByteBuffer(capacity: 32)
    var start = 0
    while start < query.count {
      let end = ByteScan.index(of: UInt8(ascii: "&"), in: query, from: start)
      let equals = min(end, ByteScan.index(of: UInt8(ascii: "="), in: query, from: start))
      name.removeAll()
      PercentEncoding.append(decoding: query.extracting(start..<equals), form: true, to: &name)
      if !replaces(name.span, values) {
        if !out.isEmpty { out.append("&") }
        out.append(query.extracting(start..<end))
      }
      start = end + 1
    }
    for index in parameters.indices {
      guard let range = values.ranges[index] else { continue }
      if !out.isEmpty { out.append("&") }
      let name = parameters[index].name
      PercentEncoding.append(encoding: name.span, to: &out)
      out.append("=")
      PercentEncoding.append(encoding: values.text.span.extracting(range), to: &out)
    }
    return out
  }

  private func replaces(_ name: Span<UInt8>, _ values: borrowing RenderedValues) -> Bool {
    for removed in removedParameters where ByteScan.equal(removed.span, name) { return true }
    for index in parameters.indices where values.ranges[index] != nil {
      let parameter = parameters[index].name
      if ByteScan.equal(parameter.span, name) { return true }
    }
    return false
  }

  /// The path, whose values are each encoded so that they cannot become more than a part of one segment.
  private func renderedPath(
    _ template: Template, _ exchange: borrowing Exchange, _ context: inout BodyContext, _ body: Span<UInt8>
  ) throws(TransformFailure) -> ByteBuffer {
    var out = ByteBuffer(capacity: 128)
    for part in template.text ?? [] {
      switch part {
      case .literal(let bytes): out.append(bytes.span)
      case .text(let expression), .value(let expression):
        var value = ByteBuffer(capacity: 64)
        let single = Template(expression, source: "")
        do throws(JSONError) {
          _ = try context.append(text: single, exchange, body, to: &value)
        } catch { throw .malformed(error) }
        if value.isEmpty { throw .invalidValue }
        PercentEncoding.append(encoding: value.span, to: &out)
      }
    }
    if !PathCheck.isPlain(out.span) { throw .invalidValue }
    return out
  }
}

/// The values of some fields or parameters, one after another.
private struct RenderedValues: ~Copyable {
  var text = ByteBuffer(capacity: 128)
  /// Nil for those without a value, which leave what is there.
  var ranges: [Range<Int>?] = []

  mutating func render(
    _ values: [(name: [UInt8], value: Template)], _ exchange: borrowing Exchange, _ context: inout BodyContext,
    _ body: Span<UInt8>
  ) throws(TransformFailure) {
    for value in values {
      let start = text.count
      do throws(JSONError) {
        let isThere = try context.append(text: value.value, exchange, body, to: &text)
        ranges.append(isThere ? start..<text.count : nil)
      } catch { throw .malformed(error) }
    }
  }
}

/// What a path must be that goes to a target.
private enum PathCheck {
  /// Whether it begins with one slash, has no dot segments, and nothing that would end it.
  static func isPlain(_ path: Span<UInt8>) -> Bool {
    guard path.count > 0, path[0] == UInt8(ascii: "/"), ByteScan.endOfQuery(in: path, from: 0) == path.count else {
      return false
    }
    if path.count > 1, path[1] == UInt8(ascii: "/") { return false }
    var start = 1
    while start <= path.count {
      let end = ByteScan.index(of: UInt8(ascii: "/"), in: path, from: start)
      let isDots = (start..<end).allSatisfy { path[$0] == UInt8(ascii: ".") }
      if end > start, end - start <= 2, isDots { return false }
      start = end + 1
    }
    return ByteScan.index(of: UInt8(ascii: "?"), in: path) == path.count
  }
}
