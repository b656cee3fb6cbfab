import Configuration
import HTTP

/// A part of a message that can be edited: `header.NAME`, `query.NAME`, `path`, `body.A.B`, or `item.A` within a list.
enum Place: Sendable, Equatable {
  case header(String)
  case query(String)
  case path
  case body(JSONPath)
  case item(JSONPath)

  init?(_ text: String) {
    if text == "path" {
      self = .path
      return
    }
    if text == "body" {
      self = .body(JSONPath())
      return
    }
    guard let dot = text.firstIndex(of: ".") else { return nil }
    let rest = text[text.index(after: dot)...]
    switch text[..<dot] {
    case "header" where Self.isToken(rest): self = .header(rest.lowercased())
    case "query" where !rest.isEmpty: self = .query(String(rest))
    case "body":
      guard let path = JSONPath(rest) else { return nil }
      self = .body(path)
    case "item":
      guard let path = JSONPath(rest) else { return nil }
      self = .item(path)
    default: return nil
    }
  }

  var isBody: Bool { if case .body = self { true } else { false } }

  /// Whether both are of the same part of the message, so that one can be renamed to the other.
  func isSamePart(as other: Place) -> Bool {
    switch (self, other) {
    case (.header, .header), (.query, .query), (.body, .body), (.item, .item): true
    default: false
    }
  }

  private static func isToken(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
  }
}

/// A place as the configuration wrote it, for showing it again.
struct NamedPlace: Sendable {
  var place: Place
  var text: String
}

extension ValueType where Value == NamedPlace {
  /// A place of the messages of one direction that can be edited.
  static func place(in direction: Direction) -> ValueType {
    let forms =
      direction == .request
      ? "header.NAME, query.NAME, path or body.PATH" : "header.NAME or body.PATH"
    let shape = ScalarShape("place of a \(direction.rawValue)", expectation: forms)
    return .scalar(shape, text: \.text) { text throws(ScalarMistake) in
      guard let place = Place(text) else { throw .malformed }
      switch place {
      case .header(let name):
        if let refusal = direction.refusal(of: FieldName.known(name.utf8Span.span)) {
          throw .other("`\(name)` \(refusal.reason)", expected: refusal.instead)
        }
      case .body(let path):
        if path.segments.isEmpty { throw .other("the whole body cannot be edited here", expected: forms) }
        if path.hasAny { throw .other("`*` cannot be used here", expected: "`map`, which edits every element") }
      case .query, .path: if direction == .response { throw .malformed }
      case .item: throw .malformed
      }
      return NamedPlace(place: place, text: text)
    }
  }

  /// A place within an element of a list.
  static var item: ValueType {
    .scalar(ScalarShape("place of an element", expectation: "item.PATH"), text: \.text) { text throws(ScalarMistake) in
      guard let place = Place(text), case .item(let path) = place, !path.hasAny else { throw .malformed }
      return NamedPlace(place: place, text: text)
    }
  }

  /// A list in the body.
  static var list: ValueType {
    .scalar(ScalarShape("place of a list", expectation: "body or body.PATH"), text: \.text) {
      text throws(ScalarMistake) in
      guard let place = Place(text), case .body(let path) = place, !path.hasAny else { throw .malformed }
      return NamedPlace(place: place, text: text)
    }
  }
}
