import Configuration
import JSON
import Kernel

/// A value to be written: fixed text and JSON with `{{expressions}}` in it.
///
/// What is one expression alone keeps its type where it becomes JSON: `"{{body.count}}"` is a number if the body has one
/// there. In the middle of a text every value is text.
struct Template: Sendable {
  enum Expression: Sendable, Equatable {
    /// The time when the request came, as RFC 3339 writes it.
    case now
    case request(RequestValue)
    /// A field of the message that is edited.
    case header(String)
    case body(JSONPath)
    /// Of the element that `map` is at.
    case item(JSONPath)
  }

  enum Part: Sendable {
    case literal([UInt8])
    /// As text, within a string.
    case text(Expression)
    /// As a value of JSON.
    case value(Expression)
  }

  /// How it is written as JSON.
  private(set) var json: [Part] = []
  /// How it is written where only text can stand; nil for lists and mappings.
  private(set) var text: [Part]?
  /// Set when it is one expression and nothing else: then it has no value where that has none.
  private(set) var sole: Expression?
  /// As it was written.
  let source: String

  /// The value of one expression.
  init(_ expression: Expression, source: String) {
    self.source = source
    json = [.value(expression)]
    text = [.text(expression)]
    sole = expression
  }

  /// - Parameter mistake: told what is wrong, with the node that it is about.
  init(_ node: Node, _ mistake: (String, Node) -> Void) {
    let json = node.json
    source = json.text
    if node.isScalar { text = Self.parse(node, mistake) }
    if let text, case .text(let expression)? = text.first, text.count == 1 { sole = expression }
    append(node, mistake)
    mergeLiterals()
  }

  var expressions: [Expression] {
    json.compactMap { part in
      switch part {
      case .literal: nil
      case .text(let expression), .value(let expression): expression
      }
    }
  }

  private mutating func append(_ node: Node, _ mistake: (String, Node) -> Void) {
    if node.isSequence {
      append("[")
      for (index, element) in node.elements.enumerated() {
        if index > 0 { append(",") }
        append(element, mistake)
      }
      append("]")
    } else if node.isMapping {
      append("{")
      for (index, entry) in node.entries.enumerated() {
        if index > 0 { append(",") }
        append(JSONText.string(entry.key.text).text + ":")
        append(entry.value, mistake)
      }
      append("}")
    } else {
      append(scalar: node, mistake)
    }
  }

  private mutating func append(scalar node: Node, _ mistake: (String, Node) -> Void) {
    guard case .string = node.json else { return append(node.json.text) }
    let parts = Self.parse(node, { _, _ in })
    if parts.count == 1, case .text(let expression) = parts[0] { return json.append(.value(expression)) }
    append("\"")
    for part in parts {
      if case .literal(let bytes) = part {
        var escaped = ByteBuffer(capacity: bytes.count + 8)
        escaped.append(jsonEscaped: bytes.span)
        json.append(.literal(escaped.span.indices.map { escaped.span[$0] }))
      } else {
        json.append(part)
      }
    }
    append("\"")
    // Mistakes of what stands deeper are told here, those of the whole by its text.
    if text == nil { _ = Self.parse(node, mistake) }
  }

  private mutating func append(_ text: String) { json.append(.literal(Array(text.utf8))) }

  private mutating func mergeLiterals() {
    var merged: [Part] = []
    for part in json {
      if case .literal(let more) = part, case .literal(let before)? = merged.last {
        merged[merged.count - 1] = .literal(before + more)
      } else {
        merged.append(part)
      }
    }
    json = merged
  }

  private static func parse(_ node: Node, _ mistake: (String, Node) -> Void) -> [Part] {
    var parts: [Part] = []
    var rest = Substring(node.isNull ? "" : node.text)
    while let open = rest.firstRange(of: "{{") {
      if open.lowerBound > rest.startIndex { parts.append(.literal(Array(rest[..<open.lowerBound].utf8))) }
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
        mistake("`{{` is not closed", node)
        return parts
      }
      let name = rest[open.upperBound..<close.lowerBound].trimmingSpaces
      if let expression = Expression(String(name)) {
        parts.append(.text(expression))
      } else {
        mistake("`{{\(name)}}` is no value", node)
      }
      rest = rest[close.upperBound...]
    }
    if !rest.isEmpty { parts.append(.literal(Array(rest.utf8))) }
    return parts
  }
}

extension Template.Expression {
  static let forms = "now, consumer, user, ip, route, header.NAME, query.NAME, cookie.NAME, path.NAME, body.PATH"

  init?(_ text: String) {
    if text == "now" {
      self = .now
    } else if let place = Place(text), text != "path" {
      switch place {
      case .header(let name): self = .header(name)
      case .body(let path) where !path.hasAny: self = .body(path)
      case .item(let path) where !path.hasAny: self = .item(path)
      case .query(let name): self = .request(.query(name))
      default: return nil
      }
    } else if let value = RequestValue(text) {
      self = .request(value)
    } else {
      return nil
    }
  }

  init(_ place: Place) {
    switch place {
    case .header(let name): self = .header(name)
    case .query(let name): self = .request(.query(name))
    case .path: self = .request(.route)
    case .body(let path): self = .body(path)
    case .item(let path): self = .item(path)
    }
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }
}

extension ValueType where Value == Template {
  /// Anything that YAML can say, with `{{expressions}}` in its texts.
  static func template(items: Bool) -> ValueType {
    ValueType(
      shape: .anything,
      read: { node, reading in
        if node.isBroken { return nil }
        var mistakes: [(String, Node)] = []
        let template = Template(node) { mistakes.append(($0, $1)) }
        if !items, template.expressions.contains(where: { if case .item = $0 { true } else { false } }) {
          mistakes.append(("`{{item.…}}` has no meaning here", node))
        }
        for (message, node) in mistakes {
          reading.error(message, at: node.position, expected: "{{…}} with one of \(Template.Expression.forms)")
        }
        return mistakes.isEmpty ? template : nil
      },
      describe: { .text($0.source) })
  }
}
